"""Cross-entropy of integer logits and its integer gradient, in fixed point.

Inputs: logits s8 or s32 of one sample with one scale, target s32 [1]. Outputs: the loss [1] as a
float, codes s16 of the logits' shape with scale 2^-30, their exponent [2]. Exponentials are
powers of two in Q30 of Q20 arguments, so every device computes the same bits. The largest code
fills 14 bits whatever the sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, log, log2

import numpy as np

from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import CStruct, Kernel, NoAttrs, Op, OpCall, Spec, register, require
from mcugrad.ops.integer_gradient import CODE_BITS, codes, rounded_shift
from mcugrad.ops.requantize import quant_of
from mcugrad.ops.shapes import given, size_params

#: The scale of the gradient's codes.
SCALE = 2.0**-30

_ONE = 1 << 30
#: 2^-f on [0, 1] at Chebyshev points, in Q30, the highest power first; to within 6e-8.
_POWER = (-1017428, 9890102, -59377501, 257890763, -744256846, 1073741765)


def _infer(call: OpCall) -> tuple[Spec, ...]:
    logits, target = call.input(0), call.input(1)
    require(logits.dtype in (DType.S8, DType.S32), f"logits of type {logits.dtype}")
    require(logits.size == logits.shape[-1], f"logits of one sample, not {logits.shape}")
    require(target.shape == (1,) and target.dtype is DType.S32, "the target is one s32 class index")
    require(_multiplier(call)[1] >= 0, "logits of a scale above 1400")
    return Spec((1,), DType.F32), Spec(logits.shape, DType.S16), Spec((2,), DType.S32)


def _multiplier(call: OpCall) -> tuple[int, int]:
    """``multiplier / 2^shift``: a step of the logits in powers of two, Q20."""
    step = quant_of(call.input(0)).per_tensor[0] / log(2.0) * (1 << 20)
    shift = 29 - floor(log2(step))
    return round(step * 2.0**shift), min(shift, 62)


def _power(x: int) -> int:
    """``2^-(x / 2^20)`` in Q30."""
    whole, f = x >> 20, x & ((1 << 20) - 1)
    total = _POWER[0]
    for coefficient in _POWER[1:]:
        total = coefficient + ((total * f) >> 20)
    return 0 if whole > 30 else total >> whole


def _logarithm(x: int) -> int:
    """The binary logarithm, in Q20, of x >= 1 in Q30."""
    whole = 0
    while x >= 2 * _ONE:
        x >>= 1
        whole += 1
    for _ in range(20):
        x = (x * x) >> 30
        bit = int(x >= 2 * _ONE)
        x >>= bit
        whole = 2 * whole + bit
    return whole


def _ratio(part: int, total: int) -> int:
    """``part / total`` in Q30."""
    while total >= 8 * _ONE:
        part >>= 1
        total >>= 1
    return part * _ONE // total


def _reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    logits, target = given(values)
    multiplier, shift = _multiplier(call)
    label = int(target[0])
    flat = [int(v) for v in logits.reshape(-1)]
    below = [min(((max(flat) - v) * multiplier) >> shift, _ONE) for v in flat]
    powers = [_power(x) for x in below]
    others = sum(p for i, p in enumerate(powers) if i != label)
    total = others + powers[label]
    rest = _ratio(others, total)
    shares = [-rest if i == label else _ratio(p, total) for i, p in enumerate(powers)]
    exponent = rest.bit_length() - CODE_BITS
    if exponent > 0:
        gradient = codes(rounded_shift(shares, exponent))
    else:
        gradient = codes(np.array(shares, np.int64) << -exponent)
    nats = np.float32(_logarithm(total) + below[label]) * _ln2()
    scale = np.array([exponent, CODE_BITS + 1 if rest else 0])
    return np.array([nats]), gradient.reshape(logits.shape), scale


def _ln2() -> np.float32:
    return np.float32(log(2.0) / (1 << 20))


def _quant(call: OpCall) -> CStruct:
    multiplier, shift = _multiplier(call)
    fields = {"multiplier": multiplier, "shift": shift, "ln2": float(_ln2())}
    return CStruct("mg_integer_loss", fields)


def _row(dtype: DType) -> Kernel:
    symbol = f"mg_integer_cross_entropy_{dtype}_fwd"
    return Kernel(
        symbol, None, params=size_params, quant=_quant, matches=lambda call: call.dtype is dtype
    )


register(
    Op(
        "integer_cross_entropy",
        NoAttrs,
        _infer,
        _reference,
        kernels=(_row(DType.S8), _row(DType.S32)),
    )
)
