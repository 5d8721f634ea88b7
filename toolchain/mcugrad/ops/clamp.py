"""Limiting values to a range: ReLU, ReLU6, ReLU_N1_TO_1, alone or fused.

The derivative is 1 strictly inside the range and 0 elsewhere, so the result alone
decides it and the operand need not be kept.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mcugrad.ir.tensor import Array, DType, Tensor
from mcugrad.ops.base import (
    CStruct,
    GradientContext,
    Kernel,
    Op,
    OpCall,
    Spec,
    Variant,
    float_kernels,
    register,
    require,
)
from mcugrad.ops.clamp_range import Clamp
from mcugrad.ops.integer_gradient import carried
from mcugrad.ops.lookup_table import look_up, lookup_kernel
from mcugrad.ops.quantized import Ints, multiply_by_quantized_multiplier, quantize_multiplier
from mcugrad.ops.requantize import quant_of
from mcugrad.ops.shapes import given, infer_same, size_params


def _rule(call: OpCall, codes: Ints) -> Array:
    """LiteRT's ``ReluX``: the ratio of the scales is taken in single precision."""
    clamp: Clamp = call.attrs
    (x_scale, x_zero), y_quant = quant_of(call.input(0)).per_tensor, quant_of(call.outputs[0])
    y_scale, y_zero = y_quant.per_tensor
    multiplier = quantize_multiplier(float(np.float32(x_scale) / np.float32(y_scale)))
    y = multiply_by_quantized_multiplier(codes - x_zero, *multiplier) + y_zero
    low, high = clamp.quantized(y_quant)
    return np.clip(y, low, high)


def _reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    (x,) = given(values)
    if call.dtype is DType.S8:
        return (look_up(call, x, _rule),)
    clamp: Clamp = call.attrs
    return (clamp.apply(x),)


def clamp_gradient(ctx: GradientContext, clamp: Clamp, y: str, dy: str) -> str:
    """The gradient before a fused activation; ``y`` is the operator's result.

    An int8 result is limited by its type, whether there is an activation or not.
    """
    limited = clamp.active or ctx.tensor(y).dtype is DType.S8
    return ctx.emit("clamp_bwd", clamp, (dy, y), f"d_pre.{y}") if limited else dy


def _gradient(
    ctx: GradientContext, attrs: Clamp, _xs: Sequence[str], ys: Sequence[str], dys: Sequence[str]
) -> Sequence[str | None]:
    return (clamp_gradient(ctx, attrs, ys[0], dys[0]),)


def _bwd_reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    dy, y = given(values)
    low, high = limits(call.attrs, call.input(1))
    return (np.where((y > low) & (y < high), dy, 0.0),)


def limits(clamp: Clamp, y: Tensor) -> tuple[float, float]:
    """The range of y as it is stored."""
    return clamp.quantized(quant_of(y)) if y.dtype is DType.S8 else (clamp.low, clamp.high)


def _is_int8_mask(call: OpCall) -> bool:
    return call.dtype is DType.F32 and call.input(1).dtype is DType.S8


def _is_positive_half(call: OpCall) -> bool:
    """Whether the limits are halves, and not negative."""
    clamp: Clamp = call.attrs
    ends = np.array([clamp.low, clamp.high])
    return clamp.low >= 0 and np.array_equal(ends.astype(np.float16), ends)


def int8_range(clamp: Clamp, y: Tensor) -> CStruct:
    """The same as the C structure that masks of int8 results take."""
    low, high = limits(clamp, y)
    return CStruct("mg_clamp_s8", {"low": int(low), "high": int(high)})


def _infer_bwd(call: OpCall) -> tuple[Spec, ...]:
    dy, y = call.input(0), call.input(1)
    require(dy.shape == y.shape, f"gradient of shape {dy.shape} for {y.shape}")
    return (Spec(dy.shape, dy.dtype),)


def _range(call: OpCall) -> CStruct:
    clamp: Clamp = call.attrs
    return clamp.params()


register(
    Op(
        "clamp",
        Clamp,
        infer_same,
        _reference,
        kernels=(
            lookup_kernel(_rule),
            *float_kernels(
                "mg_clamp_{}_fwd", params=size_params, quant=_range, inplace=((0, 0),), shared=True
            ),
        ),
        gradient=_gradient,
    )
)
register(
    Op(
        "clamp_bwd",
        Clamp,
        _infer_bwd,
        _bwd_reference,
        kernels=(
            Kernel(
                "mg_clamp_s16_bwd_data",
                None,
                params=size_params,
                quant=lambda call: int8_range(call.attrs, call.input(1)),
                matches=lambda call: call.dtype is DType.S16,
                inplace=((0, 0),),
                shared=True,
            ),
            Kernel(
                "mg_clamp_s8_bwd_data",
                None,
                params=size_params,
                quant=lambda call: int8_range(call.attrs, call.input(1)),
                matches=_is_int8_mask,
                inplace=((0, 0),),
                shared=True,
            ),
            *float_kernels(
                "mg_clamp_{}_bwd_data",
                (
                    Variant("rvv"),
                    Variant("xfvec", _is_positive_half, (DType.F16,)),
                ),
                params=size_params,
                quant=_range,
                inplace=((0, 0), (0, 1)),
                shared=True,
            ),
        ),
        integer=carried,
    )
)
