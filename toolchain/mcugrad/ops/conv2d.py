"""Two-dimensional convolution, with groups, and its gradients.

Shapes: x [1, H, W, C], w [O, KH, KW, C / groups], b [O], y [1, OH, OW, O].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import (
    CStruct,
    Floats,
    GradientContext,
    Kernel,
    NoAttrs,
    Op,
    OpCall,
    Spec,
    register,
    require,
)
from mcugrad.ops.clamp import clamp_gradient
from mcugrad.ops.clamp_range import NONE, Clamp
from mcugrad.ops.requantize import quant_of, requant_struct, requantize
from mcugrad.ops.window import Window


@dataclass(frozen=True)
class Conv2dAttrs:
    """Geometry, groups and the fused activation."""

    window: Window
    groups: int = 1
    clamp: Clamp = NONE


@dataclass(frozen=True)
class Conv2dBwdDataAttrs:
    """The convolution, and the height and width of its input."""

    conv: Conv2dAttrs
    height: int
    width: int


def _infer(call: OpCall) -> tuple[Spec, ...]:
    x, w = call.input(0), call.input(1)
    attrs: Conv2dAttrs = call.attrs
    require(len(x.shape) == 4 and x.shape[0] == 1, f"input must be [1, H, W, C], not {x.shape}")
    require(len(w.shape) == 4, f"weights must have four dimensions, not {w.shape}")
    require(w.shape[1:3] == attrs.window.kernel, "weights do not have the window's size")
    require(
        attrs.groups >= 1
        and w.shape[3] * attrs.groups == x.shape[3]
        and w.shape[0] % attrs.groups == 0,
        f"{attrs.groups} groups do not divide {x.shape[3]} channels into {w.shape}",
    )
    if call.has_input(2):
        require(call.input(2).shape == (w.shape[0],), "one bias for each output channel")
    oh, ow = attrs.window.output_size(x.shape[1], x.shape[2])
    return (Spec((1, oh, ow, w.shape[0]), x.dtype),)


def _correlate(x: Floats, w: Floats, attrs: Conv2dAttrs) -> Floats:
    """The plain sum of products, [OH, OW, O]; exact for integers of int8 range."""
    taps = attrs.window.taps(x)
    oc, ic = w.shape[0] // attrs.groups, w.shape[3]
    parts = [
        np.tensordot(
            taps[..., g * ic : (g + 1) * ic], w[g * oc : (g + 1) * oc], ([2, 3, 4], [1, 2, 3])
        )
        for g in range(attrs.groups)
    ]
    return np.concatenate(parts, axis=-1)


def _reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    x, w, b = values[0], values[1], values[2] if len(values) > 2 else None
    assert x is not None and w is not None
    attrs: Conv2dAttrs = call.attrs
    if call.dtype is DType.S8:
        zero_point = quant_of(call.input(0)).per_tensor[1]
        sums = _correlate(x[0].astype(np.float64) - zero_point, w.astype(np.float64), attrs)
        return (requantize(call, sums, b, attrs.clamp)[None],)
    y = _correlate(x[0], w, attrs)
    return (attrs.clamp.apply(y if b is None else y + b)[None],)


def _bwd_data_infer(call: OpCall) -> tuple[Spec, ...]:
    attrs: Conv2dBwdDataAttrs = call.attrs
    channels = call.input(1).shape[3] * attrs.conv.groups
    return (Spec((1, attrs.height, attrs.width, channels), call.dtype),)


def _bwd_data_reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    dy, w = values
    assert dy is not None and w is not None
    attrs: Conv2dBwdDataAttrs = call.attrs
    oc = w.shape[0] // attrs.conv.groups
    parts = [
        np.tensordot(dy[0][..., g * oc : (g + 1) * oc], w[g * oc : (g + 1) * oc], (2, 0))
        for g in range(attrs.conv.groups)
    ]
    dtaps = np.concatenate(parts, axis=-1)
    return (attrs.conv.window.scatter(dtaps, attrs.height, attrs.width)[None],)


def _bwd_weight_infer(call: OpCall) -> tuple[Spec, ...]:
    x, dy = call.input(0), call.input(1)
    attrs: Conv2dAttrs = call.attrs
    return (Spec((dy.shape[3], *attrs.window.kernel, x.shape[3] // attrs.groups), call.dtype),)


def _bwd_weight_reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    x, dy, *accumulated = values
    assert x is not None and dy is not None
    attrs: Conv2dAttrs = call.attrs
    taps = attrs.window.taps(x[0])
    oc, ic = dy.shape[3] // attrs.groups, x.shape[3] // attrs.groups
    parts = [
        np.tensordot(
            dy[0][..., g * oc : (g + 1) * oc],
            taps[..., g * ic : (g + 1) * ic],
            ([0, 1], [0, 1]),
        )
        for g in range(attrs.groups)
    ]
    dw = np.concatenate(parts, axis=0)
    return (dw if not accumulated else accumulated[0] + dw,)


def _gradient(
    ctx: GradientContext,
    attrs: Conv2dAttrs,
    inputs: Sequence[str],
    outputs: Sequence[str],
    dys: Sequence[str],
) -> Sequence[str | None]:
    x, w, *bias = inputs
    dy = clamp_gradient(ctx, attrs.clamp, outputs[0], dys[0])
    _, height, width, _ = ctx.tensor(x).shape
    dx = dw = db = None
    if ctx.needs(x):
        dx = ctx.emit(
            "conv2d_bwd_data", Conv2dBwdDataAttrs(attrs, height, width), (dy, w), f"d.{x}"
        )
    if ctx.needs(w):
        dw = ctx.emit("conv2d_bwd_weight", attrs, (x, dy), f"d.{w}")
    if bias and ctx.needs(bias[0]):
        db = ctx.emit("channel_sum", NoAttrs(), (dy,), f"d.{bias[0]}")
    return (dx, dw, db)[: len(inputs)]


def _params(attrs: Conv2dAttrs, x: tuple[int, ...], y: tuple[int, ...], **more: int) -> CStruct:
    return CStruct(
        "mg_conv2d_params",
        {
            "in_h": x[1],
            "in_w": x[2],
            "in_c": x[3],
            "out_h": y[1],
            "out_w": y[2],
            "out_c": y[3],
            "groups": attrs.groups,
            **attrs.window.fields(),
            **more,
        },
    )


def _fwd_params(call: OpCall) -> CStruct:
    return _params(call.attrs, call.input(0).shape, call.outputs[0].shape)


def _bwd_data_params(call: OpCall) -> CStruct:
    return _params(call.attrs.conv, call.outputs[0].shape, call.input(0).shape)


def _bwd_weight_params(call: OpCall) -> CStruct:
    return _params(call.attrs, call.input(0).shape, call.input(1).shape)


def _products(call: OpCall) -> int:
    return call.outputs[0].size * (call.input(1).size // call.input(1).shape[0])


def _bwd_data_products(call: OpCall) -> int:
    return call.input(0).size * (call.input(1).size // call.input(1).shape[0])


def _bwd_weight_products(call: OpCall) -> int:
    return call.input(1).size * (call.outputs[0].size // call.outputs[0].shape[0])


register(
    Op(
        "conv2d",
        Conv2dAttrs,
        _infer,
        _reference,
        kernels=(
            Kernel(
                "mg_conv2d_s8_fwd",
                DType.S8,
                params=_fwd_params,
                quant=lambda call: requant_struct(call, call.attrs.clamp),
            ),
            Kernel(
                "mg_conv2d_f32_fwd",
                DType.F32,
                params=_fwd_params,
                quant=lambda call: call.attrs.clamp.params(),
            ),
        ),
        gradient=_gradient,
        products=_products,
    )
)
register(
    Op(
        "conv2d_bwd_data",
        Conv2dBwdDataAttrs,
        _bwd_data_infer,
        _bwd_data_reference,
        kernels=(Kernel("mg_conv2d_f32_bwd_data", DType.F32, params=_bwd_data_params),),
        products=_bwd_data_products,
    )
)
register(
    Op(
        "conv2d_bwd_weight",
        Conv2dAttrs,
        _bwd_weight_infer,
        _bwd_weight_reference,
        kernels=(
            Kernel(
                "mg_conv2d_f32_bwd_weight",
                DType.F32,
                params=_bwd_weight_params,
                inplace=((0, 2),),
            ),
        ),
        products=_bwd_weight_products,
    )
)
