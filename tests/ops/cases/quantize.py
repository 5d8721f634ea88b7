"""Cases of quantize and dequantize."""

from __future__ import annotations

from mcugrad.ir.tensor import QuantParams
from tests.ops.case import Case, Operand
from tests.ops.quant import codes, per_tensor

_CODES = (1, 16, 16, 3)

CASES = [
    Case(
        "quantize",
        "f32",
        (Operand((1, 31, 17), range=(-5, 5)),),
        outputs=(per_tensor(0.03, 7),),
    ),
    Case("quantize", "f32_ties", (Operand((1, 9), range=(0, 0)),), outputs=(per_tensor(2, 7),)),
    Case("quantize", "f32_far", (Operand((9,), range=(-1e6, 1e6)),), outputs=(per_tensor(1),)),
    Case(
        "quantize",
        "s8_coarser",
        (codes(_CODES, per_tensor(0.03, 7)),),
        outputs=(per_tensor(0.08, -128),),
    ),
    Case(
        "quantize",
        "s8_finer",
        (codes(_CODES, per_tensor(0.08, -128)),),
        outputs=(per_tensor(0.03, 7),),
    ),
    Case("dequantize", "s8", (codes(_CODES, per_tensor(0.08, -128)),)),
    *(
        Case(
            "dequantize",
            f"s8_axis_{axis}",
            (codes(shape, QuantParams((0.5, 0.01, 3.0), (0, 0, 0), axis)),),
        )
        for axis, shape in enumerate([(3, 2, 5), (2, 3, 5), (2, 5, 3)])
    ),
]
