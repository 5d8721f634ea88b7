"""Concatenation along one axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import prod

import numpy as np

from mcugrad.ir.tensor import Array, DType, Tensor
from mcugrad.ops.base import (
    CStruct,
    GradientContext,
    Kernel,
    Op,
    OpCall,
    Spec,
    float_kernels,
    register,
    require,
)
from mcugrad.ops.pad import SliceAttrs
from mcugrad.ops.shapes import given, require_same_quant

#: Operands that the C kernels take.
_MOST = 8


@dataclass(frozen=True)
class ConcatAttrs:
    """The axis, not negative."""

    axis: int


def _parts(call: OpCall) -> list[Tensor]:
    return [call.input(i) for i in range(len(call.inputs))]


def _infer(call: OpCall) -> tuple[Spec, ...]:
    axis = call.attrs.axis
    parts = _parts(call)
    require(1 <= len(parts) <= _MOST, f"between 1 and {_MOST} operands, not {len(parts)}")
    first = parts[0]
    require(0 <= axis < len(first.shape), f"no axis {axis} in {first.shape}")
    require(all(len(t.shape) == len(first.shape) for t in parts), "operands differ in rank")
    around = (first.shape[:axis], first.shape[axis + 1 :], first.dtype)
    require(
        all((t.shape[:axis], t.shape[axis + 1 :], t.dtype) == around for t in parts),
        "operands differ in more than the axis",
    )
    require_same_quant(call)
    extent = sum(t.shape[axis] for t in parts)
    return (Spec((*around[0], extent, *around[1]), first.dtype),)


def _reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    return (np.concatenate(given(values), axis=call.attrs.axis),)


def _params(call: OpCall) -> CStruct:
    axis = call.attrs.axis
    blocks = [prod(t.shape[axis:]) * t.dtype.itemsize for t in _parts(call)]
    return CStruct(
        "mg_concat_params",
        {
            "outer": prod(call.input(0).shape[:axis]),
            "count": len(blocks),
            "block_bytes": (*blocks, *(0,) * (_MOST - len(blocks))),
        },
    )


def _gradient(
    ctx: GradientContext,
    attrs: ConcatAttrs,
    inputs: Sequence[str],
    _outputs: Sequence[str],
    dys: Sequence[str],
) -> Sequence[str | None]:
    shapes = [ctx.tensor(x).shape for x in inputs]
    starts = accumulate((s[attrs.axis] for s in shapes[:-1]), initial=0)
    gradients: list[str | None] = []
    for x, shape, start in zip(inputs, shapes, starts, strict=True):
        begin = tuple(start if i == attrs.axis else 0 for i in range(len(shape)))
        needed = ctx.needs(x)
        gradients.append(
            ctx.emit("slice", SliceAttrs(begin, shape), dys, f"d.{x}") if needed else None
        )
    return gradients


register(
    Op(
        "concat",
        ConcatAttrs,
        _infer,
        _reference,
        kernels=(
            Kernel("mg_concat_s8_fwd", DType.S8, params=_params, arity=_MOST),
            *float_kernels("mg_concat_{}_fwd", params=_params, arity=_MOST),
        ),
        gradient=_gradient,
    )
)
