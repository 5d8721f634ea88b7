"""Updates of int8 weights: right in the mean, never lost, never wrapped."""

from __future__ import annotations

import numpy as np
import pytest

from mcugrad.ir.draw import draws
from mcugrad.ir.tensor import Array, DType, QuantParams, Tensor
from mcugrad.ops import OpCall, lookup
from mcugrad.ops.sgd_quantized import SgdQuantizedAttrs, bias_limit


def updated(
    w: np.ndarray,
    dw: np.ndarray,
    update: int,
    rate: float,
    decay: float = 0.0,
    scale: float = 0.01,
    qas: bool = True,
) -> np.ndarray:
    dtype = DType.S8 if w.dtype == np.int8 else DType.S32
    tensors = [
        Tensor("w", w.shape, dtype, QuantParams((scale,), (0,))),
        Tensor("dw", dw.shape, DType.F32),
        Tensor("updates", (1,), DType.S32),
        Tensor("hyper", (3,), DType.F32),
    ]
    attrs = SgdQuantizedAttrs(127 if dtype is DType.S8 else bias_limit(0), salt=1234, qas=qas)
    call = OpCall(attrs, tensors, [])
    hyper = np.array([rate, 0.0, decay])
    (result,) = lookup("sgd_quantized").reference(call, [w, dw, np.array([update]), hyper])
    return result


def test_draws_are_uniform_and_independent_of_the_update() -> None:
    first, second = draws(5, 0, 20000), draws(5, 1, 20000)
    assert first.min() >= 0
    assert first.max() < 1
    counts = np.histogram(first, 20, (0, 1))[0]
    assert ((counts - 1000) ** 2 / 1000).sum() < 50  # chi-squared, 19 degrees of freedom
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.03
    assert abs(np.corrcoef(first[1:], first[:-1])[0, 1]) < 0.03


@pytest.mark.parametrize("step", [1e-4, 0.3, 2.6, -0.3])
def test_the_mean_of_an_update_is_the_exact_one(step: float) -> None:
    w = np.zeros(200_000, np.int8)
    dw = np.full(w.shape, step * 0.01)  # of `step` quantisation steps at rate 1
    moved = -updated(w, dw, 3, 1.0).astype(np.float64)
    error = abs(moved.mean() - step)
    assert error < 4 * np.sqrt(max(abs(step % 1) * (1 - step % 1), 1e-6) / w.size) + 1e-7
    assert moved.max() - moved.min() <= 1


def test_small_updates_are_not_lost_for_ever() -> None:
    w = np.zeros(1000, np.int8)
    for update in range(1000):
        w = updated(w, np.full(w.shape, 0.01 * 0.02), update, 1.0)
    assert w.mean() == pytest.approx(-20, abs=0.5)


def test_weights_saturate_and_never_wrap() -> None:
    w = np.array([-127, -126, 126, 127, 0], np.int8)
    up = updated(w, np.full(5, -1e6), 0, 1.0)
    down = updated(w, np.full(5, 1e6), 0, 1.0)
    assert up.tolist() == [127] * 5
    assert down.tolist() == [-127] * 5


def test_it_is_gradient_descent_on_the_real_weights() -> None:
    """Quantisation-aware scaling: G / scale^2 with G = scale * dw, in real units rate * dw."""
    rng = np.random.default_rng(0)
    w = rng.integers(-100, 100, 4000).astype(np.int8)
    dw = rng.normal(0, 0.2, 4000)
    new = updated(w, dw, 0, 0.5, decay=0.1, scale=0.02)
    exact = 0.02 * w - 0.5 * (dw + 0.1 * 0.02 * w)
    assert np.abs(0.02 * new - exact).max() <= 0.02 + 1e-6
    assert np.mean(0.02 * new - exact) == pytest.approx(0, abs=1e-3)


def test_without_scaling_it_is_gradient_descent_on_the_stored_integers() -> None:
    """The loss depends on scale * w, so its derivative by the integer is scale * dw."""
    rng = np.random.default_rng(0)
    w = rng.integers(-100, 100, 4000).astype(np.int8)
    dw = rng.normal(0, 100, 4000)
    new = updated(w, dw, 0, 0.5, decay=0.1, scale=0.02, qas=False)
    exact = w - 0.5 * (0.02 * dw + 0.1 * w)
    assert np.abs(new - exact).max() <= 1 + 1e-4
    assert np.mean(new - exact) == pytest.approx(0, abs=0.03)


def test_kept_remainders_lose_nothing_and_add_no_noise() -> None:
    """Updates of a hundredth of a step, of which each moves a weight by that much at once."""
    w, kept = np.zeros(500, np.int8), np.zeros(500, np.int8)
    for update in range(100):
        tensors = [
            Tensor("w", w.shape, DType.S8, QuantParams((0.01,), (0,))),
            Tensor("dw", w.shape, DType.S32, QuantParams((0.01 * 0.01 / 1000,), (0,))),
            Tensor("exponent", (2,), DType.S32),
            Tensor("updates", (1,), DType.S32),
            Tensor("hyper", (3,), DType.F32),
            Tensor("kept", w.shape, DType.S8),
        ]
        call = OpCall(SgdQuantizedAttrs(127, salt=9), tensors, [])
        dw, hyper = np.full(w.shape, 1000, np.int32), np.array([1.0, 0.0, 0.0], np.float32)
        exponent, updates = np.zeros(2, np.int32), np.array([update])
        operands: list[Array] = [w, dw, exponent, updates, hyper, kept]
        w, kept = (v.astype(np.int8) for v in lookup("sgd_integer").reference(call, operands))
    moved = -(w + kept / 256)
    assert moved.mean() == pytest.approx(1.0, abs=0.002)
    assert moved.std() < 0.03
