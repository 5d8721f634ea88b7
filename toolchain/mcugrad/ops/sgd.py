"""Stochastic gradient descent, with and without momentum, as PyTorch's ``SGD``.

    g = dw + weight_decay * w;  v = momentum * v + g;  w = w - learning_rate * v

The hyper-parameters are a tensor [learning_rate, momentum, weight_decay].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import CStruct, Kernel, Op, OpCall, Spec, register, require
from mcugrad.ops.runs import check_channels, runs_params
from mcugrad.ops.shapes import given


@dataclass(frozen=True)
class SgdAttrs:
    """The channels that learn, ascending, along ``axis``; None: all of the tensor.

    With channels, gradient and velocity hold that slice alone.
    """

    channels: tuple[int, ...] | None = None
    axis: int = 0


def _slice_shape(attrs: SgdAttrs, shape: tuple[int, ...]) -> tuple[int, ...]:
    if attrs.channels is None:
        return shape
    require(0 <= attrs.axis < len(shape), f"no axis {attrs.axis} in {shape}")
    check_channels(attrs.channels, shape[attrs.axis])
    return (*shape[: attrs.axis], len(attrs.channels), *shape[attrs.axis + 1 :])


def _infer(call: OpCall) -> tuple[Spec, ...]:
    w, dw, hyper = call.input(0), call.input(1), call.input(len(call.inputs) - 1)
    shape = _slice_shape(call.attrs, w.shape)
    require(dw.shape == shape, f"gradient of shape {dw.shape} for {shape}")
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
    learning: tuple[slice | list[int], ...] = ()
    if attrs.channels is not None:
        learning = (*(slice(None),) * attrs.axis, list(attrs.channels))
    velocity = dw + decay * w[learning]
    if v is not None:
        velocity = momentum * v + velocity
    updated = w.copy()
    updated[learning] -= rate * velocity
    return updated, velocity


def _reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    w, dw, hyper = given(values)
    return _update(call.attrs, w, dw, None, hyper)[:1]


def _reference_momentum(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    w, dw, v, hyper = given(values)
    return _update(call.attrs, w, dw, v, hyper)


def _params(call: OpCall) -> CStruct:
    attrs: SgdAttrs = call.attrs
    return runs_params(call.input(0).shape, attrs.axis, attrs.channels)


register(
    Op(
        "sgd",
        SgdAttrs,
        _infer,
        _reference,
        kernels=(Kernel("mg_sgd_f32_step", DType.F32, params=_params, inplace=((0, 0),)),),
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
            ),
        ),
    )
)
