"""Cases of pad and slice."""

from __future__ import annotations

from mcugrad.ops.pad import PadAttrs, SliceAttrs
from tests.ops.case import Case, Operand
from tests.ops.quant import codes, per_tensor

_Q = per_tensor(0.05, -37)

_PADS = {
    "image": ((1, 3, 5, 3), ((0, 0), (1, 2), (0, 3), (0, 0))),
    "rows": ((1, 3, 5, 3), ((0, 0), (2, 0), (0, 0), (0, 0))),
    "channels": ((1, 2, 3, 5), ((0, 0), (0, 0), (0, 0), (1, 2))),
    "all": ((2, 2, 3, 1), ((1, 0), (0, 1), (1, 1), (2, 1))),
    "nothing": ((1, 2, 3), ((0, 0), (0, 0), (0, 0))),
    "vector": ((17,), ((3, 5),)),
    "one": ((1, 1), ((1, 1), (0, 2))),
}

_SLICES = {
    "channels": ((1, 3, 5, 17), (0, 0, 0, 4), (1, 3, 5, 5)),
    "image": ((1, 5, 7, 3), (0, 1, 2, 0), (1, 3, 4, 3)),
    "all": ((2, 3, 4, 5), (1, 1, 2, 3), (1, 2, 2, 1)),
    "whole": ((1, 3, 2), (0, 0, 0), (1, 3, 2)),
    "column": ((3, 5), (0, 2), (3, 1)),
    "one": ((4, 3), (2, 1), (1, 1)),
}

CASES = [
    *(Case("pad", f"f32_{n}", (Operand(x),), PadAttrs(p)) for n, (x, p) in _PADS.items()),
    *(Case("pad", f"s8_{n}", (codes(x, _Q),), PadAttrs(p), (_Q,)) for n, (x, p) in _PADS.items()),
    *(
        Case("slice", f"f32_{n}", (Operand(x),), SliceAttrs(begin, size))
        for n, (x, begin, size) in _SLICES.items()
    ),
    *(
        Case("slice", f"s8_{n}", (codes(x, _Q),), SliceAttrs(begin, size), (_Q,))
        for n, (x, begin, size) in _SLICES.items()
    ),
]
