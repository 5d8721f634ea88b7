"""Cases of leaky_relu and its gradient."""

from __future__ import annotations

from mcugrad.ops.leaky_relu import LeakyReluAttrs
from tests.ops.case import Case, Operand
from tests.ops.quant import codes, per_tensor

_X, _Y = per_tensor(0.05, -9), per_tensor(0.032, 20)

CASES = [
    *(
        Case("leaky_relu", f"f32_{alpha}", (Operand((1, 3, 5, 3)),), LeakyReluAttrs(alpha))
        for alpha in (0.01, 0.3, 1.5, -0.2)
    ),
    *(
        Case("leaky_relu", f"s8_{a}", (codes((1, 16, 16, 3), _X),), LeakyReluAttrs(a), (_Y,))
        for a in (0.01, 0.3, 1.5)
    ),
    Case("leaky_relu_bwd", "f32", (Operand((1, 3, 17)), Operand((1, 3, 17))), LeakyReluAttrs(0.1)),
]
