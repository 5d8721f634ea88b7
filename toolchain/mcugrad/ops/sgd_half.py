"""Stochastic gradient descent on weights in half precision, without a copy in float32.

    g = dw / scale + weight_decay * w;  v = momentum * v + g;  w = w - learning_rate * v

in single precision, with v = g where there is no momentum. The new w is rounded to one of its two
neighbours in half, at random such that the mean is kept (Gupta et al., "Deep Learning with Limited
Numerical Precision", section 3.2): steps far below a weight's last bit are not lost. The random
numbers are those of :mod:`sgd_quantized`. The new v is stored in half, rounded to nearest. Both
stop at the largest half.

Inputs: w f16, dw f16 and with momentum v f16 of the same shape, the loss's scale f32 [1], finite
s32 [1], updates s32 [1], hyper-parameters [learning_rate, momentum, weight_decay]. Unless
``finite``, w and v stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mcugrad.ir.draw import draws
from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import (
    CStruct,
    Kernel,
    Op,
    OpCall,
    Spec,
    Variant,
    of_type,
    register,
    require,
    with_variants,
)
from mcugrad.ops.shapes import given, size_params

_HALF = np.finfo(np.float16)
_LARGEST = np.float32(_HALF.max)

#: Steps between neighbours in half that single precision tells apart: random numbers have as many.
_PARTS = np.float32(1 << 13)


@dataclass(frozen=True)
class SgdHalfAttrs:
    """``salt`` tells the tensors' random numbers apart; ``rate`` multiplies the learning rate."""

    salt: int = 0
    rate: float = 1.0


def _infer(call: OpCall) -> tuple[Spec, ...]:
    w, dw, scale, finite, updates, hyper = (call.input(i) for i in range(6))
    require(w.dtype is DType.F16 and dw.dtype is DType.F16, "weights and gradient in half")
    require(dw.shape == w.shape, f"gradient of shape {dw.shape} for {w.shape}")
    require(scale.shape == (1,) and scale.dtype is DType.F32, "a scale of the loss")
    require(finite.shape == (1,) and finite.dtype is DType.S32, "whether gradients are finite")
    require(updates.shape == (1,) and updates.dtype is DType.S32, "a counter of updates")
    require(hyper.shape == (3,), "three hyper-parameters")
    return (Spec(w.shape, w.dtype),)


def _without_velocity(call: OpCall) -> OpCall:
    return OpCall(call.attrs, [*call.inputs[:2], *call.inputs[3:]], call.outputs)


def _infer_momentum(call: OpCall) -> tuple[Spec, ...]:
    w, v = call.input(0), call.input(2)
    require(v.shape == w.shape and v.dtype is DType.F16, f"velocity of {v.dtype} {v.shape}")
    return *_infer(_without_velocity(call)), Spec(v.shape, v.dtype)


def rounded(w: NDArray[np.float32], u: NDArray[np.float32]) -> Array:
    """Neighbours of w in half, the upper one where w's place between the two exceeds 1 - u."""
    w = np.clip(w, -_LARGEST, _LARGEST)
    _, above = np.frexp(np.abs(w))
    exponent = np.maximum(np.where(w == 0, _HALF.minexp, above - 1), _HALF.minexp) - _HALF.nmant
    u = np.floor(u * _PARTS) / _PARTS
    whole = np.floor(np.ldexp(w, -exponent) + u)
    return np.asarray(np.minimum(np.ldexp(whole, exponent), _LARGEST), np.float16)


def _update(
    attrs: SgdHalfAttrs, w: Array, dw: Array, v: Array | None, others: Sequence[Array]
) -> tuple[Array, Array]:
    scale, finite, updates, hyper = others
    if not finite[0]:
        return w, w if v is None else v
    old, unscale = w.astype(np.float32), np.float32(1) / np.float32(scale[0])
    learning_rate, momentum, decay = hyper.astype(np.float32)
    velocity = dw.astype(np.float32) * unscale + decay * old
    if v is not None:
        velocity = momentum * v.astype(np.float32) + velocity
    step = np.float32(attrs.rate) * learning_rate * velocity
    u = draws(attrs.salt, int(updates[0]), w.size).reshape(w.shape)
    return rounded(old - step, u), np.clip(velocity, -_LARGEST, _LARGEST)


def _reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    w, dw, *others = given(values)
    return _update(call.attrs, w, dw, None, others)[:1]


def _reference_momentum(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    w, dw, v, *others = given(values)
    return _update(call.attrs, w, dw, v, others)


def _quant(call: OpCall) -> CStruct:
    attrs: SgdHalfAttrs = call.attrs
    return CStruct("mg_sgd_half", {"salt": attrs.salt, "rate": attrs.rate})


register(
    Op(
        "sgd_half",
        SgdHalfAttrs,
        _infer,
        _reference,
        kernels=with_variants(
            Kernel(
                "mg_sgd_f16_step",
                None,
                params=size_params,
                quant=_quant,
                matches=of_type(DType.F16),
                inplace=((0, 0),),
                shared=True,
            ),
            (Variant("rvv"),),
        ),
    )
)
register(
    Op(
        "sgd_momentum_half",
        SgdHalfAttrs,
        _infer_momentum,
        _reference_momentum,
        kernels=(
            Kernel(
                "mg_sgd_momentum_f16_step",
                None,
                params=size_params,
                quant=_quant,
                matches=of_type(DType.F16),
                inplace=((0, 0), (1, 2)),
                shared=True,
            ),
        ),
    )
)
