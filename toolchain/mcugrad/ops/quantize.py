"""Real values to int8 codes, or int8 codes to those of another quantisation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import CStruct, GradientContext, Kernel, NoAttrs, Op, OpCall, Spec, register
from mcugrad.ops.lookup_table import look_up, lookup_kernel
from mcugrad.ops.quantized import (
    Ints,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    round_half_away,
)
from mcugrad.ops.requantize import quant_of
from mcugrad.ops.shapes import given, size_params


def _infer(call: OpCall) -> tuple[Spec, ...]:
    return (Spec(call.input(0).shape, DType.S8),)


def _rule(call: OpCall, codes: Ints) -> Array:
    """LiteRT's ``Requantize``."""
    (x_scale, x_zero), (y_scale, y_zero) = (
        quant_of(t).per_tensor for t in (call.input(0), call.outputs[0])
    )
    multiplier = quantize_multiplier(x_scale / y_scale)
    return np.asarray(multiply_by_quantized_multiplier(codes - x_zero, *multiplier) + y_zero)


def _reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    (x,) = given(values)
    if call.dtype is DType.S8:
        return (look_up(call, x, _rule),)
    scale, zero_point = quant_of(call.outputs[0]).per_tensor
    # The quotient is rounded to single precision, as LiteRT's and the kernel's is.
    ratio = x.astype(np.float32) / np.float32(scale)
    return (np.clip(round_half_away(ratio) + zero_point, -128, 127).astype(np.int8),)


def _quant(call: OpCall) -> CStruct:
    scale, zero_point = quant_of(call.outputs[0]).per_tensor
    return CStruct("mg_quantize_s8", {"scale": scale, "zero_point": zero_point})


def straight_through(
    _ctx: GradientContext,
    _attrs: NoAttrs,
    _inputs: Sequence[str],
    _outputs: Sequence[str],
    dys: Sequence[str],
) -> Sequence[str | None]:
    """Rounding has no useful derivative: pass the gradient as it is."""
    return dys


register(
    Op(
        "quantize",
        NoAttrs,
        _infer,
        _reference,
        kernels=(
            lookup_kernel(_rule),
            Kernel("mg_quantize_f32_fwd", DType.F32, params=size_params, quant=_quant),
        ),
        gradient=straight_through,
    )
)
