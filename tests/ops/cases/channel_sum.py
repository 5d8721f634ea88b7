"""Cases of channel_sum."""

from __future__ import annotations

from tests.ops.case import Case, Operand

_SHAPES = ((1, 4, 5, 3), (1, 1, 1, 17), (7, 8), (1, 12, 12, 9), (5,))

CASES = [
    *(Case("channel_sum", "x".join(map(str, s)), (Operand(s),)) for s in _SHAPES),
    *(
        Case("channel_sum", "x".join(map(str, s)) + "-gathered", (Operand(s), Operand(s[-1:])))
        for s in _SHAPES
    ),
]
