"""Two-dimensional convolution, with groups, and its gradients.

Shapes: x [1, H, W, C], w [O, KH, KW, C / groups], b [O], y [1, OH, OW, O].
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mcugrad.ir.tensor import Array
from mcugrad.ops import conv2d_kernels, linear
from mcugrad.ops.base import (
    CStruct,
    Floats,
    GradientContext,
    Op,
    OpCall,
    Spec,
    Weights,
    register,
    require,
)
from mcugrad.ops.clamp import clamp_gradient
from mcugrad.ops.conv2d_attrs import Conv2dAttrs, Conv2dBwdDataAttrs
from mcugrad.ops.integer_gradient import (
    bwd_data_rule,
    bwd_weight_rule,
    register_bwd_data,
    register_bwd_weight,
)
from mcugrad.ops.requantize import requantization
from mcugrad.ops.weight_step import register_weight_step


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
    linear.check_operands(call, axis=0)
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
    attrs: Conv2dAttrs = call.attrs
    return linear.forward(
        call,
        values,
        lambda x, w: _correlate(x[0], w, attrs)[None],
        attrs.clamp,
        lambda: requantization(call, attrs.clamp),
    )


def _bwd_data_infer(call: OpCall) -> tuple[Spec, ...]:
    attrs: Conv2dBwdDataAttrs = call.attrs
    channels = call.input(1).shape[3] * attrs.conv.groups
    return (Spec((1, attrs.height, attrs.width, channels), call.dtype),)


def _bwd_data_sums(attrs: Conv2dBwdDataAttrs, dy: Floats, w: Floats) -> Floats:
    oc = w.shape[0] // attrs.conv.groups
    parts = [
        np.tensordot(dy[0][..., g * oc : (g + 1) * oc], w[g * oc : (g + 1) * oc], (2, 0))
        for g in range(attrs.conv.groups)
    ]
    dtaps = np.concatenate(parts, axis=-1)
    return attrs.conv.window.scatter(dtaps, attrs.height, attrs.width)[None]


def _bwd_data_reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    dy, w, _ = linear.gradient_operands(call, values)
    return (_bwd_data_sums(call.attrs, dy, w),)


def _bwd_weight_infer(call: OpCall) -> tuple[Spec, ...]:
    x, dy = call.input(0), call.input(1)
    attrs: Conv2dAttrs = call.attrs
    shape = (dy.shape[3], *attrs.window.kernel, x.shape[3] // attrs.groups)
    return linear.check_gathered(call, 2, Spec(shape, call.input(1).dtype))


def _bwd_weight_sums(attrs: Conv2dAttrs, x: Floats, dy: Floats) -> Floats:
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
    return np.concatenate(parts, axis=0)


def _bwd_weight_reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    x, dy, gathered = linear.gradient_operands(call, values)
    return linear.add_gathered(_bwd_weight_sums(call.attrs, x, dy), gathered)


def _gradient(
    ctx: GradientContext,
    attrs: Conv2dAttrs,
    inputs: Sequence[str],
    outputs: Sequence[str],
    dys: Sequence[str],
) -> Sequence[str | None]:
    _, height, width, depth = ctx.tensor(inputs[0]).shape
    dy = clamp_gradient(ctx, attrs.clamp, outputs[0], dys[0])

    def weight() -> tuple[Conv2dAttrs, str, str]:
        channels = ctx.channels(inputs[1])
        if channels is not None:  # those of every group
            starts = range(0, depth, depth // attrs.groups)
            channels = tuple(start + c for start in starts for c in channels)
        return attrs, ctx.keep(inputs[0], channels), dy

    data_attrs = Conv2dBwdDataAttrs(attrs, height, width)
    return linear.gradient(ctx, "conv2d", (inputs, dy), data_attrs, weight)


def _fwd_params(call: OpCall) -> CStruct:
    attrs: Conv2dAttrs = call.attrs
    return attrs.window.conv_params(call.input(0).shape, call.outputs[0].shape, attrs.groups)


def _bwd_data_params(call: OpCall) -> CStruct:
    attrs: Conv2dAttrs = call.attrs.conv
    return attrs.window.conv_params(call.outputs[0].shape, call.input(0).shape, attrs.groups)


def _bwd_weight_params(call: OpCall) -> CStruct:
    attrs: Conv2dAttrs = call.attrs
    return attrs.window.conv_params(call.input(0).shape, call.input(1).shape, attrs.groups)


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
        kernels=linear.fwd_kernels(
            "conv2d",
            _fwd_params,
            lambda call: requantization(call, call.attrs.clamp).struct(),
            scratch=True,
            variants=conv2d_kernels.FWD,
        ),
        gradient=_gradient,
        products=_products,
        weights=Weights(weight=1, bias=2, channel_axis=3),
    )
)
register(
    Op(
        "conv2d_bwd_data",
        Conv2dBwdDataAttrs,
        _bwd_data_infer,
        _bwd_data_reference,
        kernels=linear.bwd_data_kernels(
            "conv2d",
            _bwd_data_params,
            axis=0,
            variants=conv2d_kernels.BWD_DATA,
        ),
        products=_bwd_data_products,
        integer=bwd_data_rule("conv2d", lambda attrs, w: w.size // w.shape[3] // attrs.conv.groups),
    )
)
register_bwd_data(
    "conv2d",
    Conv2dBwdDataAttrs,
    infer=_bwd_data_infer,
    sums=_bwd_data_sums,
    params=_bwd_data_params,
    products=_bwd_data_products,
    variants=conv2d_kernels.BWD_DATA_S16,
)
register(
    Op(
        "conv2d_bwd_weight",
        Conv2dAttrs,
        _bwd_weight_infer,
        _bwd_weight_reference,
        kernels=linear.bwd_weight_kernels(
            "conv2d",
            _bwd_weight_params,
            conv2d_kernels.BWD_WEIGHT,
        ),
        products=_bwd_weight_products,
        gathers=True,
        integer=bwd_weight_rule("conv2d"),
    )
)
register_bwd_weight(
    "conv2d",
    Conv2dAttrs,
    infer=_bwd_weight_infer,
    sums=_bwd_weight_sums,
    products=_bwd_weight_products,
)
register_weight_step(
    "conv2d",
    params=_bwd_weight_params,
    products=_bwd_weight_products,
    variants=conv2d_kernels.WEIGHT_STEP,
)
