"""Fresh random content, drawn where it is needed rather than stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mcugrad.ir.draw import Draw
from mcugrad.ir.tensor import Array, DType, Storage, Tensor
from mcugrad.ops.base import CStruct, Kernel, Matches, Op, OpCall, Spec, register


@dataclass(frozen=True)
class UniformAttrs:
    """What is drawn, and the type of the result."""

    draw: Draw
    shape: tuple[int, ...]
    dtype: DType


def _infer(call: OpCall) -> tuple[Spec, ...]:
    return (Spec(call.attrs.shape, call.attrs.dtype),)


def _reference(call: OpCall, _values: Sequence[Array | None]) -> tuple[Array, ...]:
    attrs: UniformAttrs = call.attrs
    state = Tensor("state", attrs.shape, attrs.dtype, storage=Storage.STATE, draw=attrs.draw)
    return (state.initial(),)


def _params(call: OpCall) -> CStruct:
    draw: Draw = call.attrs.draw
    return CStruct(
        "mg_uniform_params",
        {"size": call.outputs[0].size, "salt": draw.salt, "limit": float(draw.limit)},
    )


def _makes(dtype: DType) -> Matches:
    return lambda call: call.attrs.dtype is dtype


register(
    Op(
        "uniform",
        UniformAttrs,
        _infer,
        _reference,
        kernels=tuple(
            Kernel(f"mg_uniform_{d}_fwd", None, params=_params, matches=_makes(d))
            for d in (DType.S8, DType.F16, DType.F32)
        ),
    )
)
