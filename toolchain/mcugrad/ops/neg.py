"""The negative of each element, which the gradient of a subtraction needs."""

from __future__ import annotations

from collections.abc import Sequence

from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import Kernel, NoAttrs, Op, OpCall, register
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
        kernels=(Kernel("mg_neg_f32_fwd", DType.F32, params=size_params, inplace=((0, 0),)),),
    )
)
