"""Cases of clamp and its gradient."""

from __future__ import annotations

from mcugrad.ops.clamp_range import Clamp
from tests.ops.case import Case, Operand, mask
from tests.ops.quant import codes, per_tensor

_RANGES = {"relu": Clamp(low=0.0), "relu6": Clamp(0.0, 6.0), "relu1": Clamp(-1.0, 1.0)}
_WIDE = (-9.0, 9.0)

CASES = [
    *(
        Case("clamp", f"f32_{name}", (Operand((1, 3, 5, 17), range=_WIDE),), clamp)
        for name, clamp in _RANGES.items()
    ),
    *(
        Case(
            "clamp",
            f"s8_{name}",
            (codes((1, 16, 16, 3), per_tensor(0.06, 9)),),
            clamp,
            (per_tensor(0.024, -128),),
        )
        for name, clamp in _RANGES.items()
    ),
    Case("clamp", "f32_none", (Operand((3,)),), Clamp()),
    *(
        Case(
            "clamp_bwd",
            f"f32_{name}",
            (Operand((1, 3, 5, 3)), Operand((1, 3, 5, 3), range=_WIDE)),
            clamp,
        )
        for name, clamp in _RANGES.items()
    ),
    *(
        Case(
            "clamp_bwd",
            f"s8_{name}",
            (Operand((1, 3, 5, 17)), codes((1, 3, 5, 17), per_tensor(0.024, zero_point))),
            clamp,
        )
        for name, zero_point, clamp in (
            ("relu", -128, Clamp(low=0.0)),
            ("relu6", -100, Clamp(0.0, 2.4)),
            ("none", 3, Clamp()),
        )
    ),
    *(
        Case("saturation_mask", f"s8_{size}", (codes((1, size), per_tensor(0.024, -128)),), clamp)
        for size, clamp in ((8, Clamp(0.0, 2.4)), (13, Clamp(low=0.0)), (1, Clamp()))
    ),
    *(
        Case(
            "saturation_mask_bwd",
            f"f32_{size}",
            (Operand((1, size)), mask(size)),
        )
        for size in (8, 13, 1)
    ),
]
