"""Softmax over the last axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import (
    CArray,
    CStruct,
    GradientContext,
    Kernel,
    Op,
    OpCall,
    Spec,
    float_kernels,
    register,
    require,
)
from mcugrad.ops.requantize import quant_of
from mcugrad.ops.shapes import given, infer_matching, infer_same
from mcugrad.ops.softmax_fixed_point import exp_table, softmax_codes


@dataclass(frozen=True)
class SoftmaxAttrs:
    """The factor of the exponents."""

    beta: float = 1.0


def _infer(call: OpCall) -> tuple[Spec, ...]:
    require(len(call.input(0).shape) >= 1, "softmax of a scalar")
    if call.dtype is DType.S8:
        require(call.input(0).shape[-1] < 4096, "int8 softmax of 4096 classes or more")
    if call.dtype is DType.S8 and call.outputs:
        scale, zero_point = quant_of(call.outputs[0]).per_tensor
        exact = zero_point == -128 and abs(scale - 1 / 256) <= 1e-3 / 256
        require(exact, "an int8 softmax must have scale 1/256 and zero point -128")
    return infer_same(call)


def _table(call: OpCall) -> Array:
    attrs: SoftmaxAttrs = call.attrs
    return exp_table(quant_of(call.input(0)).per_tensor[0], attrs.beta)


def _reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    (x,) = given(values)
    attrs: SoftmaxAttrs = call.attrs
    if call.dtype is DType.S8:
        rows = x.reshape(-1, x.shape[-1])
        return (softmax_codes(rows, _table(call)).reshape(x.shape),)
    exps = np.exp(attrs.beta * (x - x.max(axis=-1, keepdims=True)))
    return (exps / exps.sum(axis=-1, keepdims=True),)


def _params(call: OpCall) -> CStruct:
    shape = call.input(0).shape
    columns = shape[-1]
    return CStruct(
        "mg_softmax_params",
        {"rows": call.input(0).size // columns, "columns": columns, "beta": call.attrs.beta},
    )


def _quant(call: OpCall) -> CStruct:
    return CStruct("mg_softmax_s8", {"exp": CArray("int32_t", _table(call).tolist())})


def _gradient(
    ctx: GradientContext,
    attrs: SoftmaxAttrs,
    inputs: Sequence[str],
    outputs: Sequence[str],
    dys: Sequence[str],
) -> Sequence[str | None]:
    return (ctx.emit("softmax_bwd", attrs, (dys[0], outputs[0]), f"d.{inputs[0]}"),)


def _bwd_reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    """As shares add up to 1, a constant taken off dy changes nothing.

    With that of the greatest share no term is left that cancels: the gradient of a confident
    row is as small as the other shares, and would be lost in the rounding of the greatest.
    """
    dy, y = given(values)
    dy = dy - np.take_along_axis(dy, y.argmax(axis=-1, keepdims=True), axis=-1)
    inner = (dy * y).sum(axis=-1, keepdims=True)
    return (call.attrs.beta * y * (dy - inner),)


register(
    Op(
        "softmax",
        SoftmaxAttrs,
        _infer,
        _reference,
        kernels=(
            Kernel("mg_softmax_s8_fwd", DType.S8, params=_params, quant=_quant, inplace=((0, 0),)),
            *float_kernels("mg_softmax_{}_fwd", params=_params, inplace=((0, 0),)),
        ),
        gradient=_gradient,
    )
)
register(
    Op(
        "softmax_bwd",
        SoftmaxAttrs,
        infer_matching,
        _bwd_reference,
        kernels=(
            *float_kernels(
                "mg_softmax_{}_bwd_data",
                params=_params,
                inplace=((0, 0), (0, 1)),
            ),
        ),
    )
)
