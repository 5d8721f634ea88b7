"""Turns the tensors that learn from constants into state."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from mcugrad.ir.graph import Graph
from mcugrad.ir.tensor import DType, QuantParams, Storage
from mcugrad.passes.layers import layers


def as_state(graph: Graph, learning: Collection[str]) -> Graph:
    """``graph`` with these tensors as STATE, that is, in SRAM.

    An int32 bias gets its quantisation, the product of its layer's input and weight scales.
    """
    tensors = dict(graph.tensors)
    for name in learning:
        tensors[name] = replace(tensors[name], storage=Storage.STATE)
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
