"""Cases of the optimiser of int8 weights and int32 biases, and of its counter."""

from __future__ import annotations

from mcugrad.ir.tensor import DType, QuantParams
from mcugrad.ops.sgd_quantized import SgdQuantizedAttrs
from tests.ops.case import Case, Operand

_HYPER = Operand((3,), range=(0, 0.5))
_UPDATES = Operand((1,), DType.S32)


def _along(axis: int, count: int) -> QuantParams:
    return QuantParams(tuple(0.01 * (k + 1) for k in range(count)), (0,) * count, axis)


_ONE = QuantParams((0.02,), (0,))

#: name -> (shape, type, quantisation, shape of the gradient, attributes)
_USES = {
    "conv": ((5, 3, 3, 4), DType.S8, _along(0, 5), (5, 3, 3, 4), SgdQuantizedAttrs(salt=7)),
    "conv_slice": (
        (5, 1, 2, 6),
        DType.S8,
        _along(0, 5),
        (5, 1, 2, 3),
        SgdQuantizedAttrs((0, 1, 4), 3, 99),
    ),
    "depthwise": ((3, 3, 17), DType.S8, _along(2, 17), (3, 3, 17), SgdQuantizedAttrs(salt=3)),
    "depthwise_slice": (
        (3, 2, 5),
        DType.S8,
        _along(2, 5),
        (3, 2, 2),
        SgdQuantizedAttrs((1, 4), 2, 1 << 30),
    ),
    "per_tensor": ((4, 9), DType.S8, _ONE, (4, 9), SgdQuantizedAttrs(salt=5)),
    "bias": ((17,), DType.S32, _along(0, 17), (17,), SgdQuantizedAttrs(salt=11)),
    "bias_per_tensor": ((6,), DType.S32, _ONE, (6,), SgdQuantizedAttrs()),
}

CASES = [
    *(
        Case(
            "sgd_quantized",
            f"{dtype}_{name}",
            (Operand(w, dtype, quant), Operand(dw), _UPDATES, _HYPER),
            attrs,
            (quant,),
        )
        for name, (w, dtype, quant, dw, attrs) in _USES.items()
    ),
    # Steps so large that weights and the step itself saturate.
    Case(
        "sgd_quantized",
        "s8_saturates",
        (Operand((4, 9), DType.S8, _ONE), Operand((4, 9), range=(-1e9, 1e9)), _UPDATES, _HYPER),
        SgdQuantizedAttrs(salt=2),
        (_ONE,),
    ),
    Case(
        "sgd_quantized",
        "s32_saturates",
        (
            Operand((9,), DType.S32, _ONE, range=(2147480000, 2147483647)),
            Operand((9,), range=(-1e6, 1e6)),
            _UPDATES,
            _HYPER,
        ),
        SgdQuantizedAttrs(salt=2),
        (_ONE,),
    ),
    Case("increment", "s32", (_UPDATES,)),
    Case("increment", "s32_wraps", (Operand((1,), DType.S32, range=(2147483647, 2147483647)),)),
]
