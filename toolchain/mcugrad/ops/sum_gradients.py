"""The sum of two integer gradients of one tensor, whose scales and exponents differ.

Inputs: a s16, its exponent [2], b s16, its exponent. Outputs: codes of a's scale, their exponent.
Both are taken to the exponent at which the sum of their largest codes just fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import frexp

import numpy as np

from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import CStruct, Kernel, NoAttrs, Op, OpCall, Spec, register, require
from mcugrad.ops.integer_gradient import CODE_BITS, Ints, bits, codes, rounded_shift, scale_of
from mcugrad.ops.shapes import given, size_params


def _infer(call: OpCall) -> tuple[Spec, ...]:
    a, a_exponent, b, b_exponent = (call.input(i) for i in range(4))
    require(a.shape == b.shape and a.dtype is b.dtype is DType.S16, "two gradients of one shape")
    require(a_exponent.shape == b_exponent.shape == (2,), "an exponent each")
    return Spec(a.shape, DType.S16), Spec((2,), DType.S32)


def _ratio(call: OpCall) -> tuple[int, int]:
    """B's scale over a's as ``multiplier / 2^15 * 2^exponent``, the multiplier at most 2^15."""
    fraction, exponent = frexp(scale_of(call.input(2)) / scale_of(call.input(0)))
    return round(fraction * (1 << 15)), exponent


def _reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    a, a_exponent, b, b_exponent = given(values)
    multiplier, more = _ratio(call)
    (of_a, bits_a), (of_b, bits_b) = ([int(v) for v in e] for e in (a_exponent, b_exponent))
    of_b += more
    tops = [e + k for e, k in ((of_a, bits_a), (of_b, bits_b)) if k]
    exponent = max(tops) - CODE_BITS if tops else of_a
    scaled = rounded_shift(b.astype(np.int64) * multiplier, 15)
    total = _moved(a.astype(np.int64), of_a - exponent) + _moved(scaled, of_b - exponent)
    return codes(total), np.array([exponent, min(bits(total), 15)])


def _moved(x: Ints, left: int) -> Ints:
    """``x * 2^left``, rounded where that is not whole."""
    return x << min(left, 15) if left >= 0 else rounded_shift(x, min(-left, 31))


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
                shared=True,
            ),
        ),
    )
)
