"""Values that random cases never hold, in the C kernels themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cffi import FFI

from mcugrad.build import kernel_library
from mcugrad.headers import declarations
from mcugrad.ir.tensor import Array, DType, Tensor
from mcugrad.ops import OpCall, lookup
from mcugrad.ops.softmax import SoftmaxAttrs

_INF, _NAN = np.inf, np.nan

_TWO_BY_TWO = {
    "in_h": 2, "in_w": 2, "channels": 1, "out_h": 1, "out_w": 1,
    "kernel_h": 2, "kernel_w": 2, "stride_h": 1, "stride_w": 1, "pad_top": 0, "pad_left": 0,
}  # fmt: skip


class Kernels:
    """The host's build of the kernels, called with arrays and plain structures."""

    def __init__(self) -> None:
        self._ffi = FFI()
        self._ffi.cdef(declarations("mg_kernels.h"))
        self._library = self._ffi.dlopen(str(kernel_library()))

    def run(self, symbol: str, structs: dict[str, Any], *arrays: Array) -> None:
        """``structs`` maps type names to their fields; results are written into ``arrays``."""
        types = {np.dtype(np.float32): "float *", np.dtype(np.int8): "int8_t *"}
        pointers = [
            self._ffi.from_buffer(types.get(a.dtype, "int32_t *"), a, require_writable=True)
            for a in arrays
        ]
        held = [self._ffi.new(f"{name} *", fields) for name, fields in structs.items()]
        getattr(self._library, symbol)(*held, *pointers)

    def map(self, symbol: str, values: list[float], **structs: Any) -> list[float]:
        """One float operand, one float result of the same size."""
        x = np.array(values, np.float32)
        y = np.zeros_like(x)
        self.run(symbol, {"mg_size_params": {"size": x.size}, **structs}, x, y)
        return [float(v) for v in y]


@pytest.fixture(scope="module")
def kernels() -> Kernels:
    return Kernels()


def test_clamp_lets_nan_through(kernels: Kernels) -> None:
    relu6 = {"low": 0.0, "high": 6.0}
    result = kernels.map("mg_clamp_f32_fwd", [_NAN, -_INF, _INF, 3.0], mg_clamp_f32=relu6)
    np.testing.assert_array_equal(result, [_NAN, 0.0, 6.0, 3.0])


@pytest.mark.parametrize("position", range(4))
def test_max_pool_lets_nan_through(kernels: Kernels, position: int) -> None:
    x, y, dx = np.arange(4, dtype=np.float32), np.zeros(1, np.float32), np.zeros(4, np.float32)
    x[position] = _NAN
    anything = {"low": -_INF, "high": _INF}
    kernels.run(
        "mg_max_pool2d_f32_fwd", {"mg_pool2d_params": _TWO_BY_TWO, "mg_clamp_f32": anything}, x, y
    )
    assert np.isnan(y[0])
    dy = np.ones(1, np.float32)
    kernels.run("mg_max_pool2d_f32_bwd_data", {"mg_pool2d_params": _TWO_BY_TWO}, dy, x, dx)
    np.testing.assert_array_equal(dx, np.arange(4) == position)


def test_max_pool_gradient_goes_to_the_first_of_equals(kernels: Kernels) -> None:
    x, dx = np.array([1, 2, 2, 2], np.float32), np.zeros(4, np.float32)
    dy = np.ones(1, np.float32)
    kernels.run("mg_max_pool2d_f32_bwd_data", {"mg_pool2d_params": _TWO_BY_TWO}, dy, x, dx)
    np.testing.assert_array_equal(dx, [0, 1, 0, 0])


def test_activations_at_the_extremes(kernels: Kernels) -> None:
    values = [-_INF, -200.0, 0.0, 200.0, _INF, _NAN]
    logistic = kernels.map("mg_logistic_f32_fwd", values)
    np.testing.assert_array_equal(logistic, [0.0, 0.0, 0.5, 1.0, 1.0, _NAN])
    tanh = kernels.map("mg_tanh_f32_fwd", values)
    np.testing.assert_array_equal(tanh, [-1.0, -1.0, 0.0, 1.0, 1.0, _NAN])


def test_tanh_keeps_its_relative_error_everywhere(kernels: Kernels) -> None:
    size = np.geomspace(1e-30, 20, 4000)
    x = np.concatenate([-size, size]).astype(np.float32)
    expected = np.tanh(x.astype(np.float64))
    np.testing.assert_allclose(kernels.map("mg_tanh_f32_fwd", list(x)), expected, rtol=5e-7)


@pytest.mark.parametrize("position", range(3))
def test_softmax_and_loss_let_nan_through(kernels: Kernels, position: int) -> None:
    x, y, loss = np.ones(3, np.float32), np.zeros(3, np.float32), np.zeros(1, np.float32)
    x[position] = _NAN
    rows = {"rows": 1, "columns": 3, "beta": 1.0}
    kernels.run("mg_softmax_f32_fwd", {"mg_softmax_params": rows}, x, y)
    assert np.isnan(y).all()
    target = np.array([1], np.int32)
    params = {"mg_loss_params": {"size": 3, "scale": 1.0}}
    kernels.run("mg_softmax_cross_entropy_f32_fwd", params, x, target, loss, y)
    assert np.isnan(loss[0])


@pytest.mark.parametrize("margin", [0.0, 1e-3, 1.0, 20.0, 60.0, 200.0])
@pytest.mark.parametrize("target", [0, 1])
def test_loss_is_exact_for_confident_samples(kernels: Kernels, margin: float, target: int) -> None:
    logits, dlogits = np.array([margin, 0.0], np.float32), np.zeros(2, np.float32)
    loss = np.zeros(1, np.float32)
    params = {"mg_loss_params": {"size": 2, "scale": 1.0}}
    wanted = np.array([target], np.int32)
    kernels.run("mg_softmax_cross_entropy_f32_fwd", params, logits, wanted, loss, dlogits)
    behind = float(logits[0]) if target else -float(logits[0])
    assert loss[0] == pytest.approx(np.logaddexp(0.0, behind), rel=1e-6, abs=1e-37)
    share = 1.0 / (1.0 + np.exp(-behind))
    signed = [share, -share] if target else [-share, share]
    np.testing.assert_allclose(dlogits, signed, rtol=1e-6, atol=1e-37)


def test_quantize_saturates_and_rounds_halves_away(kernels: Kernels) -> None:
    x = np.array(
        [0.5, -0.5, 1.5, 0.49999997, -0.49999997, 1e30, -1e30, _INF, -_INF, 126.5, -128.5, _NAN],
        np.float32,
    )
    y = np.zeros(x.size, np.int8)
    params = {"mg_size_params": {"size": x.size}, "mg_quantize_s8": {"scale": 1.0, "zero_point": 0}}
    kernels.run("mg_quantize_f32_fwd", params, x, y)
    np.testing.assert_array_equal(y, [1, -1, 2, 0, 0, 127, -128, 127, -128, 127, -128, 127])


@pytest.mark.parametrize("lead", [2.0, 8.0, 14.0])
def test_softmax_passes_the_small_gradient_of_a_confident_row(
    kernels: Kernels, lead: float
) -> None:
    """C and reference, from an y that is rounded, against the derivative of exact shares."""
    exact = np.exp([0.0, -lead, -lead - 1.0])
    exact /= exact.sum()
    dy = np.array([[0.3, -0.7, 1.1]], np.float32)
    wanted = exact * (dy - (dy * exact).sum())
    y, dx = exact.astype(np.float32)[None], np.zeros((1, 3), np.float32)
    params = {"mg_softmax_params": {"rows": 1, "columns": 3, "beta": 1.0}}
    kernels.run("mg_softmax_f32_bwd_data", params, dy, y, dx)
    tensors = [Tensor(name, y.shape, DType.F32) for name in ("dy", "y")]
    (reference,) = lookup("softmax_bwd").reference(
        OpCall(SoftmaxAttrs(), tensors, ()), [dy.astype(float), y.astype(float)]
    )
    for got in (dx, reference):
        np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-6 * np.abs(wanted).max())
