"""Stochastic gradient descent on int8 weights and int32 biases, from integer gradients.

As ``sgd_quantized``, in fixed point: a step of 24 fractional bits is the gradient's code times
``learning_rate * factor * 2^exponent``, whose significand of 24 bits is that of the float product;
decay takes ``learning_rate * weight_decay * w`` more. The step is rounded with a number drawn
from a counter and taken from the weight, which saturates. ``factor`` is the gradient's scale over
the weight's, or without quantisation-aware scaling times it.

Weights that start from nothing take many small steps, whose rounding would add up to noise. With
the optional last input, the remainders in 1/256 of a step, these are kept: rounding is to 1/256,
and the second output is what the nearest integer leaves over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mcugrad.ir.draw import draws
from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import Op, OpCall, Spec, register, require
from mcugrad.ops.integer_gradient import Ints, rounded_shift, scale_of
from mcugrad.ops.requantize import quant_of, stored_scales
from mcugrad.ops.sgd_quantized import SgdQuantizedAttrs, run_of, step_kernel
from mcugrad.ops.shapes import given

_FRACTION = 24

#: Bits of a remainder.
_KEPT = 8
_MOST = 1 << 61


@dataclass(frozen=True)
class _Parts:
    """A float >= 0 as ``significand * 2^exponent``; 0 for what is negative or not finite."""

    significand: int
    exponent: int


def parts(x: np.float32) -> _Parts:
    """What the bits of ``x`` say."""
    if not 0 < x < np.inf:
        return _Parts(0, 0)
    bits = int(x.view(np.uint32))
    field = bits >> 23
    return _Parts((bits & 0x7FFFFF) | (0x800000 if field else 0), max(field, 1) - 150)


def shifted(x: Ints, left: int) -> Ints:
    """``x * 2^left``, downwards where it is not whole, held to 2^61 in magnitude."""
    if left <= 0:
        return x >> min(-left, 63)
    limit = _MOST >> min(left, 62)
    grown = np.clip(x, -limit, limit) << min(left, 61)
    return np.where(x > limit, _MOST, np.where(x < -limit, -_MOST, grown))


def _infer(call: OpCall) -> tuple[Spec, ...]:
    w, dw, exponent, updates, hyper = (call.input(i) for i in range(5))
    require(w.dtype in (DType.S8, DType.S32), f"weights of type {w.dtype}")
    require(dw.shape == w.shape and dw.dtype is DType.S32, f"gradient of {dw.dtype} {dw.shape}")
    require(exponent.shape == (2,) and updates.shape == (1,), "an exponent and a count of updates")
    require(hyper.shape == (3,), "three hyper-parameters")
    if not call.has_input(5):
        return (Spec(w.shape, w.dtype),)
    kept = call.input(5)
    require(w.dtype is kept.dtype is DType.S8 and kept.shape == w.shape, "remainders of weights")
    return Spec(w.shape, DType.S8), Spec(w.shape, DType.S8)


def _factors(call: OpCall) -> NDArray[np.float32]:
    """From the gradient's code to steps of the weight, for each of the weight's scales."""
    attrs: SgdQuantizedAttrs = call.attrs
    unit, scales = np.float32(scale_of(call.input(1))), stored_scales(quant_of(call.input(0)))
    with np.errstate(divide="ignore"):
        return unit / scales if attrs.qas else unit * scales


def _reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    w, dw, exponent, updates, hyper, *kept = given(values)
    attrs: SgdQuantizedAttrs = call.attrs
    rate = np.float32(attrs.rate) * np.float32(hyper[0])
    decay = parts(rate * np.float32(hyper[2]))
    factors, run = _factors(call), run_of(call.input(0))
    stored, gradient = (v.astype(np.int64).reshape(-1, run) for v in (w, dw))
    step = shifted(stored * decay.significand, decay.exponent + _FRACTION)
    for i in range(len(stored)):
        factor = parts(rate * factors[i % len(factors)])
        left = factor.exponent + int(exponent[0]) + _FRACTION
        step[i] += shifted(gradient[i] * factor.significand, left)
    random = draws(attrs.salt, int(updates[0]), w.size) * np.float32(1 << _FRACTION)
    most = 1 << (30 + _FRACTION)
    finer = _KEPT if kept else 0
    drawn = np.clip(step, -most, most) + (random.astype(np.int64) >> finer).reshape(step.shape)
    total = (stored << finer) + (kept[0].astype(np.int64).reshape(step.shape) if kept else 0)
    limit = attrs.limit << finer
    updated = np.clip(total - (drawn >> (_FRACTION - finer)), -limit, limit).reshape(w.shape)
    if not kept:
        return (updated,)
    whole = rounded_shift(updated, _KEPT)
    return whole, updated - (whole << _KEPT)


register(
    Op(
        "sgd_integer",
        SgdQuantizedAttrs,
        _infer,
        _reference,
        kernels=(
            step_kernel("mg_sgd_integer_s32_step", DType.S32, lambda call: scale_of(call.input(1))),
        ),
    )
)
