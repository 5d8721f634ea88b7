"""Cases of the optimisers, and of gathering and merging the channels that they learn."""

from __future__ import annotations

from mcugrad.ir.tensor import DType
from mcugrad.ops.gather_channels import GatherAttrs
from mcugrad.ops.merge_channels import MergeAttrs
from mcugrad.ops.sgd import SgdAttrs
from tests.ops.case import Case, Operand
from tests.ops.quant import codes, per_tensor

_HYPER = Operand((3,), range=(0, 1))
_Q = per_tensor(0.05, 3)

_WEIGHTS = {
    "all": (Operand((5, 3, 3, 3)), SgdAttrs()),
    "vector": (Operand((17,)), SgdAttrs(0.3)),
}

#: name -> (shape of the whole, shape of the part, attributes)
_MERGES = {
    "last": ((3, 2, 2, 5), (3, 2, 2, 3), MergeAttrs((0, 1, 4), 3)),
    "first": ((5, 1, 3), (2, 1, 3), MergeAttrs((1, 4), 0)),
    "middle": ((2, 5, 3), (2, 3, 3), MergeAttrs((1, 2, 3), 1)),
    "every": ((2, 3), (2, 3), MergeAttrs((0, 1, 2), 1)),
}

_CHANNELS = {"some": (0, 3, 4, 9), "one": (16,), "every": tuple(range(17))}

CASES = [
    *(Case("sgd", f"f32_{name}", (w, w, _HYPER), attrs) for name, (w, attrs) in _WEIGHTS.items()),
    *(
        Case("sgd_momentum", f"f32_{name}", (w, w, w, _HYPER), attrs, outputs=(None, None))
        for name, (w, attrs) in _WEIGHTS.items()
    ),
    *(
        Case("merge_channels", f"f32_{name}", (Operand(whole), Operand(part)), attrs)
        for name, (whole, part, attrs) in _MERGES.items()
    ),
    *(
        Case("merge_channels", f"s8_{name}", (codes(whole, _Q), codes(part, _Q)), attrs, (_Q,))
        for name, (whole, part, attrs) in _MERGES.items()
    ),
    *(
        Case("gather_channels", f"f32_{name}", (Operand((1, 3, 2, 17)),), GatherAttrs(channels))
        for name, channels in _CHANNELS.items()
    ),
    Case("gather_channels", "s8", (codes((1, 3, 2, 5), _Q),), GatherAttrs((1, 2, 4)), (_Q,)),
    Case("gather_channels", "f32_flat", (Operand((5,), DType.F32),), GatherAttrs((0, 4))),
    Case("gather_channels", "f32_again", (Operand((1, 3, 2, 5)),), GatherAttrs((0, 1, 1, 4, 4))),
]
