"""Random content is uniform, and within its limit."""

from __future__ import annotations

import numpy as np
import pytest

from mcugrad.ir.draw import Draw

_COUNT = 40_000


@pytest.mark.parametrize("salt", [0, 1, 0x7FFFFFFF])
def test_floats_are_uniform_within_the_limit(salt: int) -> None:
    found = Draw(salt, 0.3).floats((_COUNT,))
    counts, _ = np.histogram(found, 20, (-0.3, 0.3))
    assert counts.sum() == _COUNT
    assert abs(counts - _COUNT / 20).max() < 5 * np.sqrt(_COUNT / 20)


@pytest.mark.parametrize("limit", [1, 32, 127])
def test_integers_are_uniform_from_end_to_end(limit: int) -> None:
    found, counts = np.unique(Draw(3, limit).integers((_COUNT,)), return_counts=True)
    assert found.tolist() == list(range(-limit, limit + 1))
    mean = _COUNT / len(found)
    assert abs(counts - mean).max() < 5 * np.sqrt(mean)


def test_salts_tell_draws_apart() -> None:
    first, second = (Draw(salt, 1.0).floats((_COUNT,)) for salt in (1, 2))
    assert abs(np.corrcoef(first, second)[0, 1]) < 5 / np.sqrt(_COUNT)
