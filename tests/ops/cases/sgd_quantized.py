"""Cases of the optimiser of int8 weights and int32 biases, and of its counter."""

from __future__ import annotations

from dataclasses import replace

from mcugrad.ir.tensor import DType, QuantParams
from mcugrad.ops.sgd_quantized import SgdQuantizedAttrs
from tests.ops.case import Case, Operand

_HYPER = Operand((3,), range=(0, 0.5))
_UPDATES = Operand((1,), DType.S32)


def _along(axis: int, count: int) -> QuantParams:
    return QuantParams(tuple(0.01 * (k + 1) for k in range(count)), (0,) * count, axis)


#: Multiples of another unit, of which the last is too small to be one.
_UNIT = QuantParams((0.01, 0.003, 1e-12), (0,) * 3, 0, unit=0.7)
_ONE = QuantParams((0.02,), (0,))
_LARGEST = (1 << 31) - 1

#: name -> (weights, attributes)
_USES = {
    "conv": (Operand((5, 3, 3, 4), DType.S8, _along(0, 5)), SgdQuantizedAttrs(127, 7)),
    "one_each": (Operand((5,), DType.S8, _along(0, 5)), SgdQuantizedAttrs(127, 99, rate=0.3)),
    "depthwise": (Operand((3, 3, 17), DType.S8, _along(2, 17)), SgdQuantizedAttrs(127, 1 << 30)),
    "per_tensor": (Operand((4, 9), DType.S8, _ONE), SgdQuantizedAttrs(127, 5)),
    "unit": (Operand((3, 5), DType.S8, _UNIT), SgdQuantizedAttrs(127, 8)),
    "bias": (Operand((17,), DType.S32, _along(0, 17)), SgdQuantizedAttrs(_LARGEST, 11, rate=7.0)),
    "bias_per_tensor": (Operand((6,), DType.S32, _ONE), SgdQuantizedAttrs(_LARGEST)),
}

CASES = [
    *(
        Case(
            "sgd_quantized",
            f"{w.dtype}_{name}",
            (w, Operand(w.shape), _UPDATES, _HYPER),
            attrs,
            (w.quant,),
        )
        for name, (w, attrs) in _USES.items()
    ),
    *(
        Case(
            "sgd_quantized",
            f"{w.dtype}_{name}_plain",
            (w, Operand(w.shape, range=(-300, 300)), _UPDATES, _HYPER),
            replace(attrs, qas=False),
            (w.quant,),
        )
        for name, (w, attrs) in _USES.items()
    ),
    # Steps so large that weights and the step itself saturate.
    Case(
        "sgd_quantized",
        "s8_saturates",
        (Operand((4, 9), DType.S8, _ONE), Operand((4, 9), range=(-1e9, 1e9)), _UPDATES, _HYPER),
        SgdQuantizedAttrs(127, 2),
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
        SgdQuantizedAttrs(_LARGEST, 2),
        (_ONE,),
    ),
    Case(
        "sgd_quantized",
        "s32_limited",
        (
            Operand((9,), DType.S32, _ONE, range=(-1000, 1000)),
            Operand((9,), range=(-1e2, 1e2)),
            _UPDATES,
            _HYPER,
        ),
        SgdQuantizedAttrs(700, 2),
        (_ONE,),
    ),
    Case("increment", "s32", (_UPDATES,)),
    Case("increment", "s32_wraps", (Operand((1,), DType.S32, range=(2147483647, 2147483647)),)),
]
