"""Some channels (of the last axis), so that no more of an activation is saved than learns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import CStruct, Kernel, Op, OpCall, Spec, float_kernels, register, require
from mcugrad.ops.integer_gradient import carried
from mcugrad.ops.runs import runs_params
from mcugrad.ops.shapes import given


@dataclass(frozen=True)
class GatherAttrs:
    """The channels, in the order of the result; one may stand more than once."""

    channels: tuple[int, ...]


def _infer(call: OpCall) -> tuple[Spec, ...]:
    attrs: GatherAttrs = call.attrs
    *around, extent = call.input(0).shape
    require(
        len(attrs.channels) > 0 and all(0 <= c < extent for c in attrs.channels),
        f"channels {attrs.channels} are not of {extent}",
    )
    return (Spec((*around, len(attrs.channels)), call.dtype),)


def _reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    (x,) = given(values)
    return (x[..., list(call.attrs.channels)],)


def _params(call: OpCall) -> CStruct:
    shape = call.input(0).shape
    return runs_params(shape, len(shape) - 1, call.attrs.channels)


register(
    Op(
        "gather_channels",
        GatherAttrs,
        _infer,
        _reference,
        kernels=(
            Kernel("mg_gather_channels_s8_fwd", DType.S8, params=_params),
            Kernel("mg_gather_channels_s16_fwd", DType.S16, params=_params),
            *float_kernels("mg_gather_channels_{}_fwd", params=_params),
        ),
        integer=carried,
    )
)
