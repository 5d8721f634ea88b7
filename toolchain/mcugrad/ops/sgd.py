"""Stochastic gradient descent, with and without momentum, as PyTorch's ``SGD``.

    g = dw + weight_decay * w;  v = momentum * v + g;  w = w - learning_rate * v

The hyper-parameters are a tensor [learning_rate, momentum, weight_decay].
"""

from __future__ import annotations

from collections.abc import Sequence

from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import (
    Kernel,
    NoAttrs,
    Op,
    OpCall,
    Spec,
    Variant,
    register,
    require,
    with_variants,
)
from mcugrad.ops.shapes import given, size_params


def _infer(call: OpCall) -> tuple[Spec, ...]:
    w, dw, hyper = call.input(0), call.input(1), call.input(len(call.inputs) - 1)
    require(dw.shape == w.shape, f"gradient of shape {dw.shape} for {w.shape}")
    require(hyper.shape == (3,), "three hyper-parameters")
    return (Spec(w.shape, w.dtype),)


def _infer_momentum(call: OpCall) -> tuple[Spec, ...]:
    dw, v = call.input(1), call.input(2)
    require(v.shape == dw.shape, f"velocity of shape {v.shape} for {dw.shape}")
    return *_infer(call), Spec(v.shape, v.dtype)


def _update(w: Array, dw: Array, v: Array | None, hyper: Array) -> tuple[Array, Array]:
    rate, momentum, decay = hyper
    velocity = dw + decay * w
    if v is not None:
        velocity = momentum * v + velocity
    return w - rate * velocity, velocity


def _reference(_call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    w, dw, hyper = given(values)
    return _update(w, dw, None, hyper)[:1]


def _reference_momentum(_call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    w, dw, v, hyper = given(values)
    return _update(w, dw, v, hyper)


register(
    Op(
        "sgd",
        NoAttrs,
        _infer,
        _reference,
        kernels=with_variants(
            Kernel("mg_sgd_f32_step", DType.F32, params=size_params, inplace=((0, 0),)),
            (Variant("rvv"),),
        ),
    )
)
register(
    Op(
        "sgd_momentum",
        NoAttrs,
        _infer_momentum,
        _reference_momentum,
        kernels=(
            Kernel(
                "mg_sgd_momentum_f32_step",
                DType.F32,
                params=size_params,
                inplace=((0, 0), (1, 2)),
            ),
        ),
    )
)
