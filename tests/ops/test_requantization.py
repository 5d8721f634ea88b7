"""The rounding of int8 convolutions in C, where random layers seldom lead it."""

from __future__ import annotations

import numpy as np
import pytest
from cffi import FFI

from mcugrad.build import kernel_library
from mcugrad.headers import declarations
from mcugrad.ir.tensor import Array
from mcugrad.ops.requantize import Requantization

_FULL = (-128, 127)
#: Q31 multipliers: the ends, halves of which results are exact, and some others.
_MULTIPLIERS = (1 << 30, (1 << 30) + 1, 3 << 29, 1_518_500_250, (1 << 31) - 1)


def _results(quant: Requantization, x: int, weights: Array, biases: Array) -> Array:
    """What the kernel makes of one pixel with weights [channels, inputs] of equal inputs x."""
    channels, inputs = weights.shape
    ffi = FFI()
    ffi.cdef(declarations("mg_kernels.h"))
    library = ffi.dlopen(str(kernel_library()))
    shape = {"in_h": 1, "in_w": 1, "in_c": inputs, "out_h": 1, "out_w": 1, "out_c": channels}
    window = dict.fromkeys(("groups", "kernel_h", "kernel_w", "stride_h", "stride_w"), 1)
    params = ffi.new("mg_conv2d_params *", {**shape, **window, "dilation_h": 1, "dilation_w": 1})
    arrays = (ffi.new("int32_t[]", quant.multiplier), ffi.new("int8_t[]", quant.shift))
    limits = (quant.input_zero_point, quant.output_zero_point, quant.low, quant.high)
    scratch = ffi.new("int64_t[]", library.mg_conv2d_s8_fwd_scratch_size(params) // 8 + 1)
    y = np.zeros(channels, np.int8)
    library.mg_conv2d_s8_fwd(
        scratch,
        params,
        ffi.new("mg_requant_s8 *", (*limits, *arrays)),
        ffi.from_buffer("int8_t *", np.full(inputs, x, np.int8)),
        ffi.from_buffer("int8_t *", np.ascontiguousarray(weights, np.int8)),
        ffi.from_buffer("int32_t *", np.ascontiguousarray(biases, np.int32)),
        ffi.from_buffer("int8_t *", y, require_writable=True),
    )
    return y


def _check(quant: Requantization, x: int, weights: Array, biases: Array) -> None:
    sums = (x - quant.input_zero_point) * weights.astype(np.int64).sum(axis=1)
    wanted = quant.apply(sums.astype(np.float64), biases)
    np.testing.assert_array_equal(_results(quant, x, weights, biases), wanted)


@pytest.mark.parametrize("shift", range(-31, 3))
@pytest.mark.parametrize("zero_point", [-128, -3, 0, 127])
def test_every_shift_rounds_halves_and_their_neighbours(shift: int, zero_point: int) -> None:
    rng = np.random.default_rng(shift + 40)
    near_zero = np.arange(-300, 300)
    largest = (1 << 30) >> max(shift, 0) if shift < 1 else 1 << 20  # so that no sum wraps
    for multiplier in _MULTIPLIERS:
        # Sums whose results are n + 1/2, as near as sums come to it.
        halves = (np.arange(-160, 161) + 0.5) * 2.0 ** (31 - shift) / multiplier
        around = np.rint(halves)[:, None] + np.arange(-1, 2)
        random = rng.integers(-largest, largest, 300)
        biases = np.concatenate([near_zero, around.ravel(), random])
        biases = np.clip(biases, -largest, largest).astype(np.int32)
        count = len(biases)
        quant = Requantization(5, zero_point, *_FULL, (multiplier,) * count, (shift,) * count)
        _check(quant, 5, np.zeros((count, 1)), biases)


@pytest.mark.parametrize("bias", [(1 << 29) - 1, 1 << 29, (1 << 30) + 5, (1 << 31) - 1 - 32640])
@pytest.mark.parametrize("sign", [-1, 1])
def test_biases_may_have_any_size(bias: int, sign: int) -> None:
    """A learning bias knows no bounds; weights bring the sum nearer to those of int32."""
    shifts = tuple(range(-31, 1))
    quant = Requantization(-128, 7, *_FULL, (1_518_500_250,) * len(shifts), shifts)
    weights = np.full((len(shifts), 1), 127 * sign)
    _check(quant, 127, weights, np.full(len(shifts), sign * bias))


@pytest.mark.parametrize("shift", range(-31, -19))
@pytest.mark.parametrize(("x", "zero_point"), [(127, -128), (-128, 127)])
def test_products_that_may_or_may_not_change_the_result(
    shift: int, x: int, zero_point: int
) -> None:
    """A bias so large, and a scale so small, that a result is that of all sums or one of two."""
    rng = np.random.default_rng(shift + 40)
    multiplier, inputs = 1_518_500_250, 3
    most = inputs * 255 * 128
    steps = np.rint((np.arange(-135, 136, 9) + 0.5) * 2.0 ** (31 - shift) / multiplier)
    steps = steps[np.abs(steps) < (1 << 31) - 4 * most]
    away = np.concatenate(
        [rng.integers(-2 * most, 2 * most, 40), [-most - 1, -most, most, most + 1]]
    )
    biases = (steps[:, None] + away).ravel()
    count = len(biases)
    quant = Requantization(zero_point, 7, *_FULL, (multiplier,) * count, (shift,) * count)
    for weights in (rng.integers(-128, 128, (count, inputs)), np.full((count, inputs), -128)):
        _check(quant, x, weights, biases)


@pytest.mark.parametrize("inputs", [1, 7, 127, 128, 129, 300, 16384, 16385])
@pytest.mark.parametrize(("x", "zero_point"), [(127, -128), (-128, 127)])
@pytest.mark.parametrize("w", [-128, 127])
def test_the_greatest_sums_are_exact(inputs: int, x: int, zero_point: int, w: int) -> None:
    shift = -int(np.ceil(np.log2(inputs * 255 * 128 / 120)))
    quant = Requantization(zero_point, 0, *_FULL, ((1 << 31) - 1,) * 3, (shift,) * 3)
    biases = np.array([0, 1 << (-shift - 1), -(1 << (-shift - 1))])
    _check(quant, x, np.full((3, inputs), w), biases)


def test_a_narrower_range_limits_every_result() -> None:
    biases = np.arange(-200, 200, dtype=np.int32)
    ends = ((-1,) * 200, (0,) * 200)  # a shift to the right, and none
    quant = Requantization(0, -20, -20, 31, (1 << 30,) * 400, ends[0] + ends[1])
    _check(quant, 0, np.zeros((400, 1)), biases)
