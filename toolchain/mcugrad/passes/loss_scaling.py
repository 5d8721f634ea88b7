"""Scales the loss of a network that learns in half precision, and skips steps that overflow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from mcugrad.ir.graph import TrainingGraph
from mcugrad.ir.tensor import DType, Storage, Tensor, constant
from mcugrad.ops.base import NoAttrs
from mcugrad.ops.elementwise import ElementwiseAttrs
from mcugrad.ops.loss_scale import LossScaleAttrs
from mcugrad.passes.autodiff import Differentiator

#: What the scale is called, and the count of good steps in a row and of all that were skipped.
SCALE, STEPS = "loss_scale", "loss_scale/steps"


def steps_of(training: TrainingGraph) -> str | None:
    """The STATE with the count of good steps in a row and of all that were skipped, if any."""
    return next((n.inputs[1] for n in training.graph.nodes if n.op == "loss_scale"), None)


@dataclass(frozen=True)
class LossScaling:
    """The STATE of the scale, by the names of its tensors."""

    diff: Differentiator
    scale: str
    steps: str
    attrs: LossScaleAttrs

    @classmethod
    def attach(cls, diff: Differentiator, batch: int) -> LossScaling:
        """Adds the STATE, of a loss that is the mean of so many samples."""
        attrs = LossScaleAttrs(batch)
        start = constant(SCALE, np.array([attrs.start], np.float32), storage=Storage.STATE)
        steps = Tensor(STEPS, (2,), DType.S32, storage=Storage.STATE)
        return cls(diff, diff.builder.add_tensor(start), diff.builder.add_tensor(steps), attrs)

    def scaled(self, gradient: str, name: str, dtype: DType) -> str:
        """The gradient of the loss times the scale, as ``dtype``."""
        operands = (gradient, self.scale)
        product = self.diff.emit("mul", ElementwiseAttrs(), operands, f"{gradient}/scaled")
        if dtype is DType.F32:
            return product
        return self.diff.emit("cast", NoAttrs(), (product,), name)

    def finite(self, gradients: Iterable[str]) -> str:
        """The mark that all of the gradients are finite."""
        mark: tuple[str, ...] = ()
        for gradient in gradients:
            operands = (gradient, *mark)
            mark = (self.diff.emit("all_finite", NoAttrs(), operands, f"finite.{gradient}"),)
        return mark[0]

    def next_state(self, finite: str) -> dict[str, str]:
        """The scale of the next step."""
        names = (f"{self.scale}/next", f"{self.steps}/next")
        operands = (self.scale, self.steps, finite)
        results = self.diff.emit_all("loss_scale", self.attrs, operands, names)
        return dict(zip((self.scale, self.steps), results, strict=True))
