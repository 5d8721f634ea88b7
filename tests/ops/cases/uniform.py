"""Cases of uniform."""

from __future__ import annotations

from mcugrad.ir.draw import Draw
from mcugrad.ir.tensor import DType
from mcugrad.ops.uniform import UniformAttrs
from tests.ops.case import Case

_SHAPE = (7, 3, 5)

CASES = [
    Case("uniform", "f32", (), UniformAttrs(Draw(0x12345678, 0.31), _SHAPE, DType.F32)),
    Case("uniform", "f16", (), UniformAttrs(Draw(5, 1.7), _SHAPE, DType.F16)),
    Case("uniform", "s8", (), UniformAttrs(Draw(0x7FFFFFFF, 32.0), _SHAPE, DType.S8)),
    Case("uniform", "s8_widest", (), UniformAttrs(Draw(9, 127.0), _SHAPE, DType.S8)),
]
