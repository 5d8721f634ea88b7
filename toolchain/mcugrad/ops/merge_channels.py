"""A tensor of which some channels lie elsewhere: in flash as a whole, what learns of it in SRAM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import CStruct, Kernel, Op, OpCall, Spec, float_kernels, register, require
from mcugrad.ops.runs import check_channels, runs_params
from mcugrad.ops.shapes import given


@dataclass(frozen=True)
class MergeAttrs:
    """The channels, ascending, along ``axis``, that the second operand holds."""

    channels: tuple[int, ...]
    axis: int


def _infer(call: OpCall) -> tuple[Spec, ...]:
    whole, part = call.input(0), call.input(1)
    attrs: MergeAttrs = call.attrs
    require(0 <= attrs.axis < len(whole.shape), f"no axis {attrs.axis} in {whole.shape}")
    check_channels(attrs.channels, whole.shape[attrs.axis])
    shape = list(whole.shape)
    shape[attrs.axis] = len(attrs.channels)
    require(part.shape == tuple(shape), f"channels of shape {part.shape} for {tuple(shape)}")
    require(part.dtype is whole.dtype, f"channels of type {part.dtype} for {whole.dtype}")
    return (Spec(whole.shape, whole.dtype),)


def _reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    whole, part = given(values)
    attrs: MergeAttrs = call.attrs
    merged = whole.copy()
    np.moveaxis(merged, attrs.axis, 0)[list(attrs.channels)] = np.moveaxis(part, attrs.axis, 0)
    return (merged,)


def _params(call: OpCall) -> CStruct:
    attrs: MergeAttrs = call.attrs
    return runs_params(call.input(0).shape, attrs.axis, attrs.channels)


register(
    Op(
        "merge_channels",
        MergeAttrs,
        _infer,
        _reference,
        kernels=(
            Kernel("mg_merge_channels_s8_fwd", DType.S8, params=_params),
            *float_kernels("mg_merge_channels_{}_fwd", params=_params),
        ),
    )
)
