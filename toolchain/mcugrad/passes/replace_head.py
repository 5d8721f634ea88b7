"""Gives a model a fresh classifier for another number of classes."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt
from typing import Any
from zlib import crc32

import numpy as np

from mcugrad.errors import ModelError
from mcugrad.ir.draw import Draw
from mcugrad.ir.graph import Graph, Node
from mcugrad.ir.tensor import DType, Storage, Tensor, constant
from mcugrad.ops import OpCall, lookup
from mcugrad.passes.layers import layers


def replace_head(graph: Graph, classes: int, seed: int) -> Graph:
    """``graph`` whose last layer has ``classes`` outputs and fresh float weights.

    Weights are uniform as in Glorot and Bengio (2010), equation 16, drawn from ``seed``;
    biases are zero. The last layer must be float already, and only operators that keep
    the number of classes may follow it.

    Raises:
        ModelError: the model does not end in a layer that can be replaced.
    """
    head = layers(graph)[-1]
    old = graph.tensors[head.weight]
    if head.node.op not in ("fully_connected", "conv2d") or old.dtype is not DType.F32:
        raise ModelError(
            f"the last layer {head.node.name!r} ({head.node.op}) cannot be given other classes; "
            "only a fully connected layer or a convolution can"
        )
    readers = graph.consumers()
    for name in (n for n in (head.weight, head.bias) if n):
        if readers[name] != [head.node]:
            raise ModelError(
                f"the last layer {head.node.name!r} cannot be given other classes: "
                f"its {name!r} is used by another operator too"
            )
    shape = (classes, *old.shape[1:])
    fan_in, fan_out = int(np.prod(shape[1:])), classes * int(np.prod(shape[1:-1]))
    limit = sqrt(6.0 / (fan_in + fan_out))
    draw = Draw(crc32(f"{seed} {head.weight} fresh".encode()) >> 1, limit)
    tensors = dict(graph.tensors)
    tensors[head.weight] = Tensor(head.weight, shape, DType.F32, storage=Storage.STATE, draw=draw)
    if head.bias is not None:
        zeros = np.zeros(classes, np.float32)
        tensors[head.bias] = constant(head.bias, zeros, storage=graph.tensors[head.bias].storage)
    changed = graph.with_(tensors=tensors)
    return _reshaped(changed, head.node, old.shape[0], classes)


def _reshaped(graph: Graph, start: Node, old: int, new: int) -> Graph:
    """Infers the shapes from ``start`` on anew."""
    tensors = dict(graph.tensors)
    nodes: list[Node] = []
    dirty: set[str] = set()
    for original in graph.nodes:
        if original is not start and not dirty.intersection(original.inputs):
            nodes.append(original)
            continue
        node = original
        if node.op == "reshape":
            node = replace(node, attrs=_resized(node.attrs, old, new))
        operands = [tensors[n] if n else None for n in node.inputs]
        results = [tensors[n] for n in node.outputs]
        try:
            specs = lookup(node.op).infer(OpCall(node.attrs, operands, results))
        except ValueError as error:
            raise ModelError(
                f"{node.name!r} ({node.op}) after the last layer does not take "
                f"{new} classes: {error}"
            ) from error
        for tensor, spec in zip(results, specs, strict=True):
            tensors[tensor.name] = replace(tensor, shape=spec.shape)
            dirty.add(tensor.name)
        nodes.append(node)
    return graph.with_(tensors=tensors, nodes=tuple(nodes))


def _resized(attrs: Any, old: int, new: int) -> Any:
    """A reshape's attributes with the class axis changed."""
    shape = tuple(attrs.shape)
    if old not in shape:
        raise ModelError("a reshape after the last layer mixes classes with other axes")
    axis = len(shape) - 1 - shape[::-1].index(old)
    return replace(attrs, shape=(*shape[:axis], new, *shape[axis + 1 :]))
