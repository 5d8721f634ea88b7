"""Cases of reshape."""

from __future__ import annotations

from mcugrad.ops.reshape import ReshapeAttrs
from tests.ops.case import Case, Operand
from tests.ops.quant import codes, per_tensor

_Q = per_tensor(0.05, 3)

CASES = [
    Case("reshape", "f32_flat", (Operand((1, 3, 5, 2)),), ReshapeAttrs((1, 30))),
    Case("reshape", "f32_squeeze", (Operand((1, 1, 5)),), ReshapeAttrs((5,))),
    Case("reshape", "s8_flat", (codes((1, 3, 5, 2), _Q),), ReshapeAttrs((1, 30)), (_Q,)),
]
