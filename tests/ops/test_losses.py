"""The losses: their gradient by finite differences, and samples at the extremes."""

from __future__ import annotations

import numpy as np
import pytest

from mcugrad.ir.tensor import Array, DType, Tensor
from mcugrad.ops import OpCall, lookup
from mcugrad.ops.loss import LossAttrs


def _run(op: str, prediction: Array, target: Array, scale: float = 1.0) -> tuple[float, Array]:
    kind = DType.S32 if target.dtype == np.int32 else DType.F32
    inputs = [Tensor("p", prediction.shape, DType.F32), Tensor("t", target.shape, kind)]
    loss, gradient = lookup(op).reference(
        OpCall(LossAttrs(scale), inputs, ()), [prediction, target]
    )
    assert loss.shape == (1,)
    assert gradient.shape == prediction.shape
    return float(loss[0]), gradient


def _by_differences(op: str, prediction: Array, target: Array) -> Array:
    gradient = np.zeros_like(prediction)
    for index in np.ndindex(*prediction.shape):
        step = np.zeros_like(prediction)
        step[index] = 1e-6
        above, _ = _run(op, prediction + step, target)
        below, _ = _run(op, prediction - step, target)
        gradient[index] = (above - below) / 2e-6
    return gradient


@pytest.mark.parametrize("classes", [1, 2, 10])
def test_cross_entropy_gradient(classes: int) -> None:
    rng = np.random.default_rng(classes)
    logits = rng.normal(0, 3, (1, classes))
    for target in range(classes):
        wanted = np.array([target], np.int32)
        _, gradient = _run("softmax_cross_entropy", logits, wanted, scale=0.25)
        expected = 0.25 * _by_differences("softmax_cross_entropy", logits, wanted)
        np.testing.assert_allclose(gradient, expected, atol=1e-8)


def test_squared_error_gradient() -> None:
    rng = np.random.default_rng(3)
    prediction, target = rng.normal(size=(2, 5)), rng.normal(size=(2, 5))
    loss, gradient = _run("mean_squared_error", prediction, target, scale=0.5)
    assert loss == pytest.approx(((prediction - target) ** 2).mean())
    expected = 0.5 * _by_differences("mean_squared_error", prediction, target)
    np.testing.assert_allclose(gradient, expected, atol=1e-8)


def test_cross_entropy_is_the_logarithm_of_the_softmax() -> None:
    logits = np.array([[0.3, -1.2, 2.0]])
    loss, gradient = _run("softmax_cross_entropy", logits, np.array([1], np.int32))
    shares = np.exp(logits) / np.exp(logits).sum()
    assert loss == pytest.approx(-np.log(shares[0, 1]))
    np.testing.assert_allclose(gradient, shares - [[0.0, 1.0, 0.0]])


def test_confident_sample_keeps_a_small_loss() -> None:
    """Where 1 - p is far below the rounding of p."""
    loss, gradient = _run("softmax_cross_entropy", np.array([[60.0, 0.0]]), np.array([0], np.int32))
    assert loss == pytest.approx(np.exp(-60.0), rel=1e-9)
    np.testing.assert_allclose(gradient, np.exp(-60.0) * np.array([[-1.0, 1.0]]), rtol=1e-9)


def test_far_logits_do_not_overflow() -> None:
    logits = np.array([[3e4, -3e4, 0.0]])
    loss, gradient = _run("softmax_cross_entropy", logits, np.array([1], np.int32))
    assert loss == pytest.approx(6e4)
    np.testing.assert_allclose(gradient, [[1.0, -1.0, 0.0]])


@pytest.mark.parametrize("position", [0, 1, 2])
def test_nan_shows_in_the_loss(position: int) -> None:
    logits = np.array([[1.0, 2.0, 3.0]])
    logits[0, position] = np.nan
    loss, _ = _run("softmax_cross_entropy", logits, np.array([1], np.int32))
    assert np.isnan(loss)
