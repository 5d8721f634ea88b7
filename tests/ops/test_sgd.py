"""The optimisers against plain loops, and against a sequence worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from mcugrad.ir.tensor import Array, DType, Tensor
from mcugrad.ops import OpCall, lookup
from mcugrad.ops.sgd import SgdAttrs


def _step(op: str, attrs: SgdAttrs, *values: Array) -> tuple[Array, ...]:
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


def test_channels_change_their_slice_alone() -> None:
    rng = np.random.default_rng(2)
    w, dw, v = rng.normal(size=(3, 5, 2)), rng.normal(size=(3, 2, 2)), rng.normal(size=(3, 2, 2))
    rate, momentum, decay = 0.1, 0.9, 0.05
    expected_w, expected_v = w.copy(), v.copy()
    for i in range(3):
        for k, channel in enumerate((1, 4)):
            for j in range(2):
                g = dw[i, k, j] + decay * w[i, channel, j]
                expected_v[i, k, j] = momentum * v[i, k, j] + g
                expected_w[i, channel, j] -= rate * expected_v[i, k, j]
    hyper = np.array([rate, momentum, decay])
    next_w, next_v = _step("sgd_momentum", SgdAttrs((1, 4), axis=1), w, dw, v, hyper)
    np.testing.assert_allclose(next_w, expected_w)
    np.testing.assert_allclose(next_v, expected_v)


@pytest.mark.parametrize("channels", [(), (1, 1), (2, 1), (0, 5), (-1, 2)])
def test_impossible_channels_are_refused(channels: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="channels"):
        _step("sgd", SgdAttrs(channels, 1), np.zeros((3, 5)), np.zeros((3, 2)), np.zeros(3))
