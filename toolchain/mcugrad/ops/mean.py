"""The mean over some axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from mcugrad.ir.graph import Node
from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import (
    CStruct,
    GradientContext,
    IntegerContext,
    Kernel,
    Op,
    OpCall,
    Spec,
    float_kernels,
    register,
    require,
)
from mcugrad.ops.quantized import multiply_by_quantized_multiplier, quantize_multiplier
from mcugrad.ops.reduction import reduction_params
from mcugrad.ops.requantize import quant_of
from mcugrad.ops.shapes import given


@dataclass(frozen=True)
class MeanAttrs:
    """The axes (not negative) and whether the result keeps them, with extent 1."""

    axes: tuple[int, ...]
    keep_dims: bool = False


@dataclass(frozen=True)
class MeanBwdAttrs:
    """The mean, and the shape of its input."""

    mean: MeanAttrs
    shape: tuple[int, ...]


def _count(attrs: MeanAttrs, shape: tuple[int, ...]) -> int:
    return prod(shape[a] for a in attrs.axes)


def _loops(attrs: MeanAttrs, shape: tuple[int, ...], scale: float) -> CStruct:
    kept = tuple(i not in attrs.axes for i in range(len(shape)))
    return reduction_params(shape, kept, scale)


def _result_shape(attrs: MeanAttrs, shape: tuple[int, ...]) -> tuple[int, ...]:
    if attrs.keep_dims:
        return tuple(1 if i in attrs.axes else n for i, n in enumerate(shape))
    return tuple(n for i, n in enumerate(shape) if i not in attrs.axes)


def _infer(call: OpCall) -> tuple[Spec, ...]:
    attrs: MeanAttrs = call.attrs
    shape = call.input(0).shape
    require(all(0 <= a < len(shape) for a in attrs.axes), f"no such axes {attrs.axes}")
    require(len(set(attrs.axes)) == len(attrs.axes), "an axis is named twice")
    _loops(attrs, shape, 1.0)
    return (Spec(_result_shape(attrs, shape), call.dtype),)


def _quantized_multiplier(call: OpCall) -> tuple[int, int]:
    """LiteRT's ratio of the scales, with 1 / count worked into it (``QuantizedMeanOrSum``)."""
    scales = [quant_of(t).per_tensor[0] for t in (call.input(0), call.outputs[0])]
    multiplier, shift = quantize_multiplier(scales[0] / scales[1])
    count = _count(call.attrs, call.input(0).shape)
    extra = min(count.bit_length() - 1, 32, 31 + shift)
    return (multiplier << extra) // count, shift - extra


def _reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    (x,) = given(values)
    attrs: MeanAttrs = call.attrs
    shape = _result_shape(attrs, x.shape)
    if call.dtype is DType.S8:
        count = _count(attrs, x.shape)
        (_, x_zero), (_, y_zero) = (
            quant_of(t).per_tensor for t in (call.input(0), call.outputs[0])
        )
        total = x.astype(np.int64).sum(axis=attrs.axes).reshape(shape) - x_zero * count
        y = multiply_by_quantized_multiplier(total, *_quantized_multiplier(call)) + y_zero
        return (np.clip(y, -128, 127).astype(np.int8),)
    return (x.mean(axis=attrs.axes).reshape(shape),)


def _quant(call: OpCall) -> CStruct:
    multiplier, shift = _quantized_multiplier(call)
    count = _count(call.attrs, call.input(0).shape)
    return CStruct(
        "mg_mean_s8",
        {
            "x_zero_points": quant_of(call.input(0)).per_tensor[1] * count,
            "y_zero_point": quant_of(call.outputs[0]).per_tensor[1],
            "multiplier": multiplier,
            "shift": shift,
        },
    )


def _params(call: OpCall) -> CStruct:
    shape = call.input(0).shape
    return _loops(call.attrs, shape, 1.0 / _count(call.attrs, shape))


def _gradient(
    ctx: GradientContext,
    attrs: MeanAttrs,
    inputs: Sequence[str],
    _outputs: Sequence[str],
    dys: Sequence[str],
) -> Sequence[str | None]:
    (x,) = inputs
    bwd = MeanBwdAttrs(attrs, ctx.tensor(x).shape)
    return (ctx.emit("mean_bwd", bwd, dys, f"d.{x}"),)


def _bwd_infer(call: OpCall) -> tuple[Spec, ...]:
    attrs: MeanBwdAttrs = call.attrs
    return (Spec(attrs.shape, call.dtype),)


def _bwd_reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    (dy,) = given(values)
    attrs: MeanBwdAttrs = call.attrs
    kept = _result_shape(MeanAttrs(attrs.mean.axes, keep_dims=True), attrs.shape)
    dx = np.broadcast_to(dy.reshape(kept), attrs.shape)
    return (dx if call.dtype is DType.S16 else dx / _count(attrs.mean, attrs.shape),)


def _bwd_integer(ctx: IntegerContext, node: Node) -> bool:
    """The codes of a mean are those of its operands; 1 / count is in the scale."""
    attrs: MeanBwdAttrs = node.attrs
    ctx.carry(node, 1.0 / _count(attrs.mean, attrs.shape))
    return True


def _bwd_params(call: OpCall) -> CStruct:
    attrs: MeanBwdAttrs = call.attrs
    return _loops(attrs.mean, attrs.shape, 1.0 / _count(attrs.mean, attrs.shape))


register(
    Op(
        "mean",
        MeanAttrs,
        _infer,
        _reference,
        kernels=(
            Kernel("mg_mean_s8_fwd", DType.S8, params=_params, quant=_quant, shared=True),
            *float_kernels("mg_reduce_{}_fwd", params=_params, shared=True),
        ),
        gradient=_gradient,
    )
)
register(
    Op(
        "mean_bwd",
        MeanBwdAttrs,
        _bwd_infer,
        _bwd_reference,
        kernels=(
            Kernel("mg_mean_s16_bwd_data", DType.S16, params=_bwd_params, shared=True),
            *float_kernels("mg_mean_{}_bwd_data", params=_bwd_params, shared=True),
        ),
        integer=_bwd_integer,
    )
)
