"""Quantisations for test cases."""

from __future__ import annotations

import numpy as np

from mcugrad.ir.tensor import DType, QuantParams
from tests.ops.case import Operand


def per_tensor(scale: float, zero_point: int = 0) -> QuantParams:
    """One scale, rounded to single precision, and one zero point."""
    return QuantParams((float(np.float32(scale)),), (zero_point,))


def codes(shape: tuple[int, ...], quant: QuantParams) -> Operand:
    """An int8 operand."""
    return Operand(shape, DType.S8, quant)
