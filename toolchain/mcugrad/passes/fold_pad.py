"""Folds a PAD into the windows of the convolutions after it."""

from __future__ import annotations

from dataclasses import replace

from mcugrad.ir.graph import Graph, Node

_CONVOLUTIONS = frozenset({"conv2d", "depthwise_conv2d"})


def fold_pad(graph: Graph) -> Graph:
    """Without the pads of height and width that only convolutions read.

    Both stand for the real zero, so no result changes.
    """
    nodes = {n.name: n for n in graph.nodes}
    readers = {name: [n.name for n in found] for name, found in graph.consumers().items()}
    for pad in reversed(graph.nodes):  # so that of pads in a row the last goes first
        x, padded = pad.inputs[0], pad.outputs[0]
        if pad.op == "pad" and _foldable(graph, pad, [nodes[r] for r in readers[padded]]):
            for name in readers[padded]:
                nodes[name] = _with_pad(nodes[name], pad)
            del nodes[pad.name]
            readers[x] = [r for r in readers[x] if r != pad.name] + readers[padded]
    return graph.with_(nodes=tuple(nodes.values())).pruned()


def _foldable(graph: Graph, pad: Node, readers: list[Node]) -> bool:
    x, padded = pad.inputs[0], pad.outputs[0]
    paddings = pad.attrs.paddings
    return (
        len(paddings) == 4
        and paddings[0] == paddings[3] == (0, 0)
        and graph.tensors[x].quant == graph.tensors[padded].quant
        and padded not in graph.outputs
        and all(n.op in _CONVOLUTIONS and n.inputs.index(padded) == 0 for n in readers)
    )


def _with_pad(node: Node, pad: Node) -> Node:
    _, rows, columns, _ = pad.attrs.paddings
    window = node.attrs.window
    total = tuple(a + b for a, b in zip(window.pad, (*rows, *columns), strict=True))
    attrs = replace(node.attrs, window=replace(window, pad=total))
    return replace(node, inputs=(pad.inputs[0], *node.inputs[1:]), attrs=attrs)
