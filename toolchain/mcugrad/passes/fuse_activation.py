"""Merges a clamp that stands alone into the operator before it."""

from __future__ import annotations

from dataclasses import fields, replace

from mcugrad.ir.graph import Graph, Node
from mcugrad.ops.clamp_range import Clamp


def fuse_activation(graph: Graph) -> Graph:
    """Without the clamps whose operand has no other reader and a producer that can clamp.

    Of int8, only where the clamp keeps scale and zero point: then it limits codes alone, which
    is what a fused activation does, and no result changes.
    """
    consumers = graph.consumers()
    nodes: dict[str, Node] = {}
    producers: dict[str, Node] = {}
    for node in graph.nodes:
        kept = node
        if node.op == "clamp":
            (x,), (y,) = node.inputs, node.outputs
            producer = producers.get(x)
            if (
                producer is not None
                and any(f.name == "clamp" for f in fields(producer.attrs))
                and len(consumers[x]) == 1
                and x not in graph.outputs
                and graph.tensors[x].quant == graph.tensors[y].quant
            ):
                attrs = replace(producer.attrs, clamp=_both(producer.attrs.clamp, node.attrs))
                kept = replace(producer, attrs=attrs, outputs=(y,))
        nodes[kept.name] = kept
        producers |= dict.fromkeys(kept.outputs, kept)
    return graph.with_(nodes=tuple(nodes.values())).pruned()


def _both(first: Clamp, second: Clamp) -> Clamp:
    """The one range that is the same as ``first`` and then ``second``."""
    low = max(second.low, min(first.low, second.high))
    high = max(second.low, min(first.high, second.high))
    return Clamp(low, high)
