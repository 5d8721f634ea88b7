"""A factor for each channel of integer gradients: y = x * factor / 2^shift, rounded.

Shapes: x, y [..., C] of int16 codes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mcugrad.ir.tensor import Array, DType, QuantParams
from mcugrad.ops.base import CStruct, Kernel, Op, OpCall, Spec, register, require
from mcugrad.ops.requantize import scales, stored_scales
from mcugrad.ops.shapes import channel_params, given


@dataclass(frozen=True)
class ScaleChannelsAttrs:
    """The factors, one a channel, as scales from 0 to 2^15; and the shift, at least 15."""

    scales: QuantParams
    shift: int


def check_multipliers(call: OpCall) -> tuple[Spec, ...]:
    """The type of what is scaled."""
    x = call.input(0)
    attrs: ScaleChannelsAttrs = call.attrs
    require(x.dtype is DType.S16, "codes are int16")
    require(len(attrs.scales.scale) in (1, x.shape[-1]), "one factor a channel")
    require(all(0 <= s <= 1 << 15 for s in attrs.scales.scale), "factors from 0 to 2^15")
    require(15 <= attrs.shift <= 31, "shift of 15 to 31")
    return (Spec(x.shape, DType.S16),)


def _reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    (x,) = given(values)
    return (scaled(call.attrs, x),)


def scaled(attrs: ScaleChannelsAttrs, x: Array) -> Array:
    """The codes, rounded halves up."""
    factors = (stored_scales(attrs.scales) + np.float32(0.5)).astype(np.int64)
    product = x.astype(np.int64) * factors
    return np.asarray((product + (1 << (attrs.shift - 1))) >> attrs.shift)


def multipliers(call: OpCall) -> CStruct:
    """The same as the C structure."""
    attrs: ScaleChannelsAttrs = call.attrs
    factors = scales(attrs.scales, call.input(0).shape[-1])
    return CStruct("mg_multipliers", {"scales": factors, "shift": attrs.shift})


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
                shared=True,
            ),
        ),
    )
)
