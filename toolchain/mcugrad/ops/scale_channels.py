"""A factor for each channel of integer gradients: y = x * multiplier / 2^shift, rounded.

Shapes: x, y [..., C] of int16 codes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import CArray, CStruct, Kernel, Op, OpCall, Spec, register, require
from mcugrad.ops.shapes import given


@dataclass(frozen=True)
class ScaleChannelsAttrs:
    """Multipliers from 0 to 2^15, one a channel, and the shift, at least 15."""

    multiplier: tuple[int, ...]
    shift: int


def _infer(call: OpCall) -> tuple[Spec, ...]:
    x = call.input(0)
    attrs: ScaleChannelsAttrs = call.attrs
    require(x.dtype is DType.S16, "codes are int16")
    require(len(attrs.multiplier) == x.shape[-1], "one multiplier a channel")
    require(all(0 <= m <= 1 << 15 for m in attrs.multiplier), "multipliers from 0 to 2^15")
    require(15 <= attrs.shift <= 31, "shift of 15 to 31")
    return (Spec(x.shape, DType.S16),)


def _reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    (x,) = given(values)
    attrs: ScaleChannelsAttrs = call.attrs
    product = x.astype(np.int64) * np.array(attrs.multiplier, np.int64)
    rounded = (product + (1 << (attrs.shift - 1))) >> attrs.shift
    return (np.clip(rounded, -32767, 32767),)


def _params(call: OpCall) -> CStruct:
    x = call.input(0)
    return CStruct(
        "mg_channel_sum_params", {"positions": x.size // x.shape[-1], "channels": x.shape[-1]}
    )


def _quant(call: OpCall) -> CStruct:
    attrs: ScaleChannelsAttrs = call.attrs
    multiplier = CArray("int32_t", attrs.multiplier)
    return CStruct("mg_multipliers", {"multiplier": multiplier, "shift": attrs.shift})


register(
    Op(
        "scale_channels",
        ScaleChannelsAttrs,
        _infer,
        _reference,
        kernels=(
            Kernel(
                "mg_scale_channels_s16_fwd",
                DType.S16,
                params=_params,
                quant=_quant,
                inplace=((0, 0),),
            ),
        ),
    )
)
