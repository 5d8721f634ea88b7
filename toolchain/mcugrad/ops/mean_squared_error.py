"""The mean of squared differences, and its gradient by the prediction.

Inputs: prediction, target of the same shape. Outputs: the loss [1], the gradient.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import Kernel, Op, OpCall, Spec, register
from mcugrad.ops.loss import LossAttrs, params
from mcugrad.ops.shapes import given, infer_matching


def _infer(call: OpCall) -> tuple[Spec, ...]:
    return Spec((1,), call.dtype), *infer_matching(call)


def _reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    prediction, target = given(values)
    attrs: LossAttrs = call.attrs
    difference = prediction - target
    loss = np.array([np.mean(difference * difference)])
    return loss, attrs.scale * 2.0 / difference.size * difference


register(
    Op(
        "mean_squared_error",
        LossAttrs,
        _infer,
        _reference,
        kernels=(
            Kernel(
                "mg_mean_squared_error_f32_fwd",
                DType.F32,
                params=params,
                inplace=((1, 0), (1, 1)),
            ),
        ),
    )
)
