"""A border of real zeros, and its inverse: a box cut out of an array.

The two are each other's gradients.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import (
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
from mcugrad.ops.boxes import Place, box_params
from mcugrad.ops.requantize import quant_of
from mcugrad.ops.shapes import given, require_same_quant


@dataclass(frozen=True)
class PadAttrs:
    """Elements added (before, after) each dimension."""

    paddings: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class SliceAttrs:
    """Where the box begins, and its shape."""

    begin: tuple[int, ...]
    size: tuple[int, ...]


def _zero(call: OpCall) -> int:
    """What stands for the real zero."""
    return quant_of(call.input(0)).per_tensor[1] if call.dtype is DType.S8 else 0


def _pad_infer(call: OpCall) -> tuple[Spec, ...]:
    attrs: PadAttrs = call.attrs
    x = call.input(0)
    require(len(attrs.paddings) == len(x.shape), "one padding for each dimension")
    require(all(min(pair) >= 0 for pair in attrs.paddings), "negative padding")
    require_same_quant(call)
    shape = tuple(n + sum(pair) for n, pair in zip(x.shape, attrs.paddings, strict=True))
    return (Spec(shape, x.dtype),)


def _pad_reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    (x,) = given(values)
    return (np.pad(x, call.attrs.paddings, constant_values=_zero(call)),)


def _pad_params(call: OpCall) -> CStruct:
    attrs: PadAttrs = call.attrs
    x, y = call.input(0), call.outputs[0]
    origin = (0,) * len(x.shape)
    begin = tuple(before for before, _ in attrs.paddings)
    return box_params(x.shape, Place(x.shape, origin), Place(y.shape, begin), x.dtype.itemsize)


def _pad_quant(call: OpCall) -> CStruct:
    return CStruct("mg_pad_s8", {"zero_point": _zero(call)})


def _pad_gradient(
    ctx: GradientContext,
    attrs: PadAttrs,
    inputs: Sequence[str],
    _outputs: Sequence[str],
    dys: Sequence[str],
) -> Sequence[str | None]:
    (x,) = inputs
    box = SliceAttrs(tuple(before for before, _ in attrs.paddings), ctx.tensor(x).shape)
    return (ctx.emit("slice", box, dys, f"d.{x}"),)


def _slice_infer(call: OpCall) -> tuple[Spec, ...]:
    attrs: SliceAttrs = call.attrs
    x = call.input(0)
    require(
        len(attrs.begin) == len(attrs.size) == len(x.shape)
        and all(
            b >= 0 and s >= 1 and b + s <= n
            for b, s, n in zip(attrs.begin, attrs.size, x.shape, strict=True)
        ),
        f"{attrs} lies outside of {x.shape}",
    )
    require_same_quant(call)
    return (Spec(attrs.size, x.dtype),)


def _slice_reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    (x,) = given(values)
    attrs: SliceAttrs = call.attrs
    box = tuple(slice(b, b + s) for b, s in zip(attrs.begin, attrs.size, strict=True))
    return (x[box].copy(),)


def _slice_params(call: OpCall) -> CStruct:
    attrs: SliceAttrs = call.attrs
    x = call.input(0)
    source, target = Place(x.shape, attrs.begin), Place(attrs.size, (0,) * len(attrs.size))
    return box_params(attrs.size, source, target, x.dtype.itemsize)


def _slice_gradient(
    ctx: GradientContext,
    attrs: SliceAttrs,
    inputs: Sequence[str],
    _outputs: Sequence[str],
    dys: Sequence[str],
) -> Sequence[str | None]:
    (x,) = inputs
    shape = ctx.tensor(x).shape
    paddings = tuple((b, n - b - s) for b, s, n in zip(attrs.begin, attrs.size, shape, strict=True))
    return (ctx.emit("pad", PadAttrs(paddings), dys, f"d.{x}"),)


register(
    Op(
        "pad",
        PadAttrs,
        _pad_infer,
        _pad_reference,
        kernels=(
            Kernel("mg_pad_s8_fwd", DType.S8, params=_pad_params, quant=_pad_quant),
            *float_kernels("mg_pad_{}_fwd", params=_pad_params),
        ),
        gradient=_pad_gradient,
    )
)
register(
    Op(
        "slice",
        SliceAttrs,
        _slice_infer,
        _slice_reference,
        kernels=(
            Kernel("mg_slice_s8_fwd", DType.S8, params=_slice_params),
            *float_kernels("mg_slice_{}_fwd", params=_slice_params),
        ),
        gradient=_slice_gradient,
    )
)
