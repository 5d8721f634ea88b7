"""Cases of softmax and its gradient."""

from __future__ import annotations

from mcugrad.ops.softmax import SoftmaxAttrs
from tests.ops.case import Case, Operand
from tests.ops.quant import codes, per_tensor

_Y = per_tensor(1 / 256, -128)
_ONE, _SHARP = SoftmaxAttrs(), SoftmaxAttrs(2.5)

CASES = [
    *(Case("softmax", f"f32_{n}", (Operand((1, n), range=(-4, 4)),), _ONE) for n in (1, 3, 10, 17)),
    Case("softmax", "f32_rows", (Operand((1, 2, 3, 5)),), _SHARP),
    Case("softmax", "f32_far", (Operand((1, 10), range=(-3000, 3000)),), _ONE),
    *(
        Case("softmax", f"s8_{n}", (codes((1, n), per_tensor(0.1, 4)),), _ONE, (_Y,))
        for n in (1, 3, 10, 17, 1000)
    ),
    Case("softmax", "s8_rows", (codes((40, 12), per_tensor(0.02, 9)),), _SHARP, (_Y,)),
    Case("softmax", "s8_steep", (codes((40, 12), per_tensor(1.7, 9)),), _ONE, (_Y,)),
    Case("softmax", "s8_flat", (codes((40, 12), per_tensor(0.001, 9)),), _ONE, (_Y,)),
    Case("softmax_bwd", "f32", (Operand((1, 10)), Operand((1, 10), range=(0, 1))), _ONE),
    Case("softmax_bwd", "f32_rows", (Operand((2, 3, 5)), Operand((2, 3, 5), range=(0, 1))), _SHARP),
]
