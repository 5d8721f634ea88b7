"""Gives a fresh float classifier int8 weights, and int32 results of which no range is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mcugrad.errors import UsageError
from mcugrad.ir.graph import Graph, GraphBuilder, Node
from mcugrad.ir.tensor import DType, QuantParams, Tensor, constant
from mcugrad.ops.base import NoAttrs
from mcugrad.ops.clamp_range import NONE
from mcugrad.ops.fully_connected import FullyConnectedAttrs
from mcugrad.passes.layers import layers

#: Integers of the largest fresh weights, which leaves them room to grow to four times that.
_LIMIT = 32


def integer_head(graph: Graph) -> Graph:
    """``graph`` whose last layer, of floats made from int8, works on the int8 itself.

    Its results are int32 sums, from which a dequantise step makes what the float layer gave.

    Raises:
        UsageError: the last layer is not fully connected, or has a fused activation.
    """
    head = layers(graph)[-1]
    source = graph.producers().get(head.node.inputs[0])
    plain = head.node.op == "fully_connected" and head.node.attrs.clamp == NONE
    if not plain or source is None or source.op != "dequantize":
        raise UsageError(
            f"the last layer {head.node.name!r} ({head.node.op}) cannot be given other classes "
            "under integer gradients, only a fully connected one can: use --gradients f32"
        )
    builder = GraphBuilder(dict(graph.tensors))
    x = graph.tensors[source.inputs[0]]
    assert x.quant is not None
    weight = graph.tensors[head.weight]
    assert weight.draw is not None
    scale = float(np.float32(weight.draw.limit / _LIMIT))
    product = float(np.float32(x.quant.scale[0] * scale))
    builder.tensors[weight.name] = replace(
        weight,
        dtype=DType.S8,
        quant=QuantParams((scale,), (0,)),
        draw=replace(weight.draw, limit=_LIMIT),
    )
    if head.bias is not None:
        bias = graph.tensors[head.bias]
        codes = np.rint(bias.initial() / product).astype(np.int32)
        quant = QuantParams((product,), (0,))
        builder.tensors[bias.name] = constant(bias.name, codes, quant, bias.storage)
    (result,) = head.node.outputs
    shape = graph.tensors[result].shape
    quant = QuantParams((product,), (0,))
    sums = builder.add_tensor(Tensor(f"{result}/sums", shape, DType.S32, quant))
    wide = replace(
        head.node,
        inputs=(x.name, *head.node.inputs[1:]),
        outputs=(sums,),
        attrs=FullyConnectedAttrs(wide=True),
    )
    for node in graph.nodes:
        if node is not head.node:
            builder.add_node(node)
            continue
        builder.add_node(wide)
        name = builder.unique(f"dequantize:{result}")
        builder.add_node(Node(name, "dequantize", (sums,), (result,), NoAttrs()))
    return builder.build(graph.name, graph.inputs, graph.outputs).pruned()
