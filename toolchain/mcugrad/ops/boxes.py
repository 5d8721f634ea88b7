"""Copying a box of one dense array to a place in another."""

from __future__ import annotations

from math import prod
from typing import NamedTuple

from mcugrad.ops.base import CStruct, CValue
from mcugrad.ops.shapes import Ints, coalesce, padded_front, strides

#: Dimensions of the C structure.
_RANK = 4


class Place(NamedTuple):
    """The shape of an array, and where in it the box begins."""

    shape: Ints
    begin: Ints

    @property
    def offset(self) -> int:
        """The box's first element."""
        return sum(i * s for i, s in zip(self.begin, strides(self.shape), strict=True))


def box_params(box: Ints, source: Place, target: Place, itemsize: int) -> CStruct:
    """The C structure, in bytes."""
    extents, (src, dst) = coalesce(box, strides(source.shape), strides(target.shape))
    if not extents or src[-1] != 1 or dst[-1] != 1:  # rows of one element
        extents, src, dst = (*extents, 1), (*src, 1), (*dst, 1)
    *outer, row = padded_front(extents, _RANK, 1)
    fields: dict[str, CValue] = {
        "shape": tuple(outer),
        "row_bytes": row * itemsize,
        "src_stride": tuple(s * itemsize for s in padded_front(src, _RANK, 0)[:-1]),
        "dst_stride": tuple(s * itemsize for s in padded_front(dst, _RANK, 0)[:-1]),
        "src_offset": source.offset * itemsize,
        "dst_offset": target.offset * itemsize,
        "dst_bytes": prod(target.shape) * itemsize,
    }
    return CStruct("mg_box_params", fields)
