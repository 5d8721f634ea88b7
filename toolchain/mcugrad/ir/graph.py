"""The graph: tensors by name, and nodes in an order in which they can run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from mcugrad.ir.tensor import Tensor

#: Stands in ``Node.inputs`` where an optional input is not given.
ABSENT = ""


@dataclass(frozen=True)
class Node:
    """One operator: reads ``inputs``, writes ``outputs``; every tensor has one writer.

    ``attrs`` is a frozen dataclass that the operator's file defines.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attrs: Any


@dataclass(frozen=True)
class Graph:
    """A typed graph in static single assignment form."""

    name: str
    tensors: Mapping[str, Tensor]
    nodes: tuple[Node, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "tensors", MappingProxyType(dict(self.tensors)))

    def operands(self, node: Node) -> list[Tensor | None]:
        """The input tensors of ``node``, None where an optional one is absent."""
        return [self.tensors[n] if n else None for n in node.inputs]

    def results(self, node: Node) -> list[Tensor]:
        """The output tensors of ``node``."""
        return [self.tensors[n] for n in node.outputs]

    def producers(self) -> dict[str, Node]:
        """The node that writes each tensor."""
        return {out: node for node in self.nodes for out in node.outputs}

    def consumers(self) -> dict[str, list[Node]]:
        """The nodes that read each tensor, in order; a node stands once a tensor."""
        found: dict[str, list[Node]] = {name: [] for name in self.tensors}
        for node in self.nodes:
            for name in dict.fromkeys(n for n in node.inputs if n):
                found[name].append(node)
        return found

    def with_(self, **changes: Any) -> Graph:
        """A copy with some fields replaced."""
        return replace(self, **changes)

    def pruned(self) -> Graph:
        """Without the nodes that no output needs and the tensors that nothing uses."""
        wanted = set(self.outputs)
        kept: list[Node] = []
        for node in reversed(self.nodes):
            if wanted.intersection(node.outputs):
                kept.append(node)
                wanted.update(n for n in node.inputs if n)
                wanted.update(node.outputs)
        wanted.update(self.inputs)
        tensors = {n: t for n, t in self.tensors.items() if n in wanted}
        return self.with_(tensors=tensors, nodes=tuple(reversed(kept)))


@dataclass
class GraphBuilder:
    """Grows a graph node by node; names are made unique here and only here."""

    tensors: dict[str, Tensor] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    _node_names: set[str] = field(init=False)

    def __post_init__(self) -> None:
        self._node_names = {n.name for n in self.nodes}

    @classmethod
    def of(cls, graph: Graph) -> GraphBuilder:
        """A builder that starts from ``graph``."""
        return cls(dict(graph.tensors), list(graph.nodes))

    def unique(self, name: str) -> str:
        """``name``, or ``name.2`` and so on where it is taken."""
        unique, k = name, 2
        while not unique or unique in self.tensors or unique in self._node_names:
            unique, k = f"{name}.{k}", k + 1
        return unique

    def add_tensor(self, tensor: Tensor) -> str:
        """Adds a tensor under a name not yet taken, and returns that name."""
        name = self.unique(tensor.name)
        self.tensors[name] = tensor.renamed(name)
        return name

    def add_node(self, node: Node) -> Node:
        """Adds a node whose tensors are all known already."""
        self.nodes.append(node)
        self._node_names.add(node.name)
        return node

    def build(self, name: str, inputs: Iterable[str], outputs: Iterable[str]) -> Graph:
        """The graph grown so far."""
        return Graph(name, self.tensors, tuple(self.nodes), tuple(inputs), tuple(outputs))


class Phase(StrEnum):
    """When a node of a training graph runs."""

    FORWARD = "forward"  # in inference and in training
    KEEP = "keep"  # between them, in a training step alone: what the backward pass keeps
    OUTPUT = "output"  # in inference alone
    BACKWARD = "backward"  # in a training step, for every sample
    UPDATE = "update"  # once a mini-batch is complete


@dataclass(frozen=True)
class Learning:
    """A tensor of the model that learns, and the gradient of what learns of it.

    The gradient is no tensor of the graph where a node updates while it forms it.
    """

    tensor: str
    gradient: str
    channels: tuple[int, ...] | None = None  # input channels that learn; None: all


@dataclass(frozen=True)
class TrainingGraph:
    """Forward, backward and update as pure operators.

    ``graph.inputs`` is (sample, target), ``graph.outputs`` is (prediction, loss).
    ``next_state`` maps each STATE tensor that a step changes to the value that it takes
    when the step ends; ``gradients`` maps a forward tensor to the tensor holding
    the loss's derivative by it; ``hyper`` is the STATE of the optimiser's hyper-parameters.
    """

    graph: Graph
    phases: Mapping[str, Phase]
    learning: tuple[Learning, ...]
    next_state: Mapping[str, str]
    gradients: Mapping[str, str]
    batch: int
    hyper: str

    @property
    def accumulators(self) -> tuple[str, ...]:
        """STATE tensors that gather gradients, and start from zero again after an update."""
        if self.batch == 1:
            return ()
        writers = self.graph.producers()
        return tuple(
            state
            for state, value in self.next_state.items()
            if self.phases[writers[value].name] is Phase.BACKWARD
        )

    def with_nodes(self, nodes: Iterable[Node]) -> TrainingGraph:
        """With these nodes, of the same names or fewer, and without what none computes any more."""
        kept = tuple(nodes)
        gone = self.graph.producers().keys() - {out for node in kept for out in node.outputs}
        tensors = {n: t for n, t in self.graph.tensors.items() if n not in gone}
        return replace(
            self,
            graph=self.graph.with_(tensors=tensors, nodes=kept),
            phases={node.name: self.phases[node.name] for node in kept},
            gradients={n: g for n, g in self.gradients.items() if g not in gone},
        )

    def nodes_in(self, *phases: Phase) -> list[Node]:
        """The nodes of these phases, in order."""
        return [n for n in self.graph.nodes if self.phases[n.name] in phases]
