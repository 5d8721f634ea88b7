"""The update of weights in half precision: its rounding, alone and over many steps."""

from __future__ import annotations

import numpy as np
import pytest

from mcugrad.build import kernel_library
from mcugrad.ir.draw import draws
from mcugrad.ir.tensor import DType
from mcugrad.ops import OpCall, lookup
from mcugrad.ops.sgd import SgdAttrs
from mcugrad.ops.sgd_half import SgdHalfAttrs, rounded
from mcugrad.ops.shapes import given
from tests.kernels.call import Kernels
from tests.ops.case import Case, Operand, golden


def below(w: np.ndarray) -> np.ndarray:
    """The greatest half not above w."""
    nearest = w.astype(np.float16)
    lower = np.nextafter(nearest, np.float16(-np.inf))
    return np.where(nearest.astype(np.float64) > w, lower, nearest)


@pytest.mark.parametrize("size", [1e-7, 1e-5, 6.2e-5, 1e-3, 1.0, 2000.0, 65000.0])
def test_it_rounds_to_a_neighbour(size: float) -> None:
    w = np.random.default_rng(0).uniform(-size, size, 5000).astype(np.float32)
    found = rounded(w, draws(3, 1, w.size))
    lower = below(w.astype(np.float64))
    upper = np.where(lower == w, lower, np.nextafter(lower, np.float16(np.inf)))
    assert np.all((found == lower) | (found == upper))
    exact = w.astype(np.float16).astype(np.float32)
    assert np.array_equal(rounded(exact, draws(3, 1, w.size)), exact.astype(np.float16))


def test_beyond_the_range_is_the_largest() -> None:
    w = np.array([1e6, -1e6, 65504.0, 65519.0], np.float32)
    wanted = np.array([65504.0, -65504.0, 65504.0, 65504.0], np.float16)
    assert np.array_equal(rounded(w, draws(0, 0, 4)), wanted)


def test_steps_far_below_the_last_bit_are_kept_in_the_mean() -> None:
    """1,000 steps of 2^-16 on weights whose last bit is 2^-10; to nearest none would count."""
    w = np.full(400, 1.5, np.float16)
    assert np.float16(1.5 - 2.0**-16) == 1.5
    for update in range(1000):
        w = rounded(w.astype(np.float32) - np.float32(2.0**-16), draws(5, update, w.size))
    error = w.astype(np.float64) - (1.5 - 1000 * 2.0**-16)
    deviation = np.sqrt(1000 * 2.0**-6) * 2.0**-10  # of one weight: a binomial distribution's
    assert abs(error.mean()) < 4 * deviation / np.sqrt(w.size)
    assert error.std() == pytest.approx(deviation, rel=0.2)


def step_case(label: str, size: float, *velocity: Operand, finite: int = 1) -> Case:
    """A step of 20,000 weights of up to ``size``, with momentum where there is a velocity."""
    halves = Operand((20000,), DType.F16, range=(-size, size))
    return Case(
        "sgd_momentum_half" if velocity else "sgd_half",
        label,
        (
            halves,
            halves,
            *velocity,
            Operand((1,), range=(4.0, 4.0)),
            Operand((1,), DType.S32, range=(finite, finite)),
            Operand((1,), DType.S32),
            Operand((3,), range=(0.01, 0.5)),
        ),
        SgdHalfAttrs(9),
        outputs=(None, *(None for _ in velocity)),
    )


@pytest.mark.parametrize("momentum", [False, True])
@pytest.mark.parametrize("size", [1e-6, 1e-4, 1.0, 60000.0])
def test_the_kernel_rounds_to_the_same_bits(size: float, momentum: bool) -> None:
    velocity = [Operand((20000,), DType.F16, range=(-size, size))] if momentum else []
    case = step_case(f"bits_{size}", size, *velocity)
    for found, wanted in zip(Kernels(kernel_library()).results(case), case.expected(), strict=True):
        assert np.array_equal(found, wanted.astype(np.float16))


def test_momentum_is_that_of_float32_rounded_to_a_neighbour() -> None:
    case = step_case("momentum", 1.0, Operand((20000,), DType.F16, range=(-1.0, 1.0)))
    w, dw, v, scale, *_, hyper = given(golden(case.stored))
    single = OpCall(SgdAttrs(), case.call.inputs[:3], ())
    true_w, true_v = lookup("sgd_momentum").reference(single, [w, dw / scale, v, hyper])
    found_w, found_v = case.expected()
    np.testing.assert_allclose(found_v, true_v, rtol=1e-5, atol=1e-6)
    above = np.nextafter(below(true_w), np.float16(np.inf)).astype(np.float64)
    apart = above - below(true_w)
    assert np.all(np.abs(found_w - true_w) <= 1.001 * apart)
    assert abs(np.mean((found_w - true_w) / apart)) < 4 / np.sqrt(12 * w.size)


def test_a_skipped_step_leaves_the_velocity() -> None:
    case = step_case("skipped", 1.0, Operand((20000,), DType.F16, range=(-1.0, 1.0)), finite=0)
    for found, before in zip(case.expected(), (case.stored[0], case.stored[2]), strict=True):
        assert before is not None
        assert np.array_equal(found, before)
