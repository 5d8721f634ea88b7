"""Multiplication with broadcasting and a fused activation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import CStruct, GradientContext, Op, OpCall, register
from mcugrad.ops.clamp import clamp_gradient
from mcugrad.ops.elementwise import (
    ElementwiseAttrs,
    infer,
    kernels,
    reduce_to_operand,
    to_codes,
    zero_points_and_range,
)
from mcugrad.ops.quantized import multiply_by_quantized_multiplier, quantize_multiplier
from mcugrad.ops.requantize import quant_of
from mcugrad.ops.shapes import given


def _multiplier(call: OpCall) -> tuple[int, int]:
    """LiteRT's ratio of the scales, which it takes in single precision."""
    a, b = (np.float32(quant_of(call.input(i)).per_tensor[0]) for i in (0, 1))
    y = np.float32(quant_of(call.outputs[0]).per_tensor[0])
    return quantize_multiplier(float(a * b / y))


def _reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    a, b = given(values)
    attrs: ElementwiseAttrs = call.attrs
    if call.dtype is DType.S8:
        za, zb = (quant_of(call.input(i)).per_tensor[1] for i in (0, 1))
        product = (a.astype(np.int64) - za) * (b.astype(np.int64) - zb)
        return (to_codes(call, multiply_by_quantized_multiplier(product, *_multiplier(call))),)
    return (attrs.clamp.apply(a * b),)


def _quant(call: OpCall) -> CStruct:
    multiplier, shift = _multiplier(call)
    fields = zero_points_and_range(call) | {"multiplier": multiplier, "shift": shift}
    return CStruct("mg_mul_s8", fields)


def _gradient(
    ctx: GradientContext,
    attrs: ElementwiseAttrs,
    inputs: Sequence[str],
    outputs: Sequence[str],
    dys: Sequence[str],
) -> Sequence[str | None]:
    dy = clamp_gradient(ctx, attrs.clamp, outputs[0], dys[0])

    def gradient(x: str, other: str) -> str | None:
        if not ctx.needs(x):
            return None
        product = ctx.emit("mul", ElementwiseAttrs(), (dy, other), f"d.{x}")
        return reduce_to_operand(ctx, x, product)

    a, b = inputs
    return gradient(a, b), gradient(b, a)


register(
    Op(
        "mul",
        ElementwiseAttrs,
        infer,
        _reference,
        kernels=kernels("mul", _quant),
        gradient=_gradient,
    )
)
