"""Cases of add and sub."""

from __future__ import annotations

from mcugrad.ops.clamp_range import Clamp
from mcugrad.ops.elementwise import ElementwiseAttrs
from tests.ops.case import Case, Operand
from tests.ops.quant import codes, per_tensor

_NONE, _RELU, _RELU6 = (ElementwiseAttrs(c) for c in (Clamp(), Clamp(low=0.0), Clamp(0.0, 6.0)))
_A, _B, _Y = per_tensor(0.07, 5), per_tensor(0.031, -128), per_tensor(0.09, -17)

_SHAPES = {
    "same": ((1, 3, 5, 17), (1, 3, 5, 17)),
    "scalar": ((1, 3, 5, 3), (1,)),
    "rank0": ((1, 3, 2), ()),
    "scalar_first": ((1, 1, 1, 1), (1, 4, 3, 5)),
    "channels": ((1, 4, 4, 5), (5,)),
    "channels_first": ((1, 1, 1, 17), (1, 2, 3, 17)),
    "pixels": ((1, 3, 4, 5), (1, 3, 4, 1)),
    "both": ((1, 3, 1, 5), (1, 1, 4, 5)),
    "outer": ((1, 5, 1), (1, 1, 3)),
    "alternating": ((3, 1, 2, 5), (1, 4, 1, 5)),
}


def _cases(op: str) -> list[Case]:
    return [
        *(
            Case(op, f"f32_{name}", (Operand(a), Operand(b)), _NONE)
            for name, (a, b) in _SHAPES.items()
        ),
        *(
            Case(op, f"s8_{name}", (codes(a, _A), codes(b, _B)), _NONE, (_Y,))
            for name, (a, b) in _SHAPES.items()
        ),
        Case(op, "f32_relu", (Operand((1, 3, 3, 3)), Operand((1, 3, 3, 3))), _RELU),
        Case(
            op,
            "f32_relu6",
            (Operand((1, 3, 3, 3), range=(-9, 9)), Operand((3,), range=(-4, 4))),
            _RELU6,
        ),
        Case(op, "s8_relu", (codes((1, 5, 5, 3), _A), codes((1, 5, 5, 3), _B)), _RELU, (_Y,)),
        Case(
            op,
            "s8_relu6",
            (codes((1, 5, 5, 3), _B), codes((1, 1, 1, 3), _A)),
            _RELU6,
            (per_tensor(6 / 255, -128),),
        ),
        Case(
            op,
            "s8_far_scales",
            (codes((1, 8, 8, 5), per_tensor(1e-4, 127)), codes((1, 8, 8, 5), per_tensor(0.5, -3))),
            _NONE,
            (per_tensor(0.4, 2),),
        ),
    ]


CASES = [*_cases("add"), *_cases("sub")]
