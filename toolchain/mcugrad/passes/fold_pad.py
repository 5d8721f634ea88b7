"""Folds a PAD into the windows of the convolutions after it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mcugrad.ir.graph import Graph, Node

_CONVOLUTIONS = frozenset({"conv2d", "depthwise_conv2d"})


def fold_pad(graph: Graph) -> Graph:
    """Without the pads of height and width that only convolutions read.

    Both stand for the real zero, so no result changes.
    """
    consumers = graph.consumers()
    folded: dict[str, Node] = {}
    for node in graph.nodes:
        if node.op == "pad" and _foldable(graph, node, consumers[node.outputs[0]]):
            folded[node.outputs[0]] = node
    nodes = [_with_pad(n, folded[n.inputs[0]]) if n.inputs[0] in folded else n for n in graph.nodes]
    return graph.with_(nodes=tuple(nodes)).pruned()


def _foldable(graph: Graph, pad: Node, consumers: list[Node]) -> bool:
    x, padded = pad.inputs[0], pad.outputs[0]
    paddings = pad.attrs.paddings
    return (
        len(paddings) == 4
        and paddings[0] == paddings[3] == (0, 0)
        and graph.tensors[x].quant == graph.tensors[padded].quant
        and padded not in graph.outputs
        and bool(consumers)
        and all(n.op in _CONVOLUTIONS and n.inputs.index(padded) == 0 for n in consumers)
    )


def _with_pad(node: Node, pad: Node) -> Node:
    _, rows, columns, _ = pad.attrs.paddings
    attrs: Any = node.attrs
    old = attrs.window.pad
    more = (*rows, *columns)
    window = replace(attrs.window, pad=tuple(a + b for a, b in zip(old, more, strict=True)))
    return replace(
        node, inputs=(pad.inputs[0], *node.inputs[1:]), attrs=replace(attrs, window=window)
    )
