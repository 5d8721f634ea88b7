"""Reverse-mode differentiation: one rule an operator, summed at every branch.

The rules are linear in the gradients of the results (Griewank and Walther, "Evaluating
Derivatives", chapter 3); this pass only walks the nodes backwards and adds up.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from mcugrad.errors import ModelError
from mcugrad.ir.graph import Graph, GraphBuilder, Node
from mcugrad.ir.tensor import DType, QuantParams, Tensor
from mcugrad.ops import OpCall, lookup
from mcugrad.ops.base import NoAttrs
from mcugrad.ops.elementwise import ElementwiseAttrs
from mcugrad.ops.gather_channels import GatherAttrs


@dataclass
class Differentiator:
    """Appends the backward nodes of ``graph``; what :mod:`ops` sees as ``GradientContext``.

    Attributes:
        learning: the STATE tensors that learn.
        gradients: forward tensor -> the tensor that holds its gradient.
        keeping: the names of the nodes that reduce what is kept for the backward pass.
    """

    graph: Graph
    learning: Collection[str]
    builder: GraphBuilder = field(init=False)
    gradients: dict[str, str] = field(default_factory=dict)
    keeping: set[str] = field(default_factory=set)
    _needed: set[str] = field(init=False)
    _merges: dict[str, Node] = field(init=False)  # weight that learns in part -> its merge
    _kept: dict[tuple[str, str, Any], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.builder = GraphBuilder.of(self.graph)
        self._merges = {n.outputs[0]: n for n in self.graph.nodes if n.op == "merge_channels"}
        self._needed = set(self.learning)
        for node in self.graph.nodes:
            if self._needed.intersection(node.inputs):
                self._needed.update(node.outputs)

    def tensor(self, name: str) -> Tensor:
        """The tensor of that name."""
        return self.builder.tensors[name]

    def needs(self, name: str) -> bool:
        """Whether anything that learns depends on this tensor's gradient."""
        return name in self._needed

    def channels(self, name: str) -> tuple[int, ...] | None:
        """The input channels of a learning tensor that learn; None: all of them."""
        merge = self._merges.get(name)
        return merge.attrs.channels if merge is not None else None

    def keep(self, name: str, channels: tuple[int, ...] | None) -> str:
        """What to save of a forward tensor: these of its last axis."""
        if channels is None:
            return name
        return self.keep_as("gather_channels", GatherAttrs(channels), name, f"kept.{name}")

    def keep_as(self, op: str, attrs: Any, name: str, result: str) -> str:
        """What ``op`` makes of a forward tensor, to be kept in its place; computed once."""
        if (name, op, attrs) not in self._kept:
            self._kept[name, op, attrs] = self.emit(op, attrs, (name,), result)
            node = self.builder.nodes.pop()  # to stand right behind the forward pass
            self.builder.nodes.insert(len(self.graph.nodes), node)
            self.keeping.add(node.name)
        return self._kept[name, op, attrs]

    def emit(self, op: str, attrs: Any, inputs: Sequence[str], name: str) -> str:
        """Adds a node with one output and returns that output's name."""
        return self.emit_all(op, attrs, inputs, (name,))[0]

    def emit_all(
        self, op: str, attrs: Any, inputs: Sequence[str], names: Sequence[str]
    ) -> tuple[str, ...]:
        """Adds a node and returns the names of its outputs."""
        inputs = self._taken(op, attrs, [self._merged_again(n) for n in inputs])
        return self.emit_as_stored(op, attrs, inputs, names)

    def emit_as_stored(
        self, op: str, attrs: Any, inputs: Sequence[str], names: Sequence[str]
    ) -> tuple[str, ...]:
        """The same, whose operands are taken as they are, as updates take what they change."""
        operands = [self.tensor(n) if n else None for n in inputs]
        specs = lookup(op).infer(OpCall(attrs, operands, ()))
        # An integer result, such as a slice or the next weights, is scaled as what it is of.
        outputs = tuple(
            self.builder.add_tensor(
                Tensor(n, s.shape, s.dtype, None if s.dtype.is_float else _quant_of(operands))
            )
            for n, s in zip(names, specs, strict=True)
        )
        node_name = self.builder.unique(f"{op}:{outputs[0]}")
        self.builder.add_node(Node(node_name, op, tuple(inputs), outputs, attrs))
        return outputs

    def _merged_again(self, name: str) -> str:
        """A weight that learns in part is merged anew, not kept since the forward pass."""
        merge = self._merges.get(name)
        return self.emit(merge.op, merge.attrs, merge.inputs, name) if merge is not None else name

    def _taken(self, op: str, attrs: Any, inputs: Sequence[str]) -> Sequence[str]:
        """The operands, int8 ones as real values unless a kernel takes them as they are."""
        call = OpCall(attrs, [self.tensor(n) if n else None for n in inputs], ())
        if op == "dequantize" or lookup(op).kernel(call, frozenset()) is not None:
            return inputs
        return [
            self.emit("dequantize", NoAttrs(), (n,), f"{n}/float")
            if n and self.tensor(n).dtype is DType.S8
            else n
            for n in inputs
        ]

    def run(self, result: str, gradient: str) -> None:
        """Differentiates by everything that is needed, given the gradient of ``result``."""
        self.gradients[result] = gradient
        for node in reversed(self.graph.nodes):
            dys = [self.gradients.get(n) for n in node.outputs]
            if dys[0] is None or not self._needed.intersection(node.inputs):
                continue
            rule = lookup(node.op).gradient
            if rule is None:
                raise ModelError(f"{node.name!r}: {node.op} has no gradient rule")
            parts = rule(self, node.attrs, node.inputs, node.outputs, [d for d in dys if d])
            for name, part in zip(node.inputs, parts, strict=True):
                if part is not None and self.needs(name):
                    merge = self._merges.get(name)  # whose gradient is that of its channels
                    self._gather(merge.inputs[1] if merge is not None else name, part)

    def _gather(self, name: str, part: str) -> None:
        earlier = self.gradients.get(name)
        self.gradients[name] = (
            part
            if earlier is None
            else self.emit("add", ElementwiseAttrs(), (earlier, part), f"d.{name}")
        )


def _quant_of(operands: Sequence[Tensor | None]) -> QuantParams | None:
    return operands[0].quant if operands and operands[0] is not None else None
