"""Stochastic gradient descent, with and without momentum, as PyTorch's ``SGD``.

    g = dw + weight_decay * w;  v = momentum * v + g;  w = w - learning_rate * v

The hyper-parameters are a tensor [learning_rate, momentum, weight_decay].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import (
    CStruct,
    Kernel,
    Op,
    OpCall,
    Spec,
    Variant,
    register,
    require,
    with_variants,
)
from mcugrad.ops.shapes import given

#: Of each descent by float gradients, the operator that has a velocity too.
WITH_VELOCITY = {"sgd": "sgd_momentum", "sgd_half": "sgd_momentum_half"}


@dataclass(frozen=True)
class SgdAttrs:
    """``rate`` is what the learning rate is multiplied by."""

    rate: float = 1.0


def _infer(call: OpCall) -> tuple[Spec, ...]:
    w, dw, hyper = call.input(0), call.input(1), call.input(len(call.inputs) - 1)
    require(dw.shape == w.shape, f"gradient of shape {dw.shape} for {w.shape}")
    require(hyper.shape == (3,), "three hyper-parameters")
    return (Spec(w.shape, w.dtype),)


def _infer_momentum(call: OpCall) -> tuple[Spec, ...]:
    dw, v = call.input(1), call.input(2)
    require(v.shape == dw.shape, f"velocity of shape {v.shape} for {dw.shape}")
    return *_infer(call), Spec(v.shape, v.dtype)


def _update(
    attrs: SgdAttrs, w: Array, dw: Array, v: Array | None, hyper: Array
) -> tuple[Array, Array]:
    rate, momentum, decay = hyper
    velocity = dw + decay * w
    if v is not None:
        velocity = momentum * v + velocity
    return w - attrs.rate * rate * velocity, velocity


def _reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    w, dw, hyper = given(values)
    return _update(call.attrs, w, dw, None, hyper)[:1]


def _reference_momentum(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    w, dw, v, hyper = given(values)
    return _update(call.attrs, w, dw, v, hyper)


def _params(call: OpCall) -> CStruct:
    return CStruct("mg_sgd_params", {"size": call.input(0).size, "rate": call.attrs.rate})


register(
    Op(
        "sgd",
        SgdAttrs,
        _infer,
        _reference,
        kernels=with_variants(
            Kernel("mg_sgd_f32_step", DType.F32, params=_params, inplace=((0, 0),), shared=True),
            (Variant("rvv"),),
        ),
    )
)
register(
    Op(
        "sgd_momentum",
        SgdAttrs,
        _infer_momentum,
        _reference_momentum,
        kernels=(
            Kernel(
                "mg_sgd_momentum_f32_step",
                DType.F32,
                params=_params,
                inplace=((0, 0), (1, 2)),
                shared=True,
            ),
        ),
    )
)
