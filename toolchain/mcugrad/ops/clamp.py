"""Limiting values to a range: ReLU, ReLU6, ReLU_N1_TO_1, alone or fused.

The derivative is 1 strictly inside the range and 0 elsewhere, so the result alone
decides it and the operand need not be kept.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import CStruct, GradientContext, Kernel, Op, OpCall, register
from mcugrad.ops.clamp_range import Clamp
from mcugrad.ops.lookup_table import look_up, lookup_kernel
from mcugrad.ops.quantized import Ints, multiply_by_quantized_multiplier, quantize_multiplier
from mcugrad.ops.requantize import quant_of
from mcugrad.ops.shapes import given, infer_matching, infer_same, size_params


def _rule(call: OpCall, codes: Ints) -> Array:
    """LiteRT's ``ReluX``: the ratio of the scales is taken in single precision."""
    clamp: Clamp = call.attrs
    (x_scale, x_zero), y_quant = quant_of(call.input(0)).per_tensor, quant_of(call.outputs[0])
    y_scale, y_zero = y_quant.per_tensor
    multiplier = quantize_multiplier(float(np.float32(x_scale) / np.float32(y_scale)))
    y = multiply_by_quantized_multiplier(codes - x_zero, *multiplier) + y_zero
    low, high = clamp.quantized(y_quant)
    return np.clip(y, low, high)


def _reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    (x,) = given(values)
    if call.dtype is DType.S8:
        return (look_up(call, x, _rule),)
    clamp: Clamp = call.attrs
    return (clamp.apply(x),)


def clamp_gradient(ctx: GradientContext, clamp: Clamp, y: str, dy: str) -> str:
    """The gradient before a fused activation; ``y`` is the operator's result."""
    return ctx.emit("clamp_bwd", clamp, (dy, y), f"d_pre.{y}") if clamp.active else dy


def _gradient(
    ctx: GradientContext, attrs: Clamp, _xs: Sequence[str], ys: Sequence[str], dys: Sequence[str]
) -> Sequence[str | None]:
    return (clamp_gradient(ctx, attrs, ys[0], dys[0]),)


def _bwd_reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    dy, y = given(values)
    return (np.where((y > call.attrs.low) & (y < call.attrs.high), dy, 0.0),)


def _range(call: OpCall) -> CStruct:
    clamp: Clamp = call.attrs
    return clamp.params()


register(
    Op(
        "clamp",
        Clamp,
        infer_same,
        _reference,
        kernels=(
            lookup_kernel(_rule),
            Kernel(
                "mg_clamp_f32_fwd", DType.F32, params=size_params, quant=_range, inplace=((0, 0),)
            ),
        ),
        gradient=_gradient,
    )
)
register(
    Op(
        "clamp_bwd",
        Clamp,
        infer_matching,
        _bwd_reference,
        kernels=(
            Kernel(
                "mg_clamp_f32_bwd_data",
                DType.F32,
                params=size_params,
                quant=_range,
                inplace=((0, 0), (0, 1)),
            ),
        ),
    )
)
