"""The sum over all positions of each channel: the gradient of a bias.

Shapes: dy [..., C], result [C].
"""

from __future__ import annotations

from collections.abc import Sequence

from mcugrad.ir.graph import Node
from mcugrad.ir.tensor import Array, DType, Tensor
from mcugrad.ops import linear
from mcugrad.ops.base import (
    IntegerContext,
    Kernel,
    NoAttrs,
    Op,
    OpCall,
    Spec,
    Variant,
    float_kernels,
    register,
    require,
)
from mcugrad.ops.integer_gradient import gradient_tensor, scale_of
from mcugrad.ops.shapes import channel_params, given


def _infer(call: OpCall) -> tuple[Spec, ...]:
    dy = call.input(0)
    require(len(dy.shape) >= 1 and dy.size > 0, f"no channels in {dy.shape}")
    if dy.dtype is DType.S16:
        check_positions(dy)
        return (Spec(dy.shape[-1:], DType.S32),)
    return linear.check_gathered(call, 1, Spec(dy.shape[-1:], dy.dtype))


def check_positions(dy: Tensor) -> None:
    """That an int32 holds the sum of a channel's codes."""
    require(dy.size // dy.shape[-1] <= 1 << 16, "more positions than an int32 sum holds")


def _reference(_call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    dy, *gathered = given(values)
    return linear.add_gathered(dy.reshape(-1, dy.shape[-1]).sum(axis=0), gathered)


def _integer(ctx: IntegerContext, node: Node) -> bool:
    dy, (name,) = ctx.tensor(node.inputs[0]), node.outputs
    if len(node.inputs) > 1:
        return False
    result = gradient_tensor(name, ctx.tensor(name).shape, scale_of(dy), DType.S32)
    ctx.emit(node.op, node.attrs, node.inputs, (result,))
    ctx.give(name, ctx.exponent(dy.name))
    return True


register(
    Op(
        "channel_sum",
        NoAttrs,
        _infer,
        _reference,
        kernels=(
            Kernel("mg_channel_sum_s16_fwd", DType.S16, params=channel_params, shared=True),
            *float_kernels(
                "mg_channel_sum_{}_fwd",
                (Variant("xfvec", lambda call: call.input(0).shape[-1] % 2 == 0, (DType.F16,)),),
                params=channel_params,
                inplace=((0, 1),),
                arity=2,
                shared=True,
            ),
        ),
        gathers=True,
        integer=_integer,
    )
)
