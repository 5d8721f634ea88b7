"""The cross-entropy of a class index with the softmax of logits, and its gradient.

Inputs: logits [N] or [1, N], target s32 [1], at least 0 and less than N.
Outputs: the loss [1], and the loss's gradient by the logits.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mcugrad.ir.graph import Node
from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import IntegerContext, Kernel, NoAttrs, Op, OpCall, Spec, register, require
from mcugrad.ops.integer_cross_entropy import SCALE
from mcugrad.ops.integer_gradient import exponent_tensor, gradient_tensor
from mcugrad.ops.loss import LossAttrs, params
from mcugrad.ops.reshape import ReshapeAttrs
from mcugrad.ops.shapes import given


def _infer(call: OpCall) -> tuple[Spec, ...]:
    logits, target = call.input(0), call.input(1)
    require(logits.size == logits.shape[-1], f"logits of one sample, not {logits.shape}")
    require(target.shape == (1,) and target.dtype is DType.S32, "the target is one s32 class index")
    return Spec((1,), logits.dtype), Spec(logits.shape, logits.dtype)


def _reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    logits, target = given(values)
    attrs: LossAttrs = call.attrs
    z = logits.reshape(-1)
    greatest = z.argmax()
    z = z - z[greatest]
    exps = np.exp(z)
    # Sums without one term keep a confident sample's small loss and gradient exact.
    loss = np.log1p(np.delete(exps, greatest).sum()) - z[target[0]]
    gradient = exps.copy()
    gradient[target[0]] = -np.delete(exps, target[0]).sum()
    return np.array([loss]), (attrs.scale / exps.sum() * gradient).reshape(logits.shape)


def _integer(ctx: IntegerContext, node: Node) -> bool:
    """The loss of the integers that the logits are the real values of."""
    attrs: LossAttrs = node.attrs
    logits = ctx.integers(node.inputs[0])
    if logits is None or attrs.scale != 1.0:
        return False
    loss, name = node.outputs
    shape = ctx.tensor(logits).shape
    codes = f"{name}/codes" if shape != ctx.tensor(name).shape else name
    results = (
        ctx.tensor(loss),
        gradient_tensor(codes, shape, SCALE, DType.S16),
        exponent_tensor(name),
    )
    ctx.emit("integer_cross_entropy", NoAttrs(), (logits, node.inputs[1]), results)
    if codes != name:
        flat = gradient_tensor(name, ctx.tensor(name).shape, SCALE, DType.S16)
        ctx.emit("reshape", ReshapeAttrs(flat.shape), (codes,), (flat,))
    ctx.give(name, results[2].name)
    return True


register(
    Op(
        "softmax_cross_entropy",
        LossAttrs,
        _infer,
        _reference,
        kernels=(
            Kernel(
                "mg_softmax_cross_entropy_f32_fwd",
                DType.F32,
                params=params,
                inplace=((1, 0),),
            ),
        ),
        integer=_integer,
    )
)
