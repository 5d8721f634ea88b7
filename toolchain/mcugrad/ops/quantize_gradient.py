"""Between integer and float gradients, where an operator has no integer arithmetic of its own.

``quantize_gradient``: x f32 -> codes s16 of scale 1 and their exponent [2], so that the largest
code fills 14 bits. ``dequantize_gradient``: codes and exponent -> f32.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import CStruct, Kernel, NoAttrs, Op, OpCall, Spec, register, require
from mcugrad.ops.integer_gradient import CODE_BITS, LIMIT, scale_of
from mcugrad.ops.shapes import given, size_params


def _power_of_two(exponent: int) -> np.float32:
    """``2^exponent``, held to the range of normal numbers."""
    return np.float32(2.0 ** min(max(exponent, -126), 127))


def _quantize_infer(call: OpCall) -> tuple[Spec, ...]:
    x = call.input(0)
    require(x.dtype is DType.F32, "a float gradient")
    return Spec(x.shape, DType.S16), Spec((2,), DType.S32)


def _quantize(_call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    (x,) = given(values)
    real = x.astype(np.float32)
    largest = np.max(np.abs(real), initial=0, where=np.isfinite(real))
    _, above = np.frexp(np.float32(largest))
    top = int(above) - 1 if largest > 0 else -126
    exponent = max(max(top, -126) - CODE_BITS + 1, -126)
    code = real * _power_of_two(-exponent)
    inside = np.abs(code) < LIMIT + 1
    code = np.where(inside, code, np.float32(0))
    half = np.where(code < 0, np.float32(-0.5), np.float32(0.5))
    whole = np.trunc(code + half).astype(np.int64)
    return np.clip(whole, -LIMIT, LIMIT), np.array([exponent, CODE_BITS + 1 if largest > 0 else 0])


def _dequantize_infer(call: OpCall) -> tuple[Spec, ...]:
    x = call.input(0)
    require(x.dtype is DType.S16 and call.input(1).shape == (2,), "codes and an exponent")
    return (Spec(x.shape, DType.F32),)


def _dequantize(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    x, exponent = given(values)
    factor = np.float32(scale_of(call.input(0))) * _power_of_two(int(exponent[0]))
    return (x.astype(np.float32) * factor,)


def _scale(call: OpCall) -> CStruct:
    return CStruct("mg_scale", {"scale": scale_of(call.input(0))})


register(
    Op(
        "quantize_gradient",
        NoAttrs,
        _quantize_infer,
        _quantize,
        kernels=(Kernel("mg_quantize_gradient_f32_fwd", DType.F32, params=size_params),),
    )
)
register(
    Op(
        "dequantize_gradient",
        NoAttrs,
        _dequantize_infer,
        _dequantize,
        kernels=(Kernel("mg_dequantize_gradient_s16_fwd", None, params=size_params, quant=_scale),),
    )
)
