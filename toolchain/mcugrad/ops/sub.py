"""Subtraction with broadcasting and a fused activation."""

from __future__ import annotations

from collections.abc import Sequence

from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import GradientContext, NoAttrs, Op, OpCall, register
from mcugrad.ops.clamp import clamp_gradient
from mcugrad.ops.elementwise import (
    ElementwiseAttrs,
    infer,
    kernels,
    quantized_sum,
    reduce_to_operand,
    sum_quant,
)
from mcugrad.ops.shapes import given


def _reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    a, b = given(values)
    attrs: ElementwiseAttrs = call.attrs
    if call.dtype is DType.S8:
        return (quantized_sum(call, a, b, sign=-1),)
    return (attrs.clamp.apply(a - b),)


def _gradient(
    ctx: GradientContext,
    attrs: ElementwiseAttrs,
    inputs: Sequence[str],
    outputs: Sequence[str],
    dys: Sequence[str],
) -> Sequence[str | None]:
    a, b = inputs
    dy = clamp_gradient(ctx, attrs.clamp, outputs[0], dys[0])
    da = db = None
    if ctx.needs(a):
        da = reduce_to_operand(ctx, a, dy)
    if ctx.needs(b):
        db = ctx.emit("neg", NoAttrs(), (reduce_to_operand(ctx, b, dy),), f"d.{b}")
    return da, db


register(
    Op(
        "sub",
        ElementwiseAttrs,
        infer,
        _reference,
        kernels=kernels("sub", sum_quant, scratch=True),
        gradient=_gradient,
    )
)
