"""The same bytes under another shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from mcugrad.ir.tensor import Array
from mcugrad.ops.base import GradientContext, Op, OpCall, Spec, register, require
from mcugrad.ops.integer_gradient import carried
from mcugrad.ops.shapes import given, require_same_quant


@dataclass(frozen=True)
class ReshapeAttrs:
    """The new shape."""

    shape: tuple[int, ...]


def _infer(call: OpCall) -> tuple[Spec, ...]:
    attrs: ReshapeAttrs = call.attrs
    x = call.input(0)
    require(prod(attrs.shape) == x.size, f"{x.shape} does not become {attrs.shape}")
    require_same_quant(call)
    return (Spec(attrs.shape, x.dtype),)


def _reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    (x,) = given(values)
    return (x.reshape(call.attrs.shape),)


def _gradient(
    ctx: GradientContext,
    _attrs: ReshapeAttrs,
    inputs: Sequence[str],
    _outputs: Sequence[str],
    dys: Sequence[str],
) -> Sequence[str | None]:
    (x,) = inputs
    return (ctx.emit("reshape", ReshapeAttrs(ctx.tensor(x).shape), dys, f"d.{x}"),)


register(
    Op("reshape", ReshapeAttrs, _infer, _reference, gradient=_gradient, view=True, integer=carried)
)
