"""The fixed-point arithmetic of LiteRT's int8 reference kernels, on arrays.

Source: gemmlowp's fixed-point primitives as used by LiteRT's ``kernels/internal/common``
(double rounding: a doubling high multiply, then a rounding shift).
"""

from __future__ import annotations

from math import frexp
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

INT32_MIN, INT32_MAX = -(1 << 31), (1 << 31) - 1


def quantize_multiplier(real: float) -> tuple[int, int]:
    """``real`` as (mantissa in Q31, left shift), as LiteRT's ``QuantizeMultiplier``."""
    if real == 0.0:
        return 0, 0
    fraction, shift = frexp(real)
    mantissa = int(np.floor(fraction * (1 << 31) + 0.5))
    if mantissa == 1 << 31:
        mantissa //= 2
        shift += 1
    if shift < -31:
        return 0, 0
    if shift > 30:
        return INT32_MAX, 30
    return mantissa, shift


def doubling_high_mul(a: Any, b: Any) -> Ints:
    """The ``SaturatingRoundingDoublingHighMul`` of gemmlowp, of int32 values."""
    product = np.asarray(a, np.int64) * np.asarray(b, np.int64)
    nudge = np.where(product >= 0, 1 << 30, 1 - (1 << 30))
    total = product + nudge
    # C's division truncates towards zero.
    high = np.where(total >= 0, total >> 31, -((-total) >> 31))
    saturates = (np.asarray(a) == INT32_MIN) & (np.asarray(b) == INT32_MIN)
    return np.asarray(np.where(saturates, INT32_MAX, high), np.int64)


def rounding_shift_right(x: Any, exponent: Any) -> Ints:
    """The ``RoundingDivideByPOT`` of gemmlowp: to nearest, halves away from zero."""
    x = np.asarray(x, np.int64)
    exponent = np.asarray(exponent, np.int64)
    mask = (np.int64(1) << exponent) - 1
    remainder = x & mask
    threshold = (mask >> 1) + (x < 0)
    return np.asarray((x >> exponent) + (remainder > threshold), np.int64)


def multiply_by_quantized_multiplier(x: Any, mantissa: Any, shift: Any) -> Ints:
    """LiteRT's ``MultiplyByQuantizedMultiplier``; mantissa and shift broadcast."""
    shift = np.asarray(shift, np.int64)
    left, right = np.maximum(shift, 0), np.maximum(-shift, 0)
    # The left shift wraps as int32 does.
    shifted = (np.asarray(x, np.int64) << left).astype(np.int32)
    return rounding_shift_right(doubling_high_mul(shifted, mantissa), right)


def round_half_away(x: Any) -> NDArray[np.float64]:
    """C's ``round``: to nearest, halves away from zero."""
    x = np.asarray(x, np.float64)
    return np.asarray(np.copysign(np.floor(np.abs(x) + 0.5), x))
