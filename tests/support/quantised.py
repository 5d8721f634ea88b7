"""Post-training quantisation of small test networks to int8, as TFLite specifies it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mcugrad.golden.interpreter import run
from mcugrad.ir.graph import Graph, GraphBuilder, Node
from mcugrad.ir.tensor import Array, DType, QuantParams, Tensor, constant
from mcugrad.ops.base import NoAttrs

#: Results whose scale and zero point TFLite fixes.
_FIXED = {
    "softmax": QuantParams((1 / 256,), (-128,)),
    "logistic": QuantParams((1 / 256,), (-128,)),
    "tanh": QuantParams((1 / 128,), (0,)),
}

#: Operators whose result must have the operand's scale and zero point.
_KEEPS = frozenset({"avg_pool2d", "max_pool2d", "reshape", "pad"})

#: Output channels of weights.
_AXIS = {"conv2d": 0, "depthwise_conv2d": 2, "fully_connected": 0}


def quantised(graph: Graph, samples: Sequence[Array], per_channel: bool = True) -> Graph:
    """The float network in int8, its ranges taken from ``samples``."""
    return _Quantiser(graph, samples, per_channel).run()


def codes(x: Array, quant: QuantParams) -> Array:
    """Real values as int8."""
    scale, zero_point = quant.per_tensor
    return np.asarray(np.clip(np.rint(x / scale) + zero_point, -128, 127), np.int8)


def _affine(low: float, high: float) -> QuantParams:
    low, high = min(low, 0.0), max(high, 1e-3)
    scale = float(np.float32((high - low) / 255))
    return QuantParams((scale,), (round(-128 - low / scale),))


class _Quantiser:
    def __init__(self, graph: Graph, samples: Sequence[Array], per_channel: bool) -> None:
        self.graph = graph
        self.per_channel = per_channel
        self.builder = GraphBuilder()
        runs = [run(graph, {graph.inputs[0]: x}) for x in samples]
        self.ranges = {
            name: _affine(min(r[name].min() for r in runs), max(r[name].max() for r in runs))
            for name in runs[0]
        }

    def run(self) -> Graph:
        for name in self.graph.inputs:
            self._value(self.graph.tensors[name], self.ranges[name])
        for node in self.graph.nodes:
            self._node(node)
        return self.builder.build(self.graph.name, self.graph.inputs, self.graph.outputs)

    def _node(self, node: Node) -> None:
        inputs = list(node.inputs)
        (out,) = self.graph.results(node)
        quant = _FIXED.get(node.op, self.ranges[out.name])
        if node.op in _KEEPS:
            quant = self._quant(inputs[0])
        if node.op == "concat":
            inputs = [self._requantised(n, quant) for n in inputs]
        if node.op in _AXIS:
            self._weights(node)
        self._value(out, quant)
        self.builder.add_node(replace(node, inputs=tuple(inputs)))

    def _weights(self, node: Node) -> None:
        x, w, *b = node.inputs
        data = self.graph.tensors[w].initial().astype(np.float64)
        axis = _AXIS[node.op]
        others = tuple(i for i in range(data.ndim) if i != axis)
        peak = np.abs(data).max(axis=others if self.per_channel else None, keepdims=True)
        scale = (np.maximum(peak, 1e-6) / 127).astype(np.float32).astype(np.float64)
        scales = tuple(float(s) for s in scale.reshape(-1))
        zeros = (0,) * len(scales)
        quant = QuantParams(scales, zeros, axis if len(scales) > 1 else None)
        stored = np.clip(np.rint(data / scale), -127, 127).astype(np.int8)
        self.builder.tensors[w] = constant(w, stored, quant)
        for name in b:
            step = self._quant(x).per_tensor[0] * np.array(scales)
            bias = np.rint(self.graph.tensors[name].initial() / step).astype(np.int32)
            product = tuple(float(np.float32(s)) for s in step)
            quant = QuantParams(product, zeros, 0 if len(scales) > 1 else None)
            self.builder.tensors[name] = constant(name, bias, quant)

    def _requantised(self, name: str, quant: QuantParams) -> str:
        tensor = self.builder.tensors[name]
        out = self.builder.add_tensor(Tensor(f"{name}/joined", tensor.shape, DType.S8, quant))
        self.builder.add_node(Node(f"to_{out}", "quantize", (name,), (out,), NoAttrs()))
        return out

    def _quant(self, name: str) -> QuantParams:
        quant = self.builder.tensors[name].quant
        assert quant is not None
        return quant

    def _value(self, tensor: Tensor, quant: QuantParams) -> None:
        self.builder.tensors[tensor.name] = replace(tensor, dtype=DType.S8, quant=quant)
