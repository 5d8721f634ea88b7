"""The logistic function 1 / (1 + exp(-x))."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import GradientContext, Kernel, NoAttrs, Op, OpCall, register
from mcugrad.ops.lookup_table import Singles, look_up, lookup_kernel, real_rule
from mcugrad.ops.shapes import given, infer_matching, infer_same, size_params


def _single(x: Singles) -> Singles:
    one = np.float32(1)
    with np.errstate(over="ignore"):
        return np.asarray(one / (one + np.exp(-x.astype(np.float64)).astype(np.float32)))


_rule = real_rule(_single)


def _reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    (x,) = given(values)
    if call.dtype is DType.S8:
        return (look_up(call, x, _rule),)
    small = np.exp(-np.abs(x))
    return (np.where(x < 0, small, 1.0) / (1.0 + small),)


def _gradient(
    ctx: GradientContext,
    attrs: NoAttrs,
    inputs: Sequence[str],
    outputs: Sequence[str],
    dys: Sequence[str],
) -> Sequence[str | None]:
    return (ctx.emit("logistic_bwd", attrs, (dys[0], outputs[0]), f"d.{inputs[0]}"),)


def _bwd_reference(_call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    dy, y = given(values)
    return (dy * y * (1.0 - y),)


register(
    Op(
        "logistic",
        NoAttrs,
        infer_same,
        _reference,
        kernels=(
            lookup_kernel(_rule),
            Kernel("mg_logistic_f32_fwd", DType.F32, params=size_params, inplace=((0, 0),)),
        ),
        gradient=_gradient,
    )
)
register(
    Op(
        "logistic_bwd",
        NoAttrs,
        infer_matching,
        _bwd_reference,
        kernels=(
            Kernel(
                "mg_logistic_f32_bwd_data",
                DType.F32,
                params=size_params,
                inplace=((0, 0), (0, 1)),
            ),
        ),
    )
)
