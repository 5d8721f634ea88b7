"""Turns the tail of an int8 model into float32.

The tail is every node whose result depends on one of the given tensors. Its int8 operands from
the rest pass through one dequantise step each; its constants are dequantised here. The rest
keeps its int8 arithmetic.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mcugrad.ir.graph import Graph, GraphBuilder, Node
from mcugrad.ir.tensor import Array, DType, Tensor
from mcugrad.ops import lookup
from mcugrad.ops.base import NoAttrs


def tail_nodes(graph: Graph, roots: frozenset[str]) -> set[str]:
    """The names of the nodes whose results depend on one of ``roots``."""
    reached = set(roots)
    names = set()
    for node in graph.nodes:
        if reached.intersection(node.inputs):
            reached.update(node.outputs)
            names.add(node.name)
    return names


def float_tail(graph: Graph, roots: frozenset[str]) -> Graph:
    """``graph`` with what depends on ``roots`` in float32, these included."""
    tail = tail_nodes(graph, roots)
    consumers = graph.consumers()
    builder = GraphBuilder(dict(graph.tensors))
    new_name: dict[str, str] = {}  # of a tensor as the tail sees it

    def operand(node: Node, index: int) -> str:
        name = node.inputs[index]
        if not name or name in new_name:
            return new_name.get(name, name)
        tensor = graph.tensors[name]
        if tensor.data is not None:
            data = _real_values(graph, node, index)
            real = Tensor(name, tensor.shape, DType.F32, None, tensor.storage, data)
            if all(c.name in tail for c in consumers[name]):
                builder.tensors[name] = real
                new_name[name] = name
            else:
                new_name[name] = builder.add_tensor(real)
        elif tensor.dtype is DType.S8:
            new = builder.add_tensor(Tensor(f"{name}/float", tensor.shape, DType.F32))
            builder.add_node(Node(builder.unique(new), "dequantize", (name,), (new,), NoAttrs()))
            new_name[name] = new
        else:
            new_name[name] = name
        return new_name[name]

    for node in graph.nodes:
        if node.name not in tail:
            builder.add_node(node)
            continue
        inputs = tuple(operand(node, i) for i in range(len(node.inputs)))
        if node.op in ("quantize", "dequantize"):  # the identity between floats
            new_name[node.outputs[0]] = inputs[0]
            continue
        for name in node.outputs:
            builder.tensors[name] = replace(graph.tensors[name], dtype=DType.F32, quant=None)
            new_name[name] = name
        builder.add_node(replace(node, inputs=inputs))
    outputs = [new_name.get(n, n) for n in graph.outputs]
    return builder.build(graph.name, graph.inputs, outputs).pruned()


def _real_values(graph: Graph, node: Node, index: int) -> Array:
    """The float32 values of a constant operand."""
    tensor = graph.tensors[node.inputs[index]]
    values = tensor.initial()
    if tensor.dtype is DType.F32:
        return values
    weights = lookup(node.op).weights
    if tensor.dtype is DType.S32 and weights is not None and index == weights.bias:
        x, w = (graph.tensors[node.inputs[i]] for i in (0, weights.weight))
        assert x.quant is not None
        assert w.quant is not None
        scale = x.quant.scale[0] * np.array(w.quant.scale)
        return (values * scale).astype(np.float32)
    assert tensor.quant is not None
    shape = [1] * values.ndim
    if tensor.quant.axis is not None:
        shape[tensor.quant.axis] = -1
    scale, zero_point = (
        np.array(v, np.float64).reshape(shape if len(v) > 1 else [1] * values.ndim)
        for v in (tensor.quant.scale, tensor.quant.zero_point)
    )
    return ((values - zero_point) * scale).astype(np.float32)
