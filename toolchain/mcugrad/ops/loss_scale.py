"""The scale of the loss, so that small gradients are not lost in half precision.

Gradients are those of the loss times a scale, which updates divide by again. A step in which one of
them overflows is skipped: it changes no weight, and halves the scale. After ``INTERVAL`` good steps
in a row the scale doubles. So it stays near the largest that serves (Micikevicius et al., "Mixed
Precision Training", section 3.2, with the adaptive scale of NVIDIA's Apex).

``all_finite``: x f16, and optionally the marks of others [1] -> 1 if all is finite, else 0 [1].
``loss_scale``: scale f32 [1], steps s32 [2] (good ones in a row, all skipped ones), finite s32 [1]
-> the next scale and steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import (
    CStruct,
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

#: What the scale starts with, and the largest: a loss's gradient of 1 times it is finite. Of a
#: mini-batch's mean the gradient is less by the number of samples.
START, LARGEST = 2.0**10, 2.0**15

#: Good steps in a row after which the scale doubles.
INTERVAL = 256


@dataclass(frozen=True)
class LossScaleAttrs:
    """``batch``: samples of which the loss is the mean."""

    batch: int = 1

    @property
    def largest(self) -> float:
        """The largest scale: a power of two."""
        return LARGEST * 2.0 ** (self.batch.bit_length() - 1)

    @property
    def start(self) -> float:
        """The first scale, under which a sample's gradients are as large as alone, if it can."""
        return min(START / LARGEST * self.largest, LARGEST)


_MARK = Spec((1,), DType.S32)
_STEPS = Spec((2,), DType.S32)
_SCALE = Spec((1,), DType.F32)


def _is(call: OpCall, index: int, spec: Spec) -> bool:
    tensor = call.input(index)
    return Spec(tensor.shape, tensor.dtype) == spec


def _finite_infer(call: OpCall) -> tuple[Spec, ...]:
    require(call.dtype is DType.F16, f"a gradient of {call.dtype}")
    require(not call.has_input(1) or _is(call, 1, _MARK), "the mark of others")
    return (_MARK,)


def _finite(_call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    x, *before = given(values)
    return (np.array([np.isfinite(x).all() and all(b[0] for b in before)], np.int32),)


def _scale_infer(call: OpCall) -> tuple[Spec, ...]:
    require(_is(call, 0, _SCALE) and _is(call, 1, _STEPS), "a scale and its steps")
    require(_is(call, 2, _MARK), "whether gradients are finite")
    return _SCALE, _STEPS


def _scale(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    scale, (good, skipped), (finite,) = given(values)
    if not finite:
        return np.maximum(scale / 2.0, np.minimum(scale, 1.0)), np.array([0, skipped + 1])
    if good + 1 < INTERVAL:
        return scale, np.array([good + 1, skipped])
    attrs: LossScaleAttrs = call.attrs
    return np.where(scale < attrs.largest, scale * 2.0, scale), np.array([0, skipped])


def _quant(call: OpCall) -> CStruct:
    attrs: LossScaleAttrs = call.attrs
    return CStruct("mg_loss_scale", {"interval": INTERVAL, "largest": attrs.largest})


register(
    Op(
        "all_finite",
        NoAttrs,
        _finite_infer,
        _finite,
        kernels=with_variants(
            Kernel("mg_all_finite_f16_fwd", DType.F16, params=size_params, arity=2),
            (Variant("rvv"), Variant("xfvec")),
        ),
    )
)
register(
    Op(
        "loss_scale",
        LossScaleAttrs,
        _scale_infer,
        _scale,
        kernels=(
            Kernel("mg_loss_scale_f32_step", DType.F32, quant=_quant, inplace=((0, 0), (1, 1))),
        ),
    )
)
