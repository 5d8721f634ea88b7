"""Loops over the kept and the summed dimensions of an array."""

from __future__ import annotations

from mcugrad.ops.base import CStruct
from mcugrad.ops.shapes import coalesce, padded_front, strides

#: Groups of adjacent dimensions, kept and summed each, that the C structure has room for.
_GROUPS = 2


def reduction_params(shape: tuple[int, ...], kept: tuple[bool, ...], scale: float) -> CStruct:
    """Sums the dimensions that are not ``kept``, times ``scale``."""
    inner = strides(shape)
    # A second operand that repeats along the summed dimensions keeps the two kinds apart.
    marked = tuple(s if k else 0 for s, k in zip(inner, kept, strict=True))
    extents, (steps, marks) = coalesce(shape, inner, marked)
    fields: dict[str, tuple[int, ...] | float] = {}
    for name, wanted in (("kept", True), ("summed", False)):
        dims = [i for i, mark in enumerate(marks) if (mark != 0) is wanted]
        fields[name] = padded_front(tuple(extents[i] for i in dims), _GROUPS, 1)
        fields[f"{name}_stride"] = padded_front(tuple(steps[i] for i in dims), _GROUPS, 0)
    return CStruct("mg_reduce_params", {**fields, "scale": scale})
