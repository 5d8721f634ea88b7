"""x * clamp(x + 3, 0, 6) / 6."""

from __future__ import annotations

import numpy as np

from mcugrad.ir.tensor import Array
from mcugrad.ops.activation import Activation
from mcugrad.ops.base import Floats, NoAttrs, OpCall, require
from mcugrad.ops.quantized import Ints, quantize_multiplier, rounding_shift_right
from mcugrad.ops.requantize import quant_of


def _narrow_multiplier(real: np.float32) -> tuple[int, int]:
    """Mantissa in Q15 and left shift (``DownScaleInt32ToInt16Multiplier``)."""
    mantissa, shift = quantize_multiplier(float(real))
    return min(32767, (mantissa + (1 << 15)) >> 16), shift


def _saturate(x: Ints) -> Ints:
    return np.clip(x, -32768, 32767)


def _high_mul(a: Ints, b: int) -> Ints:
    """The gemmlowp rounding doubling high multiply of int16 values; ``b`` is positive."""
    product = a * b
    total = product + np.where(product >= 0, 1 << 14, 1 - (1 << 14))
    return np.asarray(np.sign(total) * (np.abs(total) >> 15))


def _rule(call: OpCall, codes: Ints) -> Array:
    """LiteRT's int8 ``HardSwish``, in 16-bit fixed point."""
    (x_scale, x_zero), (y_scale, y_zero) = (
        quant_of(t).per_tensor for t in (call.input(0), call.outputs[0])
    )
    fine_scale = np.float32(1 / 128) * np.float32(x_scale)
    out_mantissa, out_shift = _narrow_multiplier(fine_scale / np.float32(y_scale))
    gate_mantissa, gate_shift = _narrow_multiplier(fine_scale / np.float32(3 / 32768))
    require(out_shift <= 0, "hard_swish enlarges its codes too much")

    fine = (codes - x_zero) << 7
    gate = fine  # x as a fraction of 3, saturating at +-1
    if gate_shift > 0:
        gate = _saturate(gate << (gate_shift - 1))
    gate = _high_mul(gate, gate_mantissa)
    if gate_shift > 0:
        gate = _saturate(gate << 1)
    if gate_shift < 0:
        gate = rounding_shift_right(gate, -gate_shift)
    gate = (gate + (1 << 15)) >> 1
    product = gate * _high_mul(fine, out_mantissa)
    product = np.sign(product) * (np.abs(product) >> 15)
    return np.asarray(rounding_shift_right(product, -out_shift) + y_zero)


def _forward(_attrs: NoAttrs, x: Floats) -> Floats:
    return np.asarray(x * np.clip(x + 3.0, 0.0, 6.0) / 6.0)


def _backward(_attrs: NoAttrs, dy: Floats, x: Floats) -> Floats:
    slope = np.where(x <= -3.0, 0.0, np.where(x >= 3.0, 1.0, x / 3.0 + 0.5))
    return np.asarray(dy * slope)


Activation("hard_swish", _rule, _forward, _backward, keeps_result=False).register()
