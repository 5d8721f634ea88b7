"""Types, strides and parameter structures that many operators share."""

from __future__ import annotations

from collections.abc import Sequence

from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import CStruct, OpCall, Spec, require
from mcugrad.ops.requantize import quant_of

Ints = tuple[int, ...]


def given(values: Sequence[Array | None]) -> list[Array]:
    """The operands of an operator none of whose inputs is optional."""
    return [v for v in values if v is not None]


def infer_same(call: OpCall) -> tuple[Spec, ...]:
    """One result that has the first input's type."""
    return (Spec(call.input(0).shape, call.dtype),)


def infer_matching(call: OpCall) -> tuple[Spec, ...]:
    """As :func:`infer_same`, for operands that must all have one type."""
    first = call.input(0)
    require(
        all(
            t is not None and (t.shape, t.dtype) == (first.shape, first.dtype) for t in call.inputs
        ),
        "operands differ in shape or type",
    )
    return infer_same(call)


def require_same_quant(call: OpCall) -> None:
    """For operators that move int8 codes: every tensor must have one quantisation.

    The tolerance is that of LiteRT's pooling. Results are checked where they are known.
    """
    if call.dtype is not DType.S8:
        return
    tensors = [t for t in (*call.inputs, *call.outputs) if t is not None]
    (scale, zero_point), *others = [quant_of(t).per_tensor for t in tensors]
    require(
        all(z == zero_point and abs(s - scale) <= 1e-6 for s, z in others),
        "int8 operands and result must share one scale and zero point",
    )


def size_params(call: OpCall) -> CStruct:
    """For kernels that see a plain row of elements."""
    return CStruct("mg_size_params", {"size": call.input(0).size})


def channel_params(call: OpCall) -> CStruct:
    """For kernels that see [positions][channels]."""
    dy = call.input(0)
    channels = dy.shape[-1]
    return CStruct(
        "mg_channel_sum_params", {"positions": dy.size // channels, "channels": channels}
    )


def strides(shape: Ints) -> Ints:
    """Elements from one index to the next, of a dense array."""
    steps = [1]
    for extent in reversed(shape[1:]):
        steps.append(steps[-1] * extent)
    return tuple(reversed(steps[: len(shape)]))


def coalesce(shape: Ints, *steps: Ints) -> tuple[Ints, tuple[Ints, ...]]:
    """The same walk over arrays with these strides, in as few dimensions as it takes."""
    dims: list[tuple[int, Ints]] = []
    for extent, *step in zip(shape, *steps, strict=True):
        if extent == 1:
            continue
        if dims and all(s == t * extent for s, t in zip(dims[-1][1], step, strict=True)):
            dims[-1] = (dims[-1][0] * extent, tuple(step))
        else:
            dims.append((extent, tuple(step)))
    return tuple(n for n, _ in dims), tuple(
        tuple(step[k] for _, step in dims) for k in range(len(steps))
    )


def padded_front(values: Ints, length: int, fill: int) -> Ints:
    """``values`` with ``fill`` before them, as many as a C structure holds."""
    require(len(values) <= length, f"more than {length} separate dimensions")
    return (fill,) * (length - len(values)) + values
