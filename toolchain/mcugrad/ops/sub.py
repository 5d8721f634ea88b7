"""Subtraction with broadcasting and a fused activation."""

from __future__ import annotations

from collections.abc import Sequence

from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import GradientContext, Kernel, NoAttrs, Op, OpCall, register
from mcugrad.ops.clamp import clamp_gradient
from mcugrad.ops.elementwise import (
    ElementwiseAttrs,
    clamp_params,
    infer,
    params,
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
        kernels=(
            Kernel(
                "mg_sub_s8_fwd",
                DType.S8,
                params=params,
                quant=sum_quant,
                inplace=((0, 0), (0, 1)),
            ),
            Kernel(
                "mg_sub_f32_fwd",
                DType.F32,
                params=params,
                quant=clamp_params,
                inplace=((0, 0), (0, 1)),
            ),
        ),
        gradient=_gradient,
    )
)
