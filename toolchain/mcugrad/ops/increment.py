"""Counts: adds one to an int32, which wraps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import Kernel, NoAttrs, Op, OpCall, Spec, register, require
from mcugrad.ops.shapes import given


def _infer(call: OpCall) -> tuple[Spec, ...]:
    require(call.dtype is DType.S32 and call.input(0).shape == (1,), "counts one int32")
    return (Spec((1,), DType.S32),)


def _reference(_call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    (x,) = given(values)
    return ((x.astype(np.int64) + 1).astype(np.int32),)


register(
    Op(
        "increment",
        NoAttrs,
        _infer,
        _reference,
        kernels=(Kernel("mg_increment_s32_step", DType.S32, inplace=((0, 0),)),),
    )
)
