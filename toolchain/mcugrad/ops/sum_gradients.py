"""The sum of two integer gradients of one tensor, whose scales and exponents differ.

Inputs: a s16, its exponent [1], b s16, its exponent. Outputs: codes of a's scale, their exponent.
Both are taken to one exponent above the larger, so the sum cannot overflow.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import frexp

import numpy as np

from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import CStruct, Kernel, NoAttrs, Op, OpCall, Spec, register, require
from mcugrad.ops.integer_gradient import codes, rounded_shift, scale_of
from mcugrad.ops.shapes import given, size_params


def _infer(call: OpCall) -> tuple[Spec, ...]:
    a, a_exponent, b, b_exponent = (call.input(i) for i in range(4))
    require(a.shape == b.shape and a.dtype is b.dtype is DType.S16, "two gradients of one shape")
    require(a_exponent.shape == b_exponent.shape == (1,), "an exponent each")
    return Spec(a.shape, DType.S16), Spec((1,), DType.S32)


def _ratio(call: OpCall) -> tuple[int, int]:
    """B's scale over a's as ``multiplier / 2^15 * 2^exponent``, the multiplier at most 2^15."""
    fraction, exponent = frexp(scale_of(call.input(2)) / scale_of(call.input(0)))
    return round(fraction * (1 << 15)), exponent


def _reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    a, a_exponent, b, b_exponent = given(values)
    multiplier, more = _ratio(call)
    of_a, of_b = int(a_exponent[0]), int(b_exponent[0]) + more
    exponent = max(of_a, of_b) + 1
    scaled = rounded_shift(b.astype(np.int64) * multiplier, 15)
    total = rounded_shift(a, min(exponent - of_a, 31))
    total = total + rounded_shift(scaled, min(exponent - of_b, 31))
    return codes(total), np.array([exponent])


def _quant(call: OpCall) -> CStruct:
    multiplier, exponent = _ratio(call)
    return CStruct("mg_sum_s16", {"multiplier": multiplier, "exponent": exponent})


register(
    Op(
        "sum_gradients",
        NoAttrs,
        _infer,
        _reference,
        kernels=(
            Kernel(
                "mg_sum_gradients_s16_fwd",
                None,
                params=size_params,
                quant=_quant,
                inplace=((0, 0), (0, 2), (1, 1), (1, 3)),
            ),
        ),
    )
)
