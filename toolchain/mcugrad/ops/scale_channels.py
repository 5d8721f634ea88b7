"""A factor for each channel of integer gradients: y = x * multiplier / 2^shift, rounded.

Shapes: x, y [..., C] of int16 codes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import CArray, CStruct, Kernel, Op, OpCall, Spec, register, require
from mcugrad.ops.shapes import channel_params, given


@dataclass(frozen=True)
class ScaleChannelsAttrs:
    """Multipliers from 0 to 2^15, one a channel, and the shift, at least 15."""

    multiplier: tuple[int, ...]
    shift: int


def check_multipliers(call: OpCall) -> tuple[Spec, ...]:
    """The type of what is scaled."""
    x = call.input(0)
    attrs: ScaleChannelsAttrs = call.attrs
    require(x.dtype is DType.S16, "codes are int16")
    require(len(attrs.multiplier) == x.shape[-1], "one multiplier a channel")
    require(all(0 <= m <= 1 << 15 for m in attrs.multiplier), "multipliers from 0 to 2^15")
    require(15 <= attrs.shift <= 31, "shift of 15 to 31")
    return (Spec(x.shape, DType.S16),)


def _reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    (x,) = given(values)
    return (scaled(call.attrs, x),)


def scaled(attrs: ScaleChannelsAttrs, x: Array) -> Array:
    """The codes, rounded halves up."""
    product = x.astype(np.int64) * np.array(attrs.multiplier, np.int64)
    return np.asarray((product + (1 << (attrs.shift - 1))) >> attrs.shift)


def multipliers(call: OpCall) -> CStruct:
    """The same as the C structure."""
    attrs: ScaleChannelsAttrs = call.attrs
    multiplier = CArray("int32_t", attrs.multiplier)
    return CStruct("mg_multipliers", {"multiplier": multiplier, "shift": attrs.shift})


register(
    Op(
        "scale_channels",
        ScaleChannelsAttrs,
        check_multipliers,
        _reference,
        kernels=(
            Kernel(
                "mg_scale_channels_s16_fwd",
                DType.S16,
                params=channel_params,
                quant=multipliers,
                inplace=((0, 0),),
            ),
        ),
    )
)
