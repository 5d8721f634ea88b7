"""Cases of concat."""

from __future__ import annotations

from mcugrad.ops.concat import ConcatAttrs
from tests.ops.case import Case, Operand
from tests.ops.quant import codes, per_tensor

_Q = per_tensor(0.05, 3)

_USES = {
    "channels": (3, ((1, 3, 5, 1), (1, 3, 5, 17), (1, 3, 5, 3))),
    "rows": (1, ((1, 2, 3, 5), (1, 4, 3, 5))),
    "columns": (2, ((1, 2, 3, 5), (1, 2, 1, 5), (1, 2, 2, 5), (1, 2, 4, 5))),
    "vector": (0, ((3,), (5,))),
    "alone": (1, ((1, 3),)),
    "eight": (1, tuple((2, n) for n in range(1, 9))),
}

CASES = [
    *(
        Case("concat", f"f32_{name}", tuple(Operand(s) for s in shapes), ConcatAttrs(axis))
        for name, (axis, shapes) in _USES.items()
    ),
    *(
        Case("concat", f"s8_{name}", tuple(codes(s, _Q) for s in shapes), ConcatAttrs(axis), (_Q,))
        for name, (axis, shapes) in _USES.items()
    ),
]
