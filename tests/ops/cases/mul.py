"""Cases of mul."""

from __future__ import annotations

from mcugrad.ops.clamp_range import Clamp
from mcugrad.ops.elementwise import ElementwiseAttrs
from tests.ops.case import Case, Operand
from tests.ops.quant import codes, per_tensor

_NONE, _RELU, _RELU6 = (ElementwiseAttrs(c) for c in (Clamp(), Clamp(low=0.0), Clamp(0.0, 6.0)))
_A, _B, _Y = per_tensor(0.07, 5), per_tensor(1 / 256, -128), per_tensor(0.04, -17)

_SHAPES = {
    "same": ((1, 3, 5, 17), (1, 3, 5, 17)),
    "scalar": ((1, 3, 5, 3), (1,)),
    "scalar_first": ((1, 1, 1, 1), (1, 4, 3, 5)),
    "gate": ((1, 4, 4, 5), (1, 1, 1, 5)),
    "pixels": ((1, 3, 4, 5), (1, 3, 4, 1)),
    "both": ((1, 3, 1, 5), (1, 1, 4, 5)),
    "outer": ((1, 5, 1), (1, 1, 3)),
}

CASES = [
    *(
        Case("mul", f"f32_{name}", (Operand(a), Operand(b)), _NONE)
        for name, (a, b) in _SHAPES.items()
    ),
    *(
        Case("mul", f"s8_{name}", (codes(a, _A), codes(b, _B)), _NONE, (_Y,))
        for name, (a, b) in _SHAPES.items()
    ),
    Case("mul", "f32_relu", (Operand((1, 3, 3, 3)), Operand((1, 3, 3, 3))), _RELU),
    Case("mul", "s8_relu6", (codes((1, 8, 8, 5), _A), codes((5,), _A)), _RELU6, (_Y,)),
    Case(
        "mul",
        "s8_left_shift",
        (codes((1, 4, 4, 3), per_tensor(2.0, 1)), codes((1, 4, 4, 3), per_tensor(3.0, -2))),
        _NONE,
        (per_tensor(0.7, 3),),
    ),
]
