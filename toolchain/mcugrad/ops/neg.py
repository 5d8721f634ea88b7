"""The negative of each element, which the gradient of a subtraction needs."""

from __future__ import annotations

from collections.abc import Sequence

from mcugrad.ir.tensor import Array
from mcugrad.ops.base import NoAttrs, Op, OpCall, float_kernels, register
from mcugrad.ops.shapes import given, infer_same, size_params


def _reference(_call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    (x,) = given(values)
    return (-x,)


register(
    Op(
        "neg",
        NoAttrs,
        infer_same,
        _reference,
        kernels=float_kernels("mg_neg_{}_fwd", params=size_params, inplace=((0, 0),), shared=True),
    )
)
