"""Cases of mean and its gradient."""

from __future__ import annotations

from mcugrad.ops.mean import MeanAttrs, MeanBwdAttrs
from tests.ops.case import Case, Operand
from tests.ops.quant import codes, per_tensor

_X, _Y = per_tensor(0.03, -20), per_tensor(0.017, 11)

_USES = {
    "image": ((1, 7, 5, 17), (1, 2), False),
    "image_kept": ((1, 7, 5, 3), (1, 2), True),
    "one_pixel": ((1, 1, 1, 5), (1, 2), False),
    "rows": ((1, 4, 6, 5), (1,), True),
    "columns": ((1, 4, 6, 5), (2,), False),
    "channels": ((1, 3, 3, 17), (3,), True),
    "outer": ((3, 4, 2, 5), (0, 2), False),
    "all": ((1, 5, 3), (0, 1, 2), False),
}

CASES = [
    *(
        Case("mean", f"f32_{name}", (Operand(shape),), MeanAttrs(axes, keep))
        for name, (shape, axes, keep) in _USES.items()
    ),
    *(
        Case("mean", f"s8_{name}", (codes(shape, _X),), MeanAttrs(axes, keep), (_Y,))
        for name, (shape, axes, keep) in _USES.items()
    ),
    Case("mean", "s8_same_scale", (codes((1, 8, 8, 64), _X),), MeanAttrs((1, 2)), (_X,)),
    Case(
        "mean",
        "s8_left_shift",
        (codes((1, 3, 3, 9), per_tensor(0.9, 3)),),
        MeanAttrs((1, 2)),
        (per_tensor(0.011, -9),),
    ),
    Case(
        "mean_bwd",
        "f32_image",
        (Operand((1, 17)),),
        MeanBwdAttrs(MeanAttrs((1, 2)), (1, 7, 5, 17)),
    ),
    Case(
        "mean_bwd",
        "f32_outer",
        (Operand((4, 5)),),
        MeanBwdAttrs(MeanAttrs((0, 2)), (3, 4, 2, 5)),
    ),
    Case(
        "mean_bwd",
        "f32_channels",
        (Operand((1, 3, 3, 1)),),
        MeanBwdAttrs(MeanAttrs((3,), keep_dims=True), (1, 3, 3, 5)),
    ),
]
