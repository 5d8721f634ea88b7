"""Turns what learns from constants into state."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mcugrad.ir.graph import Graph, GraphBuilder, Node
from mcugrad.ir.tensor import DType, QuantParams, Storage, Tensor
from mcugrad.ops.merge_channels import MergeAttrs
from mcugrad.passes.layers import layers
from mcugrad.passes.scheme import Channels


def as_state(graph: Graph, learning: Channels) -> tuple[Graph, dict[str, str]]:
    """``graph`` with what learns as STATE, that is, in SRAM; and each tensor's STATE.

    A weight that learns in part stays a CONSTANT, and the slice of its learning channels is a
    STATE ``<weight>/learning``. Each layer that reads the weight merges the two just before it
    runs, so that the whole is in SRAM only then.
    An int32 bias gets its quantisation, the product of its layer's input and weight scales.
    """
    builder = GraphBuilder.of(_with_bias_scales(graph, learning))
    axes = {layer.weight: layer.channel_axis for layer in layers(graph)}
    states: dict[str, str] = {}
    merges: dict[str, MergeAttrs] = {}
    for name, channels in learning.items():
        tensor = builder.tensors[name]
        if channels is None:
            builder.tensors[name] = replace(tensor, storage=Storage.STATE)
            states[name] = name
        else:
            merges[name] = MergeAttrs(channels, axes[name])
            states[name] = builder.add_tensor(_slice(tensor, merges[name]))
    nodes = []
    for node in graph.nodes:
        new = {
            name: _merge(builder, name, states[name], attrs)
            for name, attrs in merges.items()
            if name in node.inputs
        }
        inputs = tuple(new[n].outputs[0] if n in new else n for n in node.inputs)
        nodes += [*new.values(), replace(node, inputs=inputs)]
    return graph.with_(tensors=builder.tensors, nodes=tuple(nodes)), states


def _with_bias_scales(graph: Graph, learning: Channels) -> Graph:
    tensors = dict(graph.tensors)
    for layer in layers(graph):
        if layer.bias is None or layer.bias not in learning:
            continue
        if tensors[layer.bias].dtype is DType.S32:
            x, w = tensors[layer.node.inputs[0]], tensors[layer.weight]
            assert x.quant is not None
            assert w.quant is not None
            scales = tuple(x.quant.scale[0] * s for s in w.quant.scale)
            quant = QuantParams(scales, (0,) * len(scales), 0 if len(scales) > 1 else None)
            tensors[layer.bias] = replace(tensors[layer.bias], quant=quant)
    return graph.with_(tensors=tensors)


def _slice(tensor: Tensor, part: MergeAttrs) -> Tensor:
    """The STATE of some channels of a weight."""
    data = np.ascontiguousarray(np.take(tensor.initial(), part.channels, part.axis))
    quant = tensor.quant
    if quant is not None and quant.axis == part.axis:
        quant = QuantParams(
            tuple(quant.scale[c] for c in part.channels),
            tuple(quant.zero_point[c] for c in part.channels),
            quant.axis,
        )
    name = f"{tensor.name}/learning"
    return Tensor(name, data.shape, tensor.dtype, quant, Storage.STATE, data)


def _merge(builder: GraphBuilder, weight: str, state: str, attrs: MergeAttrs) -> Node:
    whole = replace(builder.tensors[weight], storage=Storage.VALUE, data=None)
    merged = builder.add_tensor(whole.renamed(f"{weight}/merged"))
    node_name = builder.unique(f"merge_channels:{merged}")
    return Node(node_name, "merge_channels", (weight, state), (merged,), attrs)
