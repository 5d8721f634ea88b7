"""From float32 to half precision, or back."""

from __future__ import annotations

from collections.abc import Sequence

from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import (
    GradientContext,
    NoAttrs,
    Op,
    OpCall,
    Spec,
    float_kernels,
    register,
    require,
)
from mcugrad.ops.shapes import given, size_params


def _infer(call: OpCall) -> tuple[Spec, ...]:
    x = call.input(0)
    require(x.dtype.is_float, f"a cast of {x.dtype}")
    return (Spec(x.shape, DType.F32 if x.dtype is DType.F16 else DType.F16),)


def _reference(_call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    return tuple(given(values))


def _gradient(
    ctx: GradientContext,
    attrs: NoAttrs,
    inputs: Sequence[str],
    _outputs: Sequence[str],
    dys: Sequence[str],
) -> Sequence[str | None]:
    return (ctx.emit("cast", attrs, dys, f"d.{inputs[0]}"),)


register(
    Op(
        "cast",
        NoAttrs,
        _infer,
        _reference,
        kernels=float_kernels("mg_cast_{}_fwd", params=size_params, shared=True),
        gradient=_gradient,
    )
)
