"""The layers of a graph: the nodes whose weights and biases can learn."""

from __future__ import annotations

from dataclasses import dataclass

from mcugrad.ir.graph import Graph, Node
from mcugrad.ir.tensor import Storage
from mcugrad.ops import lookup


@dataclass(frozen=True)
class Layer:
    """A node with weights, and the names of its weight and bias tensors."""

    node: Node
    weight: str
    bias: str | None
    channel_axis: int  # of the weight: its input channels


def layers(graph: Graph) -> list[Layer]:
    """All layers in the order in which they run; computed weights do not count."""
    found = []
    for node in graph.nodes:
        slots = lookup(node.op).weights
        if slots is None or not _stored(graph, node, slots.weight):
            continue
        bias = node.inputs[slots.bias] if _stored(graph, node, slots.bias) else None
        found.append(Layer(node, node.inputs[slots.weight], bias, slots.channel_axis))
    return found


def _stored(graph: Graph, node: Node, index: int) -> bool:
    name = node.inputs[index] if index < len(node.inputs) else ""
    return bool(name) and graph.tensors[name].storage is not Storage.VALUE
