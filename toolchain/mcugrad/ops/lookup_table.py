"""Operators on one int8 operand: a table of 256 results replaces the arithmetic.

An operator gives a rule from codes to codes; the golden model and the C kernel both read
the table that the compiler makes with it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import CArray, CStruct, Kernel, OpCall
from mcugrad.ops.quantized import Ints, round_half_away
from mcugrad.ops.requantize import quant_of
from mcugrad.ops.shapes import size_params

#: (call, codes of the operand) -> codes of the result before saturation to int8
Rule = Callable[[OpCall, Ints], Array]

Singles = NDArray[np.float32]


def lookup_table(call: OpCall, rule: Rule) -> Array:
    """The int8 results, in the order of the operand's byte: 0 to 127, then -128 to -1."""
    codes = np.arange(256).astype(np.uint8).view(np.int8).astype(np.int64)
    return np.clip(rule(call, codes), -128, 127).astype(np.int8)


def look_up(call: OpCall, x: Array, rule: Rule) -> Array:
    """The int8 results for the operand ``x``."""
    return np.asarray(lookup_table(call, rule)[x.view(np.uint8)])


def lookup_kernel(rule: Rule) -> Kernel:
    """The kernel row that serves the rule."""

    def quant(call: OpCall) -> CStruct:
        table = lookup_table(call, rule)
        return CStruct("mg_lookup_s8", {"table": CArray("int8_t", table.tolist())})

    return Kernel("mg_lookup_s8_fwd", DType.S8, params=size_params, quant=quant, inplace=((0, 0),))


def real_rule(function: Callable[[Singles], Singles]) -> Rule:
    """LiteRT's ``LUTPopulate``: the function on real values, all in single precision."""

    def rule(call: OpCall, codes: Ints) -> Array:
        x_scale, x_zero = quant_of(call.input(0)).per_tensor
        y_scale, y_zero = quant_of(call.outputs[0]).per_tensor
        real = np.float32(x_scale) * (codes - x_zero).astype(np.float32)
        inverse = np.float32(1) / np.float32(y_scale)
        return np.asarray(round_half_away(function(real) * inverse) + y_zero)

    return rule
