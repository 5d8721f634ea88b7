"""From int32 sums of products to int8 results, as LiteRT's integer kernels do it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mcugrad.ir.tensor import Array, DType, QuantParams, Tensor
from mcugrad.ops.base import CArray, CStruct, OpCall, require
from mcugrad.ops.clamp_range import Clamp
from mcugrad.ops.quantized import multiply_by_quantized_multiplier, quantize_multiplier


def quant_of(tensor: Tensor) -> QuantParams:
    """The quantisation of an int8 tensor, which it must have."""
    require(tensor.quant is not None, f"int8 tensor {tensor.name!r} has no quantisation")
    assert tensor.quant is not None
    return tensor.quant


def real_values(tensor: Tensor, value: Array) -> Array:
    """What an array of that tensor's type stands for: integers as the numbers they encode."""
    if tensor.dtype not in (DType.S8, DType.S32):
        return value
    quant = quant_of(tensor)
    shape = [1] * value.ndim
    if quant.axis is not None:
        shape[quant.axis] = -1
    scale, zero_point = (np.reshape(v, shape) for v in (quant.scale, quant.zero_point))
    return np.asarray(scale * (value.astype(np.float64) - zero_point))


def affine(tensor: Tensor) -> CStruct:
    """Scale and zero point of an int8 tensor that has just one of each, for C."""
    scale, zero_point = quant_of(tensor).per_tensor
    return CStruct("mg_quantize_s8", {"scale": scale, "zero_point": zero_point})


def _multiples(quant: QuantParams) -> tuple[float, list[tuple[int, int]]]:
    """The unit of the scales, and how often each holds it, as multiplier (Q31) and left shift."""
    unit = max(quant.scale) if quant.unit is None else quant.unit
    return unit, [quantize_multiplier(s / unit) for s in quant.scale]


def scales(quant: QuantParams, count: int | None = None) -> CStruct:
    """The scales along an axis for C, ``count`` times a scale that is the same for all."""
    unit, pairs = _multiples(quant)
    multiplier, shift = zip(*(pairs * (count or 1) if len(pairs) == 1 else pairs), strict=True)
    return CStruct(
        "mg_scales",
        {
            "count": len(multiplier),
            "unit": unit,
            "multiplier": CArray("int32_t", multiplier),
            "shift": CArray("int8_t", shift),
        },
    )


def stored_scales(quant: QuantParams) -> NDArray[np.float32]:
    """The scales that kernels make of what :func:`scales` gives them."""
    unit, pairs = _multiples(quant)
    multiples = [np.ldexp(np.float32(multiplier), shift - 31) for multiplier, shift in pairs]
    return np.float32(unit) * np.array(multiples, np.float32)


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


@dataclass(frozen=True)
class Rescaling:
    """Real scale of each channel, zero points and range; one rounding, in double precision."""

    input_zero_point: int
    output_zero_point: int
    low: int
    high: int
    scale: tuple[float, ...]

    def apply(self, sums: Array, bias: Array | None) -> Array:
        """int8 results of the sums [..., O], bias added and range limited."""
        real = (np.rint(sums) + (0 if bias is None else bias)) * np.array(self.scale)
        whole = np.trunc(real)
        # Halves away from zero; adding 0.5 to the number itself would round once more.
        rounded = whole + (real >= whole + 0.5) - (real <= whole - 0.5)
        limited = np.clip(rounded + self.output_zero_point, self.low, self.high)
        return np.asarray(limited, np.int8)

    def struct(self) -> CStruct:
        """The same as the C structure ``mg_rescale_s8``."""
        return CStruct("mg_rescale_s8", {**vars(self), "scale": CArray("double", self.scale)})


def requantization(call: OpCall, clamp: Clamp) -> Requantization:
    """How a convolution's sums become int8 (``PopulateConvolutionQuantizationParams``)."""
    pairs = [quantize_multiplier(scale) for scale in _scales(call)]
    multiplier, shift = zip(*pairs, strict=True)
    return Requantization(*_zero_points_and_range(call, clamp), multiplier, shift)


def rescaling(call: OpCall, clamp: Clamp) -> Rescaling:
    """How a fully connected layer's sums become int8.

    LiteRT 2.3 multiplies them by the real scale, where its convolutions use Q31 multipliers.
    """
    return Rescaling(*_zero_points_and_range(call, clamp), _scales(call))


def _scales(call: OpCall) -> tuple[float, ...]:
    """From sums of x times w (inputs 0 and 1) to the output, for each of its channels."""
    x_scale, y_scale = (quant_of(t).per_tensor[0] for t in (call.input(0), call.outputs[0]))
    scales = tuple(x_scale * w_scale / y_scale for w_scale in quant_of(call.input(1)).scale)
    return scales * (call.outputs[0].shape[-1] if len(scales) == 1 else 1)


def _zero_points_and_range(call: OpCall, clamp: Clamp) -> tuple[int, int, int, int]:
    y = quant_of(call.outputs[0])
    low, high = clamp.quantized(y)
    return quant_of(call.input(0)).per_tensor[1], y.per_tensor[1], low, high
