"""The cross-entropy of a class index with the softmax of logits, and its gradient.

Inputs: logits [N] or [1, N], target s32 [1], at least 0 and less than N.
Outputs: the loss [1], and the loss's gradient by the logits.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import Kernel, Op, OpCall, Spec, register, require
from mcugrad.ops.loss import LossAttrs, params
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
    )
)
