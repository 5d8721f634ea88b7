"""Which constant weights lie in a layout of the kernels that read them."""

from __future__ import annotations

from mcugrad.ir.graph import Graph, Node
from mcugrad.ir.tensor import Storage, Tensor, constant
from mcugrad.ops import OpCall, lookup
from mcugrad.ops.base import Layout

#: The input that a kernel's layout is about.
_WEIGHT = 1


def choose_layouts(graph: Graph, features: frozenset[str]) -> dict[str, Layout]:
    """The layout of each constant for which all that read it would rather have the same one.

    So there is one copy of it, which serves the forward pass and the input's gradient.
    """
    found = {}
    for name, readers in graph.consumers().items():
        if readers and graph.tensors[name].storage is Storage.CONSTANT:
            first, *others = (_preferred(graph, node, name, features) for node in readers)
            if first is not None and all(other == first for other in others):
                found[name] = first
    return found


def _preferred(graph: Graph, node: Node, name: str, features: frozenset[str]) -> Layout | None:
    """The layout that a node's kernels would have it in; None: the model's."""
    if [i for i, n in enumerate(node.inputs) if n == name] != [_WEIGHT]:
        return None
    call = OpCall(node.attrs, graph.operands(node), graph.results(node))
    return lookup(node.op).layout(call, features)


def packed(tensor: Tensor, layout: Layout) -> Tensor:
    """The constant in that layout."""
    return constant(tensor.name, layout.pack(tensor.initial()))
