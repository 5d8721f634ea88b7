"""Gives a fresh float classifier int8 weights, and int32 results of which no range is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mcugrad.errors import UsageError
from mcugrad.ir.graph import Graph, GraphBuilder, Node
from mcugrad.ir.tensor import Array, DType, QuantParams, Tensor, constant
from mcugrad.ops.base import NoAttrs
from mcugrad.ops.clamp_range import NONE
from mcugrad.ops.fully_connected import FullyConnectedAttrs
from mcugrad.passes.layers import layers

#: How much larger than the largest fresh weight the range of learning weights is.
_ROOM = 4.0


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
    values = graph.tensors[head.weight].initial()
    scale = float(np.float32(_ROOM * np.abs(values).max() / 127))
    product = float(np.float32(x.quant.scale[0] * scale))
    _store(builder, head.weight, np.rint(values / scale).astype(np.int8), scale)
    if head.bias is not None:
        bias = np.rint(graph.tensors[head.bias].initial() / product).astype(np.int32)
        _store(builder, head.bias, bias, product)
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


def _store(builder: GraphBuilder, name: str, data: Array, scale: float) -> None:
    storage = builder.tensors[name].storage
    builder.tensors[name] = constant(name, data, QuantParams((scale,), (0,)), storage)
