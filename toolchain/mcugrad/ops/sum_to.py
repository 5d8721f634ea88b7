"""The sum over the dimensions along which an operand was broadcast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mcugrad.ir.tensor import Array
from mcugrad.ops.base import CStruct, Op, OpCall, Spec, float_kernels, register, require
from mcugrad.ops.reduction import reduction_params
from mcugrad.ops.shapes import given


@dataclass(frozen=True)
class SumToAttrs:
    """The operand's shape, which broadcasts to the input's."""

    shape: tuple[int, ...]


def _aligned(call: OpCall) -> tuple[int, ...]:
    """The result's shape with as many dimensions as the input."""
    attrs: SumToAttrs = call.attrs
    return (1,) * (len(call.input(0).shape) - len(attrs.shape)) + attrs.shape


def _params(call: OpCall) -> CStruct:
    shape = call.input(0).shape
    kept = tuple(n == m for n, m in zip(shape, _aligned(call), strict=True))
    return reduction_params(shape, kept, 1.0)


def _infer(call: OpCall) -> tuple[Spec, ...]:
    shape, attrs = call.input(0).shape, call.attrs
    require(
        np.broadcast_shapes(shape, attrs.shape) == shape,
        f"{attrs.shape} does not broadcast to {shape}",
    )
    _params(call)
    return (Spec(attrs.shape, call.dtype),)


def _reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    (x,) = given(values)
    axes = tuple(i for i, n in enumerate(_aligned(call)) if n == 1)
    return (x.sum(axis=axes).reshape(call.attrs.shape),)


register(
    Op(
        "sum_to",
        SumToAttrs,
        _infer,
        _reference,
        kernels=float_kernels("mg_reduce_{}_fwd", params=_params, shared=True),
    )
)
