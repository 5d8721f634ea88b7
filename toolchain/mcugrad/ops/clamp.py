"""Limiting values to a range: ReLU, ReLU6, ReLU_N1_TO_1, alone or fused.

The derivative is 1 strictly inside the range and 0 elsewhere, so the result alone
decides it and the operand need not be kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import GradientContext, Kernel, Op, OpCall, Spec, register
from mcugrad.ops.clamp_range import Clamp
from mcugrad.ops.lookup_table import lut_kernel, table_reference
from mcugrad.ops.shapes import size_params


def _infer(call: OpCall) -> tuple[Spec, ...]:
    return (Spec(call.input(0).shape, call.dtype),)


def _requantized(call: OpCall, q: Array) -> Array:
    raise NotImplementedError


def clamp_gradient(ctx: GradientContext, clamp: Clamp, y: str, dy: str) -> str:
    """The gradient before a fused activation; ``y`` is the operator's result."""
    return ctx.emit("clamp_bwd", clamp, (dy, y), f"d_pre.{y}") if clamp.active else dy


def _gradient(
    ctx: GradientContext, attrs: Any, _x: Sequence[str], y: Sequence[str], dy: Sequence[str]
) -> Sequence[str | None]:
    return (clamp_gradient(ctx, attrs, y[0], dy[0]),)


def _bwd_reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    dy, y = values
    assert dy is not None and y is not None
    clamp: Clamp = call.attrs
    return (np.where((y > clamp.low) & (y < clamp.high), dy, 0.0),)
