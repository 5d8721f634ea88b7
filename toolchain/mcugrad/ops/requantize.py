"""From int32 sums of products to int8 results, as LiteRT's integer kernels do it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mcugrad.ir.tensor import Array, QuantParams, Tensor
from mcugrad.ops.base import CArray, CStruct, OpCall, require
from mcugrad.ops.clamp_range import Clamp
from mcugrad.ops.quantized import multiply_by_quantized_multiplier, quantize_multiplier


def quant_of(tensor: Tensor) -> QuantParams:
    """The quantisation of an int8 tensor, which it must have."""
    require(tensor.quant is not None, f"int8 tensor {tensor.name!r} has no quantisation")
    assert tensor.quant is not None
    return tensor.quant


@dataclass(frozen=True)
class Requantization:
    """Multiplier (Q31) and left shift of each channel, zero points and range."""

    input_zero_point: int
    output_zero_point: int
    low: int
    high: int
    multiplier: tuple[int, ...]
    shift: tuple[int, ...]

    def apply(self, sums: Array, bias: Array | None) -> Array:
        """int8 results of the sums [..., O], bias added and range limited."""
        total = np.rint(sums).astype(np.int64) + (0 if bias is None else bias.astype(np.int64))
        scaled = multiply_by_quantized_multiplier(
            total.astype(np.int32), self.multiplier, self.shift
        )
        return np.clip(scaled + self.output_zero_point, self.low, self.high).astype(np.int8)

    def struct(self) -> CStruct:
        """The same as the C structure ``mg_requant_s8``."""
        return CStruct(
            "mg_requant_s8",
            {
                "input_zero_point": self.input_zero_point,
                "output_zero_point": self.output_zero_point,
                "low": self.low,
                "high": self.high,
                "multiplier": CArray("int32_t", self.multiplier),
                "shift": CArray("int8_t", self.shift),
            },
        )


def requantization(
    call: OpCall, clamp: Clamp, product: type[np.floating] = np.float64
) -> Requantization:
    """How sums of x times w (inputs 0 and 1) become the output's int8.

    ``product`` is the precision in which the scales of x and w are multiplied. Every
    later step is in double (LiteRT's ``PopulateConvolutionQuantizationParams``).
    """
    x, w, y = quant_of(call.input(0)), quant_of(call.input(1)), quant_of(call.outputs[0])
    (x_scale, x_zero_point), (y_scale, y_zero_point) = x.per_tensor, y.per_tensor
    products = np.array(x_scale, product) * np.array(w.scale, product)
    reals = products.astype(np.float64) / y_scale
    pairs = [quantize_multiplier(float(r)) for r in reals] * (
        call.outputs[0].shape[-1] if len(reals) == 1 else 1
    )
    multiplier, shift = zip(*pairs, strict=True)
    low, high = clamp.quantized(y)
    return Requantization(x_zero_point, y_zero_point, low, high, multiplier, shift)
