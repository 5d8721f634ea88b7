"""The optimisers against plain loops, and against a sequence worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mcugrad.ir.tensor import Array, DType, Tensor
from mcugrad.ops import OpCall, lookup
from mcugrad.ops.merge_channels import MergeAttrs
from mcugrad.ops.sgd import SgdAttrs


def _step(op: str, attrs: Any, *values: Array) -> tuple[Array, ...]:
    inputs = [Tensor(f"x{i}", v.shape, DType.F32) for i, v in enumerate(values)]
    specs = lookup(op).infer(OpCall(attrs, inputs, ()))
    results = lookup(op).reference(OpCall(attrs, inputs, ()), list(values))
    assert [r.shape for r in results] == [s.shape for s in specs]
    return results


def test_two_steps_by_hand() -> None:
    """Gradient 1 twice, from w = 2 and v = 0, with rate 0.1, momentum 0.5 and decay 0.25."""
    hyper = np.array([0.1, 0.5, 0.25])
    w, v = np.array([2.0]), np.array([0.0])
    w, v = _step("sgd_momentum", SgdAttrs(), w, np.array([1.0]), v, hyper)
    assert v[0] == pytest.approx(1.5)  # 1 + 0.25 * 2
    assert w[0] == pytest.approx(1.85)  # 2 - 0.1 * 1.5
    w, v = _step("sgd_momentum", SgdAttrs(), w, np.array([1.0]), v, hyper)
    assert v[0] == pytest.approx(2.2125)  # 0.5 * 1.5 + 1 + 0.25 * 1.85
    assert w[0] == pytest.approx(1.62875)


def test_without_momentum_the_velocity_is_the_gradient() -> None:
    rng = np.random.default_rng(1)
    w, dw = rng.normal(size=(3, 4)), rng.normal(size=(3, 4))
    hyper = np.array([0.1, 0.0, 0.01])
    (plain,) = _step("sgd", SgdAttrs(), w, dw, hyper)
    with_velocity, _ = _step("sgd_momentum", SgdAttrs(), w, dw, rng.normal(size=(3, 4)), hyper)
    np.testing.assert_allclose(plain, with_velocity)


@pytest.mark.parametrize("channels", [(), (1, 1), (2, 1), (0, 5), (-1, 2)])
def test_impossible_channels_are_refused(channels: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="channels"):
        _step("merge_channels", MergeAttrs(channels, 1), np.zeros((3, 5)), np.zeros((3, 2)))


def test_merged_channels_are_those_of_the_part() -> None:
    whole, part = np.arange(30.0).reshape(3, 5, 2), -np.arange(1.0, 13.0).reshape(3, 2, 2)
    (merged,) = _step("merge_channels", MergeAttrs((1, 4), 1), whole, part)
    for i in range(3):
        for c in range(5):
            expected = part[i, (1, 4).index(c)] if c in (1, 4) else whole[i, c]
            np.testing.assert_array_equal(merged[i, c], expected)
