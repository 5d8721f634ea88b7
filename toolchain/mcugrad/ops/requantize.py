"""From int32 sums of products to int8 results, as LiteRT's per-channel kernels do it."""

from __future__ import annotations

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


def _multipliers(call: OpCall) -> tuple[list[int], list[int]]:
    """Mantissa and left shift of every output channel (``PopulateConvolutionQuantizationParams``)."""
    x_scale, _ = quant_of(call.input(0)).per_tensor
    y_scale, _ = quant_of(call.outputs[0]).per_tensor
    scales = np.array(quant_of(call.input(1)).scale, np.float64)
    channels = call.outputs[0].shape[-1]
    pairs = [
        quantize_multiplier(float(x_scale * s / y_scale))
        for s in np.broadcast_to(scales, (channels,))
    ]
    return [m for m, _ in pairs], [s for _, s in pairs]


def requantize(call: OpCall, sums: Array, bias: Array | None, clamp: Clamp) -> Array:
    """int8 results of the sums [..., O], bias added and range limited."""
    quant = quant_of(call.outputs[0])
    total = np.rint(sums).astype(np.int64) + (0 if bias is None else bias.astype(np.int64))
    mantissa, shift = _multipliers(call)
    scaled = multiply_by_quantized_multiplier(total.astype(np.int32), mantissa, shift)
    low, high = clamp.quantized(quant)
    return np.clip(scaled + quant.per_tensor[1], low, high).astype(np.int8)


def requant_struct(call: OpCall, clamp: Clamp) -> CStruct:
    """The same as the C structure ``mg_requant_s8``."""
    quant = quant_of(call.outputs[0])
    mantissa, shift = _multipliers(call)
    low, high = clamp.quantized(quant)
    return CStruct(
        "mg_requant_s8",
        {
            "input_zero_point": quant_of(call.input(0)).per_tensor[1],
            "output_zero_point": quant.per_tensor[1],
            "low": low,
            "high": high,
            "multiplier": CArray("int32_t", mantissa),
            "shift": CArray("int8_t", shift),
        },
    )
