"""x where it is positive, alpha * x elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mcugrad.ir.tensor import Array
from mcugrad.ops.activation import Activation
from mcugrad.ops.base import CStruct, Floats, OpCall
from mcugrad.ops.quantized import Ints, multiply_by_quantized_multiplier, quantize_multiplier
from mcugrad.ops.requantize import quant_of


@dataclass(frozen=True)
class LeakyReluAttrs:
    """The slope below zero."""

    alpha: float


def _rule(call: OpCall, codes: Ints) -> Array:
    """LiteRT's ``QuantizeLeakyRelu``; the ratios are taken in single precision."""
    attrs: LeakyReluAttrs = call.attrs
    (x_scale, x_zero), (y_scale, y_zero) = (
        quant_of(t).per_tensor for t in (call.input(0), call.outputs[0])
    )
    ratio = np.float32(x_scale) / np.float32(y_scale)
    sloped = np.float32(x_scale) * np.float32(attrs.alpha) / np.float32(y_scale)
    centred = codes - x_zero
    above = multiply_by_quantized_multiplier(centred, *quantize_multiplier(float(ratio)))
    below = multiply_by_quantized_multiplier(centred, *quantize_multiplier(abs(float(sloped))))
    return np.where(centred >= 0, above, np.sign(sloped).astype(np.int64) * below) + y_zero


def _forward(attrs: LeakyReluAttrs, x: Floats) -> Floats:
    return np.asarray(np.where(x > 0, x, x * attrs.alpha))


def _backward(attrs: LeakyReluAttrs, dy: Floats, x: Floats) -> Floats:
    return np.asarray(np.where(x > 0, dy, dy * attrs.alpha))


def _params(call: OpCall) -> CStruct:
    fields = {"size": call.input(0).size, "alpha": call.attrs.alpha}
    return CStruct("mg_leaky_relu_params", fields)


Activation(
    "leaky_relu",
    _rule,
    _forward,
    _backward,
    keeps_result=False,
    attrs=LeakyReluAttrs,
    params=_params,
).register()
