"""The hyperbolic tangent."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import GradientContext, Kernel, NoAttrs, Op, OpCall, register
from mcugrad.ops.lookup_table import Singles, look_up, lookup_kernel, real_rule
from mcugrad.ops.shapes import given, infer_matching, infer_same, size_params


def _single(x: Singles) -> Singles:
    return np.tanh(x.astype(np.float64)).astype(np.float32)


_rule = real_rule(_single)


def _reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    (x,) = given(values)
    return (look_up(call, x, _rule) if call.dtype is DType.S8 else np.tanh(x),)


def _gradient(
    ctx: GradientContext,
    attrs: NoAttrs,
    inputs: Sequence[str],
    outputs: Sequence[str],
    dys: Sequence[str],
) -> Sequence[str | None]:
    return (ctx.emit("tanh_bwd", attrs, (dys[0], outputs[0]), f"d.{inputs[0]}"),)


def _bwd_reference(_call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    dy, y = given(values)
    return (dy * (1.0 - y * y),)


register(
    Op(
        "tanh",
        NoAttrs,
        infer_same,
        _reference,
        kernels=(
            lookup_kernel(_rule),
            Kernel("mg_tanh_f32_fwd", DType.F32, params=size_params, inplace=((0, 0),)),
        ),
        gradient=_gradient,
    )
)
register(
    Op(
        "tanh_bwd",
        NoAttrs,
        infer_matching,
        _bwd_reference,
        kernels=(
            Kernel("mg_tanh_f32_bwd_data", DType.F32, params=size_params, inplace=((0, 0), (0, 1))),
        ),
    )
)
