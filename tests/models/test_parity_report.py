"""What the report of a parity run calls the worst."""

from __future__ import annotations

import numpy as np
import pytest

from mcugrad.parity import F32_BOUND, Difference, Step, difference, report

EXACT_INTEGER = Difference(0, "weight", 0.0, 0.0)
WRONG_INTEGER = Difference(1, "bias", 1.0, 0.0)
GOOD_FLOAT = Difference(2, "gradient", 3e-6, F32_BOUND)
BAD_FLOAT = Difference(3, "loss", 2e-5, F32_BOUND)
NOT_A_NUMBER = Difference(4, "output", float("nan"), F32_BOUND)


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    ("differences", "worst", "ok"),
    [
        ([EXACT_INTEGER, GOOD_FLOAT], GOOD_FLOAT, True),
        ([EXACT_INTEGER, GOOD_FLOAT, BAD_FLOAT], BAD_FLOAT, False),
        ([EXACT_INTEGER, BAD_FLOAT, WRONG_INTEGER], WRONG_INTEGER, False),
        ([EXACT_INTEGER, GOOD_FLOAT, NOT_A_NUMBER], NOT_A_NUMBER, False),
    ],
)
def test_the_worst_is_found_wherever_it_stands(
    differences: list[Difference], worst: Difference, ok: bool, order: int
) -> None:
    found = report([Step(differences[::order], True)])
    assert found.worst is worst
    assert found.ok is ok


def test_integers_must_be_equal_and_floats_near() -> None:
    golden = np.array([1, 2, 3], np.int8)
    assert difference(0, "t", golden, golden).ok
    assert not difference(0, "t", np.array([1, 2, 4], np.int8), golden).ok
    real = np.array([100.0, 0.0], np.float32)
    assert difference(0, "t", real + np.float32(5e-4), real).ok
    assert not difference(0, "t", real + np.float32(5e-3), real).ok
    assert not difference(0, "t", np.array([100, np.nan], np.float32), real).ok
    zeros = np.zeros(2, np.float32)
    assert difference(0, "t", zeros, zeros).ok
    assert not difference(0, "t", zeros + np.float32(1e-30), zeros).ok
