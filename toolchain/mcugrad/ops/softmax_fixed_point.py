"""The fixed-point softmax of LiteRT's int8 reference kernel.

Its exponential depends on nothing but the distance of a code from the greatest of its
row, so a table of 256 values stands for it; the reciprocal is computed for each row.
Source: gemmlowp's ``fixedpoint.h`` (``exp_on_negative_values``,
``one_over_one_plus_x_for_x_in_0_1``) and LiteRT's ``reference/softmax.h``.
"""

from __future__ import annotations

from math import floor

import numpy as np

from mcugrad.ir.tensor import Array
from mcugrad.ops.base import require
from mcugrad.ops.quantized import (
    INT32_MAX,
    INT32_MIN,
    Ints,
    doubling_high_mul,
    quantize_multiplier,
    rounding_shift_right,
)

#: Integer bits of the exponential's operand (Q5.26) and of the sum (Q12.19).
_DIFF_BITS, _SUM_BITS = 5, 12

#: exp(-2^k) in Q31 for k = -2 .. 4.
_EXP_OF_POWERS = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)


def _shift_left(x: Ints, exponent: int) -> Ints:
    return np.asarray(np.clip(x << exponent, INT32_MIN, INT32_MAX))


def _exp_near_zero(a: Ints) -> Ints:
    """exp(a) in Q31 for a in [-1/4, 0): a Taylor series around -1/8."""
    x = a + (1 << 28)
    x2 = doubling_high_mul(x, x)
    x3 = doubling_high_mul(x2, x)
    x4 = doubling_high_mul(x2, x2)
    third = doubling_high_mul(rounding_shift_right(x4, 2) + x3, 715827883)
    series = x + rounding_shift_right(third + x2, 1)
    return 1895147668 + doubling_high_mul(1895147668, series)


def _exp(a: Ints) -> Ints:
    """exp(a) in Q31 for a <= 0 in Q5.26."""
    quarter = 1 << 24
    low = (a & (quarter - 1)) - quarter
    result = _exp_near_zero(_shift_left(low, _DIFF_BITS))
    rest = low - a
    for k, factor in enumerate(_EXP_OF_POWERS):
        result = np.where(rest & (quarter << k), doubling_high_mul(result, factor), result)
    return np.where(a == 0, INT32_MAX, result)


def exp_table(scale: float, beta: float) -> Ints:
    """exp(-beta * scale * d) in Q31, for d = 0 .. 255 codes below the greatest."""
    real = min(beta * scale * (1 << (31 - _DIFF_BITS)), float(INT32_MAX))
    require(real > 1.0, "softmax of values that all but coincide")
    multiplier, shift = quantize_multiplier(real)
    least = -floor(((1 << _DIFF_BITS) - 1) * (1 << (31 - _DIFF_BITS)) / (1 << shift))
    d = -np.arange(256, dtype=np.int64)
    scaled = doubling_high_mul(np.maximum(d, least) << shift, multiplier)
    return np.where(d >= least, _exp(scaled), 0)


def _reciprocal(x: Ints) -> Ints:
    """1 / (1 + x) in Q31 for x in [0, 1) in Q31, by Newton's method."""
    half = (x + INT32_MAX + 1) >> 1
    y = 1515870810 + doubling_high_mul(half, -1010580540)
    for _ in range(3):
        y = y + _shift_left(doubling_high_mul(y, (1 << 29) - doubling_high_mul(half, y)), 2)
    return _shift_left(y, 1)


def softmax_codes(x: Array, table: Ints) -> Array:
    """int8 results, of scale 1/256 and zero point -128, for codes ``x`` [rows, columns]."""
    exps = table[x.max(axis=1, keepdims=True).astype(np.int64) - x]
    sums = rounding_shift_right(exps, _SUM_BITS).sum(axis=1, keepdims=True)
    headroom = 32 - np.array([[int(s).bit_length()] for s in sums[:, 0]], np.int64)
    scale = _reciprocal((sums << headroom) - (1 << 31))
    exponent = _SUM_BITS - headroom + 31 - 8
    y = rounding_shift_right(doubling_high_mul(scale, exps), exponent) - 128
    return np.clip(y, -128, 127).astype(np.int8)
