"""Addition with broadcasting and a fused activation."""

from __future__ import annotations

from collections.abc import Sequence

from mcugrad.ir.graph import Node
from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import (
    GradientContext,
    IntegerContext,
    NoAttrs,
    Op,
    OpCall,
    Variant,
    register,
)
from mcugrad.ops.clamp import clamp_gradient
from mcugrad.ops.elementwise import (
    ElementwiseAttrs,
    infer,
    kernels,
    of_one_shape,
    quantized_sum,
    reduce_to_operand,
    sum_quant,
)
from mcugrad.ops.integer_gradient import exponent_tensor, gradient_tensor, scale_of
from mcugrad.ops.shapes import given


def _reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    a, b = given(values)
    attrs: ElementwiseAttrs = call.attrs
    if call.dtype is DType.S8:
        return (quantized_sum(call, a, b, sign=1),)
    return (attrs.clamp.apply(a + b),)


def _gradient(
    ctx: GradientContext,
    attrs: ElementwiseAttrs,
    inputs: Sequence[str],
    outputs: Sequence[str],
    dys: Sequence[str],
) -> Sequence[str | None]:
    dy = clamp_gradient(ctx, attrs.clamp, outputs[0], dys[0])
    return [reduce_to_operand(ctx, x, dy) if ctx.needs(x) else None for x in inputs]


def _integer(ctx: IntegerContext, node: Node) -> bool:
    """Two gradients of one tensor; operands that broadcast are left to floats."""
    a, b = (ctx.tensor(n) for n in node.inputs)
    if a.dtype is not DType.S16 or b.dtype is not DType.S16 or a.shape != b.shape:
        return False
    (name,) = node.outputs
    result = gradient_tensor(name, a.shape, scale_of(a), DType.S16)
    exponent = exponent_tensor(name)
    inputs = (a.name, ctx.exponent(a.name), b.name, ctx.exponent(b.name))
    ctx.emit("sum_gradients", NoAttrs(), inputs, (result, exponent))
    ctx.give(name, exponent.name)
    return True


register(
    Op(
        "add",
        ElementwiseAttrs,
        infer,
        _reference,
        kernels=kernels(
            "add",
            sum_quant,
            scratch=True,
            variants=(Variant("rvv", of_one_shape),),
        ),
        gradient=_gradient,
        integer=_integer,
    )
)
