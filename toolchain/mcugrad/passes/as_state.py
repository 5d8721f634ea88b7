"""Turns what learns from constants into state."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mcugrad.ir.graph import Graph, GraphBuilder, Node
from mcugrad.ir.tensor import QuantParams, Storage, Tensor
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
    builder = GraphBuilder.of(_with_scales(graph, learning))
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


def _with_scales(graph: Graph, learning: Channels) -> Graph:
    """``graph`` with the scales of learning biases, and units for all of int8 layers.

    They are such that the forward pass's multipliers serve as multiples of them.
    """
    tensors = dict(graph.tensors)
    for layer in layers(graph):
        x, w = (tensors[n] for n in (layer.node.inputs[0], layer.weight))
        y = tensors[layer.node.outputs[0]]
        if x.quant is None or w.quant is None:
            continue
        x_scale = x.quant.per_tensor[0]
        y_scale = None if y.quant is None else y.quant.per_tensor[0]
        unit = None if y_scale is None else y_scale / x_scale
        tensors[w.name] = replace(w, quant=replace(w.quant, unit=unit))
        if layer.bias is not None and layer.bias in learning:
            scales = tuple(x_scale * s for s in w.quant.scale)
            axis = 0 if len(scales) > 1 else None
            quant = QuantParams(scales, (0,) * len(scales), axis, unit=y_scale)
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
            quant.unit,
        )
    name = f"{tensor.name}/learning"
    return Tensor(name, data.shape, tensor.dtype, quant, Storage.STATE, data)


def _merge(builder: GraphBuilder, weight: str, state: str, attrs: MergeAttrs) -> Node:
    whole = replace(builder.tensors[weight], storage=Storage.VALUE, data=None)
    merged = builder.add_tensor(whole.renamed(f"{weight}/merged"))
    node_name = builder.unique(f"merge_channels:{merged}")
    return Node(node_name, "merge_channels", (weight, state), (merged,), attrs)
