"""Fully connected layer and its gradients.

Shapes: x any shape of R * I elements, w [O, I], b [O], y [R, O].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mcugrad.errors import UsageError
from mcugrad.ir.tensor import Array, DType, Tensor
from mcugrad.ops import linear
from mcugrad.ops.base import (
    FLOATS,
    CStruct,
    Floats,
    GradientContext,
    Kernel,
    NoAttrs,
    Op,
    OpCall,
    Spec,
    Variant,
    Weights,
    register,
    require,
)
from mcugrad.ops.clamp import clamp_gradient
from mcugrad.ops.clamp_range import NONE, Clamp
from mcugrad.ops.integer_gradient import (
    bwd_data_rule,
    bwd_weight_rule,
    register_bwd_data,
    register_bwd_weight,
)
from mcugrad.ops.requantize import quant_of, rescaling
from mcugrad.ops.weight_step import register_weight_step


@dataclass(frozen=True)
class FullyConnectedAttrs:
    """The fused activation; with ``wide`` the int32 sums of an int8 layer are its results."""

    clamp: Clamp = NONE
    wide: bool = False


@dataclass(frozen=True)
class FullyConnectedBwdDataAttrs:
    """The shape of the forward operator's x."""

    shape: tuple[int, ...]


def _infer(call: OpCall) -> tuple[Spec, ...]:
    x, w = call.input(0), call.input(1)
    require(len(w.shape) == 2 and w.size > 0, f"weights must be [O, I], not {w.shape}")
    require(x.size % w.shape[1] == 0, f"input {x.shape} is not rows of {w.shape[1]}")
    linear.check_operands(call, axis=0)
    wide = call.attrs.wide
    require(not wide or x.dtype is DType.S8, "wide results of float operands")
    return (Spec((x.size // w.shape[1], w.shape[0]), DType.S32 if wide else x.dtype),)


def _reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    if call.attrs.wide:
        x, w, b = [*values, None][:3]
        assert x is not None
        assert w is not None
        centred = x.astype(np.int64).reshape(-1, w.shape[1]) - quant_of(call.input(0)).per_tensor[1]
        sums = centred @ w.T.astype(np.int64)
        return (sums if b is None else sums + b,)
    return linear.forward(
        call,
        values,
        lambda x, w: x.reshape(-1, w.shape[1]) @ w.T,
        call.attrs.clamp,
        lambda: rescaling(call, call.attrs.clamp),
    )


def _bwd_data_infer(call: OpCall) -> tuple[Spec, ...]:
    attrs: FullyConnectedBwdDataAttrs = call.attrs
    return (Spec(attrs.shape, call.dtype),)


def _bwd_data_sums(attrs: FullyConnectedBwdDataAttrs, dy: Floats, w: Floats) -> Floats:
    return (dy @ w).reshape(attrs.shape)


def _bwd_data_reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    dy, w, _ = linear.gradient_operands(call, values)
    return (_bwd_data_sums(call.attrs, dy, w),)


def _bwd_weight_infer(call: OpCall) -> tuple[Spec, ...]:
    x, dy = call.input(0), call.input(1)
    rows, out = dy.shape
    return linear.check_gathered(call, 2, Spec((out, x.size // rows), call.input(1).dtype))


def _bwd_weight_sums(_attrs: NoAttrs, x: Floats, dy: Floats) -> Floats:
    return dy.T @ x.reshape(len(dy), -1)


def _bwd_weight_reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    x, dy, gathered = linear.gradient_operands(call, values)
    return linear.add_gathered(_bwd_weight_sums(call.attrs, x, dy), gathered)


def _gradient(
    ctx: GradientContext,
    attrs: FullyConnectedAttrs,
    inputs: Sequence[str],
    outputs: Sequence[str],
    dys: Sequence[str],
) -> Sequence[str | None]:
    x, w = ctx.tensor(inputs[0]), ctx.tensor(inputs[1])
    dy = clamp_gradient(ctx, attrs.clamp, outputs[0], dys[0])

    def weight() -> tuple[NoAttrs, str, str]:
        channels = ctx.channels(inputs[1])
        if channels is not None and x.shape[-1] != w.shape[1]:
            raise UsageError(f"{w.name!r} learns as a whole or not at all: its input is an image")
        return NoAttrs(), ctx.keep(inputs[0], channels), dy

    data_attrs = FullyConnectedBwdDataAttrs(x.shape)
    return linear.gradient(ctx, "fully_connected", (inputs, dy), data_attrs, weight)


def _params(dy: Tensor, inputs: int) -> CStruct:
    rows, out = dy.shape
    return CStruct("mg_fully_connected_params", {"rows": rows, "in": inputs, "out": out})


def _fwd_params(call: OpCall) -> CStruct:
    return _params(call.outputs[0], call.input(1).shape[1])


def _bwd_data_params(call: OpCall) -> CStruct:
    return _params(call.input(0), call.input(1).shape[1])


def _bwd_weight_params(call: OpCall) -> CStruct:
    return _params(call.input(1), call.outputs[0].shape[1])


def _zero_point(call: OpCall) -> CStruct:
    return CStruct("mg_zero_point", {"zero_point": quant_of(call.input(0)).per_tensor[1]})


def _pairs(w: Tensor) -> bool:
    """Whether an output's weights are whole pairs."""
    return w.shape[1] % 2 == 0


def _products(call: OpCall) -> int:
    return call.outputs[0].size * call.input(1).shape[1]


def _bwd_data_products(call: OpCall) -> int:
    return call.outputs[0].size * call.input(1).shape[0]


def _bwd_weight_products(call: OpCall) -> int:
    return call.input(0).size * call.outputs[0].shape[0]


register(
    Op(
        "fully_connected",
        FullyConnectedAttrs,
        _infer,
        _reference,
        kernels=(
            Kernel(
                "mg_fully_connected_s8_sums_fwd",
                DType.S8,
                params=_fwd_params,
                quant=_zero_point,
                matches=lambda call: bool(call.attrs.wide),
                arity=3,
                shared=True,
            ),
            *linear.fwd_kernels(
                "fully_connected",
                _fwd_params,
                lambda call: rescaling(call, call.attrs.clamp).struct(),
                variants=(
                    Variant("rvv", types=FLOATS),
                    Variant("mve", types=(DType.F16,), half_sums=True),
                    Variant("xfvec", lambda c: _pairs(c.input(1)), (DType.F16,)),
                ),
            ),
        ),
        gradient=_gradient,
        products=_products,
        weights=Weights(weight=1, bias=2, channel_axis=1),
    )
)
register(
    Op(
        "fully_connected_bwd_data",
        FullyConnectedBwdDataAttrs,
        _bwd_data_infer,
        _bwd_data_reference,
        kernels=linear.bwd_data_kernels(
            "fully_connected",
            _bwd_data_params,
            axis=0,
            variants=(
                Variant("rvv", types=FLOATS),
                Variant("mve", types=(DType.F16,), half_sums=True),
                Variant("xfvec", lambda c: _pairs(c.input(1)), (DType.F16,)),
            ),
        ),
        products=_bwd_data_products,
        integer=bwd_data_rule("fully_connected", lambda _attrs, w: w.shape[0]),
    )
)
register_bwd_data(
    "fully_connected",
    FullyConnectedBwdDataAttrs,
    infer=_bwd_data_infer,
    sums=_bwd_data_sums,
    params=_bwd_data_params,
    products=_bwd_data_products,
)
register(
    Op(
        "fully_connected_bwd_weight",
        NoAttrs,
        _bwd_weight_infer,
        _bwd_weight_reference,
        kernels=linear.bwd_weight_kernels(
            "fully_connected",
            _bwd_weight_params,
            (
                Variant("rvv", types=FLOATS),
                Variant("mve", types=(DType.F16,)),
                Variant("xfvec", lambda c: _pairs(c.outputs[0]), (DType.F16,)),
            ),
        ),
        products=_bwd_weight_products,
        gathers=True,
        integer=bwd_weight_rule("fully_connected"),
    )
)
register_bwd_weight(
    "fully_connected",
    NoAttrs,
    infer=_bwd_weight_infer,
    sums=_bwd_weight_sums,
    products=_bwd_weight_products,
)
register_weight_step(
    "fully_connected", params=_bwd_weight_params, products=_bwd_weight_products, keeps=True
)
