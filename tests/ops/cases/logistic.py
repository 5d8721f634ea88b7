"""Cases of logistic and its gradient."""

from __future__ import annotations

from tests.ops.case import Case, Operand
from tests.ops.quant import codes, per_tensor

_WIDE = (-9.0, 9.0)
_Y = per_tensor(1 / 256, -128)

CASES = [
    Case("logistic", "f32", (Operand((1, 3, 5, 17)),)),
    Case("logistic", "f32_wide", (Operand((1, 300), range=_WIDE),)),
    Case("logistic", "f32_tiny", (Operand((1, 30), range=(-1e-6, 1e-6)),)),
    Case("logistic", "f32_far", (Operand((5,), range=(-300.0, 300.0)),)),
    Case("logistic", "s8", (codes((1, 16, 16, 3), per_tensor(0.05, -9)),), outputs=(_Y,)),
    Case("logistic_bwd", "f32", (Operand((1, 3, 5, 3)), Operand((1, 3, 5, 3)))),
    Case("logistic_bwd", "f32_wide", (Operand((1, 300)), Operand((1, 300), range=_WIDE))),
]
