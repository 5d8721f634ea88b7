"""What addition, subtraction and multiplication share: broadcasting and its gradient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import (
    CStruct,
    GradientContext,
    Kernel,
    OpCall,
    Spec,
    StructOf,
    Variant,
    float_kernels,
    require,
)
from mcugrad.ops.clamp_range import NONE, Clamp
from mcugrad.ops.quantized import Ints, multiply_by_quantized_multiplier, quantize_multiplier
from mcugrad.ops.requantize import quant_of
from mcugrad.ops.shapes import coalesce, padded_front, strides
from mcugrad.ops.sum_to import SumToAttrs

#: Dimensions of the C structure.
_RANK = 4

#: int8 sums are formed with this many more bits (LiteRT's ``left_shift``).
_SUM_SHIFT = 20


@dataclass(frozen=True)
class ElementwiseAttrs:
    """The fused activation; operands broadcast as in NumPy."""

    clamp: Clamp = NONE


def infer(call: OpCall) -> tuple[Spec, ...]:
    """The broadcast shape."""
    a, b = call.input(0), call.input(1)
    require(a.dtype is b.dtype, "operands differ in element type")
    shape = np.broadcast_shapes(a.shape, b.shape)
    _walk(shape, a.shape, b.shape)
    return (Spec(shape, a.dtype),)


def _walk(
    shape: tuple[int, ...], *operands: tuple[int, ...]
) -> tuple[tuple[int, ...], list[tuple[int, ...]]]:
    """Extents, and each operand's strides with 0 where it repeats, in ``_RANK`` dimensions."""
    steps = []
    for operand in operands:
        aligned = (1,) * (len(shape) - len(operand)) + operand
        steps.append(
            tuple(0 if n == 1 else s for n, s in zip(aligned, strides(aligned), strict=True))
        )
    extents, reduced = coalesce(shape, *steps)
    return padded_front(extents, _RANK, 1), [padded_front(s, _RANK, 0) for s in reduced]


def _params(call: OpCall) -> CStruct:
    extents, (a, b) = _walk(call.outputs[0].shape, call.input(0).shape, call.input(1).shape)
    return CStruct("mg_elementwise_params", {"shape": extents, "a_stride": a, "b_stride": b})


def _clamp_params(call: OpCall) -> CStruct:
    attrs: ElementwiseAttrs = call.attrs
    return attrs.clamp.params()


def of_one_shape(call: OpCall) -> bool:
    """Whether no operand is broadcast."""
    return call.input(0).shape == call.input(1).shape


def kernels(
    op: str, quant: StructOf, *, scratch: bool = False, variants: Sequence[Variant] = ()
) -> tuple[Kernel, ...]:
    """The kernel rows of an operator, ``quant`` being its int8 arithmetic.

    ``scratch`` tells whether the int8 kernel needs such memory.
    """
    both = ((0, 0), (0, 1))
    return (
        Kernel(
            f"mg_{op}_s8_fwd",
            DType.S8,
            params=_params,
            quant=quant,
            scratch=scratch,
            inplace=both,
            shared=True,
        ),
        *float_kernels(
            f"mg_{op}_{{}}_fwd",
            variants,
            params=_params,
            quant=_clamp_params,
            inplace=both,
            shared=True,
        ),
    )


def reduce_to_operand(ctx: GradientContext, operand: str, gradient: str) -> str:
    """The gradient of an operand that may have been broadcast."""
    shape = ctx.tensor(operand).shape
    if ctx.tensor(gradient).shape == shape:
        return gradient
    return ctx.emit("sum_to", SumToAttrs(shape), (gradient,), f"d.{operand}")


@dataclass(frozen=True)
class _SumScales:
    """Multipliers of LiteRT's int8 addition: both operands at one fine scale, then the result."""

    a: tuple[int, int]
    b: tuple[int, int]
    y: tuple[int, int]


def _sum_scales(call: OpCall) -> _SumScales:
    a, b = (quant_of(call.input(i)).per_tensor[0] for i in (0, 1))
    y = quant_of(call.outputs[0]).per_tensor[0]
    twice_max = 2 * max(a, b)
    return _SumScales(
        quantize_multiplier(a / twice_max),
        quantize_multiplier(b / twice_max),
        quantize_multiplier(twice_max / ((1 << _SUM_SHIFT) * y)),
    )


def quantized_sum(call: OpCall, a: Array, b: Array, sign: int) -> Array:
    """``a + sign * b`` on int8 codes, as LiteRT's ``AddElementwise`` and ``SubElementwise``."""
    scales = _sum_scales(call)

    def fine(codes: Array, index: int, multiplier: tuple[int, int]) -> Ints:
        zero_point = quant_of(call.input(index)).per_tensor[1]
        shifted = (codes.astype(np.int64) - zero_point) << _SUM_SHIFT
        return multiply_by_quantized_multiplier(shifted, *multiplier)

    total = fine(a, 0, scales.a) + sign * fine(b, 1, scales.b)
    return to_codes(call, multiply_by_quantized_multiplier(total, *scales.y))


def to_codes(call: OpCall, scaled: Ints) -> Array:
    """int8 codes of values at the result's scale, limited to the fused activation's range."""
    attrs: ElementwiseAttrs = call.attrs
    quant = quant_of(call.outputs[0])
    low, high = attrs.clamp.quantized(quant)
    return np.clip(scaled + quant.per_tensor[1], low, high).astype(np.int8)


def sum_quant(call: OpCall) -> CStruct:
    """The same arithmetic as the C structure ``mg_sum_s8``."""
    scales = _sum_scales(call)
    return CStruct(
        "mg_sum_s8",
        {
            **zero_points_and_range(call),
            "a_multiplier": scales.a[0],
            "a_shift": scales.a[1],
            "b_multiplier": scales.b[0],
            "b_shift": scales.b[1],
            "y_multiplier": scales.y[0],
            "y_shift": scales.y[1],
        },
    )


def zero_points_and_range(call: OpCall) -> dict[str, int]:
    """Fields that the int8 structures begin with."""
    attrs: ElementwiseAttrs = call.attrs
    quant = quant_of(call.outputs[0])
    low, high = attrs.clamp.quantized(quant)
    return {
        "a_zero_point": quant_of(call.input(0)).per_tensor[1],
        "b_zero_point": quant_of(call.input(1)).per_tensor[1],
        "y_zero_point": quant.per_tensor[1],
        "low": low,
        "high": high,
    }
