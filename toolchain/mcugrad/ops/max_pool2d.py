"""The maximum of each window.

The gradient goes to the first maximum of the window, row by row; a NaN counts as the
greatest value, so that it shows in the loss.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import GradientContext, Kernel, Op, OpCall, register
from mcugrad.ops.clamp import clamp_gradient
from mcugrad.ops.pool import (
    PoolAttrs,
    PoolBwdAttrs,
    bwd_params,
    code_range,
    infer,
    infer_input,
    params,
    range_quant,
)
from mcugrad.ops.shapes import given


def _reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    (x,) = given(values)
    attrs: PoolAttrs = call.attrs
    if call.dtype is DType.S8:
        highest = attrs.window.taps(x[0], fill=-128).max(axis=(2, 3))
        return (np.clip(highest, *code_range(call)).astype(np.int8)[None],)
    highest = attrs.window.taps(x[0], fill=-np.inf).max(axis=(2, 3))
    return (attrs.clamp.apply(highest)[None],)


def _gradient(
    ctx: GradientContext,
    attrs: PoolAttrs,
    inputs: Sequence[str],
    outputs: Sequence[str],
    dys: Sequence[str],
) -> Sequence[str | None]:
    (x,) = inputs
    dy = clamp_gradient(ctx, attrs.clamp, outputs[0], dys[0])
    _, height, width, _ = ctx.tensor(x).shape
    bwd = PoolBwdAttrs(attrs.window, height, width)
    return (ctx.emit("max_pool2d_bwd", bwd, (dy, x), f"d.{x}"),)


def _bwd_reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    dy, x = given(values)
    attrs: PoolBwdAttrs = call.attrs
    taps = attrs.window.taps(x[0], fill=-np.inf)
    oh, ow, kh, kw, channels = taps.shape
    first = taps.reshape(oh, ow, kh * kw, channels).argmax(axis=2)
    chosen = np.arange(kh * kw)[:, None] == first[:, :, None]
    dtaps = np.where(chosen, dy[0][:, :, None], 0.0).reshape(taps.shape)
    return (attrs.window.scatter(dtaps, attrs.height, attrs.width)[None],)


register(
    Op(
        "max_pool2d",
        PoolAttrs,
        infer,
        _reference,
        kernels=(
            Kernel("mg_max_pool2d_s8_fwd", DType.S8, params=params, quant=range_quant),
            Kernel("mg_max_pool2d_f32_fwd", DType.F32, params=params, quant=range_quant),
        ),
        gradient=_gradient,
    )
)
register(
    Op(
        "max_pool2d_bwd",
        PoolBwdAttrs,
        infer_input,
        _bwd_reference,
        kernels=(Kernel("mg_max_pool2d_f32_bwd_data", DType.F32, params=bwd_params),),
    )
)
