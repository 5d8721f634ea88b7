"""Types and parameter structures that many operators share."""

from __future__ import annotations

from collections.abc import Sequence

from mcugrad.ir.tensor import Array
from mcugrad.ops.base import CStruct, OpCall, Spec, require


def given(values: Sequence[Array | None]) -> list[Array]:
    """The operands of an operator none of whose inputs is optional."""
    return [v for v in values if v is not None]


def infer_same(call: OpCall) -> tuple[Spec, ...]:
    """One result that has the first input's type."""
    return (Spec(call.input(0).shape, call.dtype),)


def infer_matching(call: OpCall) -> tuple[Spec, ...]:
    """As :func:`infer_same`, for operands that must all have one shape."""
    shape = call.input(0).shape
    require(
        all(t is not None and t.shape == shape for t in call.inputs), "operands differ in shape"
    )
    return infer_same(call)


def size_params(call: OpCall) -> CStruct:
    """For kernels that see a plain row of elements."""
    return CStruct("mg_size_params", {"size": call.input(0).size})
