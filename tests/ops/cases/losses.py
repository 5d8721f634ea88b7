"""Cases of the losses."""

from __future__ import annotations

from mcugrad.ir.tensor import DType
from mcugrad.ops.loss import LossAttrs
from tests.ops.case import Case, Operand

_NO_QUANT = (None, None)


def _target(classes: int) -> Operand:
    return Operand((1,), DType.S32, range=(0, classes - 1))


CASES = [
    *(
        Case(
            "softmax_cross_entropy",
            f"f32_{n}",
            (Operand((1, n), range=(-5, 5)), _target(n)),
            LossAttrs(0.25),
            _NO_QUANT,
        )
        for n in (1, 2, 3, 10, 17)
    ),
    Case(
        "softmax_cross_entropy",
        "f32_vector",
        (Operand((5,)), _target(5)),
        LossAttrs(),
        _NO_QUANT,
    ),
    Case(
        "softmax_cross_entropy",
        "f32_far",
        (Operand((1, 5), range=(-3000, 3000)), _target(5)),
        LossAttrs(),
        _NO_QUANT,
    ),
    *(
        Case(
            "mean_squared_error",
            f"f32_{n}",
            (Operand((1, n)), Operand((1, n))),
            LossAttrs(0.5),
            _NO_QUANT,
        )
        for n in (1, 3, 17)
    ),
]
