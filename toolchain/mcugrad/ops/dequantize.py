"""int8 codes to real values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import CStruct, Kernel, NoAttrs, Op, OpCall, Spec, register
from mcugrad.ops.quantize import straight_through
from mcugrad.ops.requantize import quant_of
from mcugrad.ops.shapes import given, size_params


def _infer(call: OpCall) -> tuple[Spec, ...]:
    return (Spec(call.input(0).shape, DType.F32),)


def _reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    (x,) = given(values)
    scale, zero_point = quant_of(call.input(0)).per_tensor
    return (scale * (x.astype(np.float64) - zero_point),)


def _quant(call: OpCall) -> CStruct:
    scale, zero_point = quant_of(call.input(0)).per_tensor
    return CStruct("mg_quantize_s8", {"scale": scale, "zero_point": zero_point})


register(
    Op(
        "dequantize",
        NoAttrs,
        _infer,
        _reference,
        kernels=(Kernel("mg_dequantize_s8_fwd", DType.S8, params=size_params, quant=_quant),),
        gradient=straight_through,
    )
)
