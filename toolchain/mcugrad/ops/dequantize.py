"""int8 codes to real values; one scale for all, or one for each index along an axis.

``dequantize_half`` gives them in half precision, for activations.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import CStruct, Kernel, NoAttrs, Op, OpCall, Spec, register, require
from mcugrad.ops.quantize import straight_through
from mcugrad.ops.requantize import affine, quant_of, real_values, scales
from mcugrad.ops.shapes import given, size_params


def _infer(call: OpCall) -> tuple[Spec, ...]:
    x = call.input(0)
    if x.dtype is DType.S8 and not _is_per_tensor(call):
        require(not any(quant_of(x).zero_point), "zero points along an axis")
    return (Spec(x.shape, DType.F32),)


def _is_per_tensor(call: OpCall) -> bool:
    return len(quant_of(call.input(0)).scale) == 1


def _reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    (x,) = given(values)
    return (real_values(call.input(0), x),)


def _infer_half(call: OpCall) -> tuple[Spec, ...]:
    require(_is_per_tensor(call), "an activation has one scale")
    return (Spec(call.input(0).shape, DType.F16),)


def _axis_params(call: OpCall) -> CStruct:
    """The array as [outer][scales][run]."""
    shape, quant = call.input(0).shape, quant_of(call.input(0))
    axis = quant.axis or 0
    return CStruct("mg_axis_params", {"outer": prod(shape[:axis]), "run": prod(shape[axis + 1 :])})


register(
    Op(
        "dequantize",
        NoAttrs,
        _infer,
        _reference,
        kernels=(
            Kernel(
                "mg_dequantize_s32_fwd",
                None,
                params=size_params,
                quant=lambda call: affine(call.input(0)),
                matches=lambda call: call.dtype is DType.S32,
            ),
            Kernel(
                "mg_dequantize_s8_fwd",
                DType.S8,
                params=size_params,
                quant=lambda call: affine(call.input(0)),
                matches=_is_per_tensor,
            ),
            Kernel(
                "mg_dequantize_axis_s8_fwd",
                DType.S8,
                params=_axis_params,
                quant=lambda call: scales(quant_of(call.input(0))),
            ),
        ),
        gradient=straight_through,
    )
)
register(
    Op(
        "dequantize_half",
        NoAttrs,
        _infer_half,
        _reference,
        kernels=(
            Kernel(
                "mg_dequantize_half_s8_fwd",
                DType.S8,
                params=size_params,
                quant=lambda call: affine(call.input(0)),
            ),
        ),
    )
)
