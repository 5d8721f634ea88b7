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
    producers, consumers = graph.producers(), graph.consumers()
    fused: dict[str, Node] = {}
    dropped: set[str] = set()
    for clamp in graph.nodes:
        x = clamp.inputs[0] if clamp.inputs else ""
        producer = producers.get(x)
        if (
            clamp.op == "clamp"
            and producer is not None
            and any(f.name == "clamp" for f in fields(producer.attrs))
            and len(consumers[x]) == 1
            and x not in graph.outputs
            and graph.tensors[x].quant == graph.tensors[clamp.outputs[0]].quant
        ):
            before = fused.get(producer.name, producer)
            both = _both(before.attrs.clamp, clamp.attrs)
            attrs = replace(before.attrs, clamp=both)
            fused[producer.name] = replace(producer, attrs=attrs, outputs=clamp.outputs)
            dropped.add(clamp.name)
    nodes = [fused.get(n.name, n) for n in graph.nodes if n.name not in dropped]
    return graph.with_(nodes=tuple(nodes)).pruned()


def _both(first: Clamp, second: Clamp) -> Clamp:
    """The one range that is the same as ``first`` and then ``second``."""
    low = max(second.low, min(first.low, second.high))
    high = max(second.low, min(first.high, second.high))
    return Clamp(low, high)
