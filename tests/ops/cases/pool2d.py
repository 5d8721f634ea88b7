"""Cases of the poolings and their gradients."""

from __future__ import annotations

from mcugrad.ops.clamp_range import Clamp
from mcugrad.ops.pool import PoolAttrs, PoolBwdAttrs
from mcugrad.ops.window import Window
from tests.ops.case import Case, Operand
from tests.ops.quant import codes, per_tensor

_Q = per_tensor(0.04, -11)

#: name -> (height and width, window)
_USES = {
    "plain": ((4, 6), Window((2, 2), (2, 2))),
    "overlapping": ((7, 7), Window((3, 3), (2, 2), (1, 1, 1, 1))),
    "odd": ((5, 7), Window((3, 2), (1, 2), (0, 2, 1, 0))),
    "global": ((5, 3), Window((5, 3), (5, 3))),
    "row": ((1, 8), Window((1, 4), (1, 3), (0, 0, 0, 2))),
    "gaps": ((7, 6), Window((1, 2), (3, 4))),
    "identity": ((3, 2), Window((1, 1))),
}

_CHANNELS = (1, 3, 5, 17)


def _cases(op: str, inputs_of_bwd: int) -> list[Case]:
    cases = []
    for index, (name, ((height, width), window)) in enumerate(_USES.items()):
        channels = _CHANNELS[index % len(_CHANNELS)]
        shape = (1, height, width, channels)
        pooled = (1, *window.output_size(height, width), channels)
        bwd = PoolBwdAttrs(window, height, width)
        operands = (Operand(pooled), Operand(shape))[:inputs_of_bwd]
        cases += [
            Case(op, f"f32_{name}", (Operand(shape),), PoolAttrs(window)),
            Case(op, f"s8_{name}", (codes(shape, _Q),), PoolAttrs(window), (_Q,)),
            Case(f"{op}_bwd", f"f32_{name}", operands, bwd),
        ]
    window = Window((3, 3), (1, 1), (1, 1, 1, 1))
    for label, clamp in (("relu", Clamp(low=0.0)), ("relu6", Clamp(0.0, 6.0))):
        image = Operand((1, 5, 4, 6), range=(-9, 9))
        cases += [
            Case(op, f"f32_{label}", (image,), PoolAttrs(window, clamp)),
            Case(op, f"s8_{label}", (codes((1, 5, 4, 6), _Q),), PoolAttrs(window, clamp), (_Q,)),
        ]
    return cases


CASES = [*_cases("avg_pool2d", 1), *_cases("max_pool2d", 2)]
