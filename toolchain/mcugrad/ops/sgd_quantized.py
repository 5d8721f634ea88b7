"""Stochastic gradient descent on int8 weights and int32 biases.

    g = dw + weight_decay * scale * w;  w = w - round(learning_rate * g / scale)

``dw`` is the derivative by the real weight. That is gradient descent on the stored integers
with quantisation-aware scaling: their gradient, ``scale * dw``, times the inverse square of the
scale ("On-Device Training Under 256KB Memory", section 2.1). Without that scaling it is plain
gradient descent on the stored integers:

    w = w - round(learning_rate * (scale * dw + weight_decay * w))

Rounding is stochastic, so that updates of less than one step are kept in the mean: the fraction
is compared with a number drawn from a counter (Gupta et al., "Deep Learning with Limited
Numerical Precision", section 3). The draw depends on the update's number, the tensor's salt and
the element's index alone, so it is the same on every device. Results saturate.

The arithmetic is single precision without contraction, in the golden model as in C, so that the
same gradient gives the same integers everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from mcugrad.ir.draw import draws
from mcugrad.ir.tensor import Array, DType, Tensor
from mcugrad.ops.base import CStruct, Kernel, Op, OpCall, Spec, register, require
from mcugrad.ops.requantize import quant_of, scales, stored_scales
from mcugrad.ops.shapes import given, size_params

#: Largest stored magnitude: weights stay symmetric as LiteRT wants them.
WEIGHT_LIMIT = 127
_LARGEST = {DType.S8: WEIGHT_LIMIT, DType.S32: (1 << 31) - 1}

#: Largest change of one update, in steps; beyond it the change saturates too.
_LARGEST_STEP = float(1 << 30)


@dataclass(frozen=True)
class SgdQuantizedAttrs:
    """``limit``: of the results' magnitude; ``salt`` tells the tensors' random numbers apart.

    ``qas``: with quantisation-aware scaling. ``rate`` is what the learning rate is multiplied by.
    """

    limit: int
    salt: int = 0
    qas: bool = True
    rate: float = 1.0


def bias_limit(products: int) -> int:
    """The largest bias with which a sum of that many int8 products stays within int32.

    An input less its zero point is at most 255, a weight 128; more products than 65,793 can
    overflow by themselves.
    """
    return max(0, _LARGEST[DType.S32] - 255 * 128 * products)


def _infer(call: OpCall) -> tuple[Spec, ...]:
    w, dw, updates, hyper = (call.input(i) for i in range(4))
    require(dw.shape == w.shape, f"gradient of shape {dw.shape} for {w.shape}")
    require(w.dtype in _LARGEST, f"weights of type {w.dtype}")
    require(dw.dtype is DType.F32, f"gradient of type {dw.dtype}")
    limit, largest = call.attrs.limit, _LARGEST[w.dtype]
    require(0 <= limit <= largest, f"limit {limit} is not from 0 to {largest}")
    require(updates.shape == (1,) and updates.dtype is DType.S32, "a counter of updates")
    require(hyper.shape == (3,), "three hyper-parameters")
    return (Spec(w.shape, w.dtype),)


def run_of(w: Tensor) -> int:
    """How many neighbouring elements share a scale."""
    quant = quant_of(w)
    return prod(w.shape[(quant.axis or 0) + 1 :]) if len(quant.scale) > 1 else w.size


def _scales(w: Tensor) -> NDArray[np.float32]:
    """The scale of every element, of a shape that broadcasts to w."""
    shape = [1] * len(w.shape)
    if len(quant_of(w).scale) > 1:
        shape[quant_of(w).axis or 0] = -1
    return stored_scales(quant_of(w)).reshape(shape)


def _reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    w, dw, updates, hyper = given(values)
    attrs: SgdQuantizedAttrs = call.attrs
    stored, scale = w.astype(np.int64), _scales(call.input(0))
    rate, decay = np.float32(attrs.rate) * np.float32(hyper[0]), np.float32(hyper[2])
    real, integer = dw.astype(np.float32), stored.astype(np.float32)
    if attrs.qas:
        whole = rate * (real + decay * (scale * integer))
        # What has a scale of 0 has no effect, and stays.
        step = np.divide(whole, scale, out=np.zeros_like(whole), where=scale > 0)
    else:
        step = rate * (scale * real + decay * integer)
    step = np.clip(step, -_LARGEST_STEP, _LARGEST_STEP)
    u = draws(attrs.salt, int(updates[0]), stored.size).reshape(stored.shape)
    changed = stored - np.floor(step + u).astype(np.int64)
    return (np.clip(changed, -attrs.limit, attrs.limit).astype(w.dtype),)


def step_struct(w: Tensor, attrs: SgdQuantizedAttrs, unit: float) -> CStruct:
    """What kernels take of an update; ``unit`` is that of the gradient."""
    return CStruct(
        "mg_sgd_quant",
        {
            "scales": scales(quant_of(w)),
            "run": run_of(w),
            "limit": attrs.limit,
            "salt": attrs.salt,
            "qas": int(attrs.qas),
            "unit": unit,
            "rate": attrs.rate,
        },
    )


def step_kernel(symbol: str, dtype: DType, unit: Callable[[OpCall], float]) -> Kernel:
    """The row for weights of a type; ``unit`` is that of the gradient."""
    return Kernel(
        symbol,
        None,
        params=size_params,
        quant=lambda call: step_struct(call.input(0), call.attrs, unit(call)),
        matches=lambda call: call.dtype is dtype,
        inplace=((0, 0),),
        shared=True,
    )


register(
    Op(
        "sgd_quantized",
        SgdQuantizedAttrs,
        _infer,
        _reference,
        kernels=(
            step_kernel("mg_sgd_s8_step", DType.S8, lambda _: 1.0),
            step_kernel("mg_sgd_s32_step", DType.S32, lambda _: 1.0),
        ),
    )
)
