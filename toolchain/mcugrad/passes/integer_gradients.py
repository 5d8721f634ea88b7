"""Turns the backward pass of an int8 network from floats into integers.

Differentiation is done; each backward node that reads a gradient now works on codes of int16, by
the rule of its operator. Where there is none, the operator keeps its float arithmetic between a
conversion before and one behind it, so that every network that can learn can learn so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mcugrad.ir.graph import GraphBuilder, Node
from mcugrad.ir.tensor import DType, Storage, Tensor, constant
from mcugrad.ops import lookup
from mcugrad.ops.base import NoAttrs
from mcugrad.ops.integer_gradient import exponent_tensor, gradient_tensor, scale_of


@dataclass
class IntegerGradients:
    """The graph being turned; what :mod:`ops` sees as ``IntegerContext``.

    Attributes:
        exponents: gradient -> the tensor that holds its exponent.
        next_ranges: STATE of a range -> its next value.
    """

    builder: GraphBuilder
    exponents: dict[str, str] = field(default_factory=dict)
    next_ranges: dict[str, str] = field(default_factory=dict)

    def tensor(self, name: str) -> Tensor:
        """The tensor of that name; a gradient has its integer type already."""
        return self.builder.tensors[name]

    def exponent(self, gradient: str) -> str:
        """The int32 tensor [2] with the exponent of a gradient and the bits of its largest code."""
        return self.exponents[gradient]

    def give(self, gradient: str, exponent: str) -> None:
        """Says which tensor holds the exponent of a gradient."""
        self.exponents[gradient] = exponent

    def integers(self, name: str) -> str | None:
        """The integers of one scale whose real values a float tensor holds."""
        writers = {n.outputs[0]: n for n in self.builder.nodes}
        while name in writers and writers[name].op in ("reshape", "dequantize"):
            (name,) = writers[name].inputs
        tensor = self.tensor(name)
        known = tensor.quant is not None and len(tensor.quant.scale) == 1
        return name if known and tensor.dtype in (DType.S8, DType.S32) else None

    def emit(self, op: str, attrs: Any, inputs: Sequence[str], outputs: Sequence[Tensor]) -> None:
        """Adds a node; outputs that have the name of a float gradient take its place."""
        for tensor in outputs:
            self.builder.tensors[tensor.name] = tensor
        names = tuple(t.name for t in outputs)
        node_name = self.builder.unique(f"{op}:{names[0]}")
        self.builder.add_node(Node(node_name, op, tuple(inputs), names, attrs))

    def carry(self, node: Node, factor: float = 1.0) -> None:
        """Lets ``node`` itself make codes of codes: ``factor`` times the scale, one exponent."""
        dy, (name,) = self.tensor(node.inputs[0]), node.outputs
        shape = self.tensor(name).shape
        result = gradient_tensor(name, shape, scale_of(dy) * factor, DType.S16)
        self.emit(node.op, node.attrs, node.inputs, (result,))
        self.give(name, self.exponent(dy.name))

    def range(self, gradient: str, gain: int) -> tuple[str, str]:
        """A STATE range that starts with the guess ``gain``, and the name of its next value."""
        start = np.array([gain, -1, 0], np.int32)
        state = self.builder.add_tensor(constant(f"range.{gradient}", start, storage=Storage.STATE))
        self.next_ranges[state] = self.builder.unique(f"{state}/next")
        return state, self.next_ranges[state]

    def in_floats(self, node: Node, gradients: Sequence[str]) -> None:
        """Keeps ``node`` in floats, and takes its ``gradients`` to integers behind it."""
        inputs = []
        for name in node.inputs:
            tensor = self.builder.tensors.get(name)
            if name in self.exponents and tensor is not None and tensor.dtype is DType.S16:
                real = Tensor(self.builder.unique(f"{name}/float"), tensor.shape, DType.F32)
                operands = (name, self.exponents[name])
                self.emit("dequantize_gradient", NoAttrs(), operands, (real,))
                inputs.append(real.name)
            else:
                inputs.append(name)
        outputs = [
            Tensor(self.builder.unique(f"{n}/float"), self.tensor(n).shape, DType.F32)
            if n in gradients
            else self.tensor(n)
            for n in node.outputs
        ]
        self.emit(node.op, node.attrs, inputs, outputs)
        for name, real in zip(node.outputs, outputs, strict=True):
            if name in gradients:
                result = gradient_tensor(name, real.shape, 1.0, DType.S16)
                exponent = exponent_tensor(name)
                self.emit("quantize_gradient", NoAttrs(), (real.name,), (result, exponent))
                self.give(name, exponent.name)


def integer_gradients(builder: GraphBuilder, first: int, loss: str) -> IntegerGradients:
    """Turns the nodes from ``first`` on, of which the one that writes ``loss`` is the loss.

    What only the float form of a node needed is left out.
    """
    todo = builder.nodes[first:]
    del builder.nodes[first:]
    turned = IntegerGradients(builder)
    for node in todo:
        starts = loss in node.outputs
        if not starts and not turned.exponents.keys() & set(node.inputs):
            builder.add_node(node)
            continue
        rule = lookup(node.op).integer
        if rule is None or not rule(turned, node):
            turned.in_floats(node, node.outputs[1:] if starts else node.outputs)
    _drop_unused(builder, first, {loss, *turned.exponents, *turned.next_ranges.values()})
    return turned


def _drop_unused(builder: GraphBuilder, first: int, wanted: set[str]) -> None:
    kept: list[Node] = []
    for node in reversed(builder.nodes[first:]):
        if wanted.isdisjoint(node.outputs):
            for name in node.outputs:
                del builder.tensors[name]
        else:
            wanted |= set(node.inputs)
            kept.append(node)
    builder.nodes[first:] = reversed(kept)
