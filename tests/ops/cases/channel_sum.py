"""Cases of channel_sum, and of the same under a mask."""

from __future__ import annotations

from tests.ops.case import Case, Operand, mask

_SHAPES = ((1, 4, 5, 3), (1, 1, 1, 17), (7, 8), (1, 12, 12, 9), (5,))

_OPTIONS = (("", False), ("-gathered", True))

CASES = [
    *(Case("channel_sum", "x".join(map(str, s)), (Operand(s),)) for s in _SHAPES),
    *(
        Case("channel_sum", "x".join(map(str, s)) + "-gathered", (Operand(s), Operand(s[-1:])))
        for s in _SHAPES
    ),
    *(
        Case(
            "masked_sum",
            "x".join(map(str, s)) + more,
            (Operand(s), mask(*s), *([Operand(s[-1:])] if gathered else [])),
            outputs=(None, None),
        )
        for s in (*_SHAPES, (1, 20, 20, 10))
        for more, gathered in _OPTIONS
    ),
]
