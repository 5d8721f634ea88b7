"""The gradient of a layer's weights and their update as one operator, of integer gradients.

Inputs: x int8, dy codes, w int8, dy's exponent, the count of updates, the hyper-parameters, and
optionally the remainders of w. Outputs: the next w, and remainders. They are those of
``<layer>_bwd_weight_integer`` and then ``sgd_integer``, but the gradient as a whole is never
there: each sum is used up as soon as it is complete.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mcugrad.ir.tensor import Array
from mcugrad.ops.base import (
    CStruct,
    Kernel,
    Matches,
    Op,
    OpCall,
    Spec,
    StructOf,
    Variant,
    lookup,
    register,
    with_variants,
)
from mcugrad.ops.integer_gradient import gradient_tensor, scale_of, weight_scale, weight_struct
from mcugrad.ops.sgd_quantized import SgdQuantizedAttrs, step_struct


@dataclass(frozen=True)
class WeightStepAttrs:
    """Those of the gradient and of the update."""

    layer: Any
    update: SgdQuantizedAttrs


def _gradient(op: str, call: OpCall) -> OpCall:
    """The gradient alone."""
    layer, operands = call.attrs.layer, [call.input(0), call.input(1)]
    (spec,) = lookup(op).infer(OpCall(layer, operands, ()))
    return OpCall(
        layer, operands, [gradient_tensor("dw", spec.shape, weight_scale(*operands), spec.dtype)]
    )


def _update(gradient: OpCall, call: OpCall) -> OpCall:
    """The update alone."""
    operands = [call.input(2), *gradient.outputs, *call.inputs[3:]]
    return OpCall(call.attrs.update, operands, call.outputs)


def register_weight_step(
    layer: str,
    *,
    params: StructOf,
    products: Callable[[OpCall], int],
    keeps: bool = False,
    variants: Sequence[Variant] = (),
) -> None:
    """Registers ``<layer>_weight_step``; ``params`` and ``products`` are the gradient's.

    ``keeps`` tells whether there is a kernel that keeps remainders; ``variants`` see the call of
    the gradient too.
    """
    op = f"{layer}_bwd_weight_integer"

    def infer(call: OpCall) -> tuple[Spec, ...]:
        return lookup("sgd_integer").infer(_update(_gradient(op, call), call))

    def reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
        x, dy, w, *rest = values
        gradient = _gradient(op, call)
        dw = lookup(op).reference(gradient, [x, dy])
        return lookup("sgd_integer").reference(_update(gradient, call), [w, *dw, *rest])

    def quant(call: OpCall) -> CStruct:
        (dw,) = _gradient(op, call).outputs
        step = step_struct(call.input(2), call.attrs.update, scale_of(dw))
        weight = weight_struct(call.input(0), call.input(1))
        return CStruct("mg_weight_step", {"weight": weight, "sgd": step})

    kernel = Kernel(
        f"mg_{layer}_s16_weight_step",
        None,
        params=lambda call: params(_gradient(op, call)),
        quant=quant,
        matches=lambda call: not call.has_input(6),
        inplace=((0, 2),),
        shared=True,
    )

    def of_gradient(matches: Matches) -> Matches:
        return lambda call: matches(_gradient(op, call))

    fast = [replace(v, matches=of_gradient(v.matches)) for v in variants]
    keeping = replace(
        kernel,
        symbol=f"{kernel.symbol}_kept",
        matches=lambda call: call.has_input(6),
        inplace=((0, 2), (1, 6)),
    )
    register(
        Op(
            f"{layer}_weight_step",
            WeightStepAttrs,
            infer,
            reference,
            kernels=(
                *with_variants(kernel, fast),
                *((keeping,) if keeps else ()),
            ),
            products=lambda call: products(_gradient(op, call)),
        )
    )
