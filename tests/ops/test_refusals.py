"""Operands that do not fit are refused, with a reason."""

from __future__ import annotations

import pytest

from mcugrad.ir.tensor import DType, Tensor
from mcugrad.ops import OpCall, lookup
from mcugrad.ops.base import NoAttrs
from mcugrad.ops.concat import ConcatAttrs
from mcugrad.ops.elementwise import ElementwiseAttrs
from mcugrad.ops.mean import MeanAttrs
from mcugrad.ops.pad import PadAttrs, SliceAttrs
from mcugrad.ops.pool import PoolAttrs
from mcugrad.ops.reshape import ReshapeAttrs
from mcugrad.ops.softmax import SoftmaxAttrs
from mcugrad.ops.window import Window
from tests.ops.quant import per_tensor

_IMAGE = Tensor("x", (1, 4, 4, 3), DType.F32)
_CODES = Tensor("x", (1, 4, 4, 3), DType.S8, per_tensor(0.1, 3))
_OTHERS = Tensor("x", (1, 4, 4, 3), DType.S8, per_tensor(0.2, 3))


@pytest.mark.parametrize(
    ("call", "op", "reason"),
    [
        (
            OpCall(ElementwiseAttrs(), [_IMAGE, Tensor("y", (2,), DType.F32)], ()),
            "add",
            "broadcast",
        ),
        (OpCall(ElementwiseAttrs(), [_IMAGE, _CODES], ()), "mul", "element type"),
        (
            OpCall(
                ElementwiseAttrs(),
                [
                    Tensor("x", (2, 1, 3, 1, 2, 1), DType.F32),
                    Tensor("y", (1, 4, 1, 5, 1, 3), DType.F32),
                ],
                (),
            ),
            "sub",
            "separate dimensions",
        ),
        (OpCall(ConcatAttrs(4), [_IMAGE], ()), "concat", "no axis"),
        (OpCall(ConcatAttrs(3), [_IMAGE] * 9, ()), "concat", "between 1 and 8"),
        (OpCall(ConcatAttrs(3), [_CODES, _OTHERS], ()), "concat", "share one scale"),
        (
            OpCall(ConcatAttrs(3), [_IMAGE, Tensor("y", (1, 4, 5, 3), DType.F32)], ()),
            "concat",
            "more than the axis",
        ),
        (OpCall(PadAttrs(((0, 0),)), [_IMAGE], ()), "pad", "each dimension"),
        (OpCall(PadAttrs(((0, 0),) * 3 + ((-1, 0),)), [_IMAGE], ()), "pad", "negative"),
        (OpCall(SliceAttrs((0,) * 4, (1, 4, 4, 4)), [_IMAGE], ()), "slice", "outside"),
        (
            OpCall(PoolAttrs(Window((2, 2), pad=(2, 0, 0, 0))), [_IMAGE], ()),
            "max_pool2d",
            "padding",
        ),
        (OpCall(PoolAttrs(Window((2, 2), dilation=(2, 1))), [_IMAGE], ()), "avg_pool2d", "dilated"),
        (OpCall(PoolAttrs(Window((2, 2))), [_CODES], [_OTHERS]), "avg_pool2d", "share one scale"),
        (OpCall(MeanAttrs((4,)), [_IMAGE], ()), "mean", "axes"),
        (OpCall(MeanAttrs((1, 1)), [_IMAGE], ()), "mean", "twice"),
        (OpCall(ReshapeAttrs((1, 47)), [_IMAGE], ()), "reshape", "become"),
        (OpCall(SoftmaxAttrs(), [_CODES], [_OTHERS]), "softmax", "1/256"),
        (
            OpCall(NoAttrs(), [_IMAGE, Tensor("y", (1, 4, 4, 2), DType.F32)], ()),
            "logistic_bwd",
            "differ",
        ),
    ],
)
def test_refused(call: OpCall, op: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        lookup(op).infer(call)
