"""What the losses share. They start the backward pass, so they have no gradient rule."""

from __future__ import annotations

from dataclasses import dataclass

from mcugrad.ops.base import CStruct, OpCall


@dataclass(frozen=True)
class LossAttrs:
    """Factor of the gradient, 1 / batch; the loss itself is that of the sample."""

    scale: float = 1.0


def params(call: OpCall) -> CStruct:
    """Elements of the prediction, and the gradient's factor."""
    attrs: LossAttrs = call.attrs
    return CStruct("mg_loss_params", {"size": call.input(0).size, "scale": attrs.scale})
