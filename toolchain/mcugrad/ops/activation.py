"""What the activations share: a table for int8, and one backward operator each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import (
    Floats,
    GradientContext,
    NoAttrs,
    Op,
    OpCall,
    StructOf,
    float_kernels,
    register,
)
from mcugrad.ops.lookup_table import Rule, look_up, lookup_kernel
from mcugrad.ops.shapes import given, infer_matching, infer_same, size_params


@dataclass(frozen=True)
class Activation:
    """A function of each element.

    ``backward`` takes the gradient of the result and either the result or the operand:
    whichever the derivative is simplest to say by, and so must be kept.
    """

    name: str
    rule: Rule
    forward: Callable[[Any, Floats], Floats]
    backward: Callable[[Any, Floats, Floats], Floats]
    keeps_result: bool
    attrs: type = NoAttrs
    params: StructOf = size_params

    def _reference(self, call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
        (x,) = given(values)
        if call.dtype is DType.S8:
            return (look_up(call, x, self.rule),)
        return (self.forward(call.attrs, x),)

    def _bwd_reference(self, call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
        dy, kept = given(values)
        return (self.backward(call.attrs, dy, kept),)

    def _gradient(
        self,
        ctx: GradientContext,
        attrs: Any,
        inputs: Sequence[str],
        outputs: Sequence[str],
        dys: Sequence[str],
    ) -> Sequence[str | None]:
        (kept,) = outputs if self.keeps_result else inputs
        return (ctx.emit(f"{self.name}_bwd", attrs, (dys[0], kept), f"d.{inputs[0]}"),)

    def register(self) -> None:
        """Registers the operator and its gradient."""
        forward = float_kernels(
            f"mg_{self.name}_{{}}_fwd", params=self.params, inplace=((0, 0),), shared=True
        )
        backward = float_kernels(
            f"mg_{self.name}_{{}}_bwd_data",
            params=self.params,
            inplace=((0, 0), (0, 1)),
            shared=True,
        )
        register(
            Op(
                self.name,
                self.attrs,
                infer_same,
                self._reference,
                kernels=(lookup_kernel(self.rule), *forward),
                gradient=self._gradient,
            )
        )
        register(
            Op(
                f"{self.name}_bwd",
                self.attrs,
                infer_matching,
                self._bwd_reference,
                kernels=backward,
            )
        )
