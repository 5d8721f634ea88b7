"""Cases of sum_to."""

from __future__ import annotations

from mcugrad.ops.sum_to import SumToAttrs
from tests.ops.case import Case, Operand

_SHAPES = {
    "same": ((1, 3, 5), (1, 3, 5)),
    "scalar": ((1, 3, 5, 17), (1,)),
    "rank0": ((3, 5), ()),
    "channels": ((1, 3, 5, 17), (17,)),
    "few_channels": ((1, 9, 7, 3), (1, 1, 1, 3)),
    "one_channel": ((1, 6, 5, 1), (1,)),
    "pixels": ((1, 3, 4, 5), (1, 3, 4, 1)),
    "rows": ((1, 3, 4, 5), (1, 3, 1, 5)),
    "alternating": ((3, 4, 2, 5), (1, 4, 1, 5)),
    "alternating_outer": ((3, 4, 2, 5), (3, 1, 2, 1)),
}

CASES = [
    Case("sum_to", f"f32_{name}", (Operand(x),), SumToAttrs(shape))
    for name, (x, shape) in _SHAPES.items()
]
