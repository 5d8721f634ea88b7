"""x where it is positive, alpha * x elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import CStruct, GradientContext, Kernel, Op, OpCall, register
from mcugrad.ops.lookup_table import look_up, lookup_kernel
from mcugrad.ops.quantized import Ints, multiply_by_quantized_multiplier, quantize_multiplier
from mcugrad.ops.requantize import quant_of
from mcugrad.ops.shapes import given, infer_matching, infer_same


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


def _reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    (x,) = given(values)
    if call.dtype is DType.S8:
        return (look_up(call, x, _rule),)
    return (np.where(x > 0, x, x * call.attrs.alpha),)


def _params(call: OpCall) -> CStruct:
    fields = {"size": call.input(0).size, "alpha": call.attrs.alpha}
    return CStruct("mg_leaky_relu_params", fields)


def _gradient(
    ctx: GradientContext,
    attrs: LeakyReluAttrs,
    inputs: Sequence[str],
    _outputs: Sequence[str],
    dys: Sequence[str],
) -> Sequence[str | None]:
    (x,) = inputs
    return (ctx.emit("leaky_relu_bwd", attrs, (dys[0], x), f"d.{x}"),)


def _bwd_reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    dy, x = given(values)
    return (np.where(x > 0, dy, dy * call.attrs.alpha),)


register(
    Op(
        "leaky_relu",
        LeakyReluAttrs,
        infer_same,
        _reference,
        kernels=(
            lookup_kernel(_rule),
            Kernel("mg_leaky_relu_f32_fwd", DType.F32, params=_params, inplace=((0, 0),)),
        ),
        gradient=_gradient,
    )
)
register(
    Op(
        "leaky_relu_bwd",
        LeakyReluAttrs,
        infer_matching,
        _bwd_reference,
        kernels=(
            Kernel(
                "mg_leaky_relu_f32_bwd_data",
                DType.F32,
                params=_params,
                inplace=((0, 0), (0, 1)),
            ),
        ),
    )
)
