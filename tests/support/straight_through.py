"""The true gradients of an int8 network: its float64 formulas with straight-through rounding.

The forward values are those of the integer arithmetic. Each result passes the gradient of the
formula that it rounds, and none where it lies at an end of its range (Jacob et al., "Quantization
and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference", section 3).
autograd (HIPS) differentiates; no rule of the operators takes part.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from math import inf
from typing import Any

import numpy as np
from autograd import grad
from autograd.extend import defvjp, primitive

from mcugrad.golden.interpreter import run
from mcugrad.ir.graph import Graph, Node, Phase, TrainingGraph
from mcugrad.ir.tensor import Array, DType, Storage, Tensor
from mcugrad.ops.clamp_range import Clamp
from tests.support.autograd_forward import FORWARD, cross_entropy


def _value(_formula: Any, value: Array, _inside: Array) -> Array:
    return value


_straight = primitive(_value)
defvjp(_straight, lambda _result, _formula, _value, inside: lambda g: g * inside, None, None)


def _real(tensor: Tensor, stored: Array) -> Array:
    """The real values of what a tensor holds."""
    if tensor.dtype.is_float or tensor.quant is None:
        return stored.astype(np.float64)
    shape = [1] * stored.ndim
    if len(tensor.quant.scale) > 1:
        shape[tensor.quant.axis or 0] = -1
    scale, zero = (np.reshape(v, shape) for v in (tensor.quant.scale, tensor.quant.zero_point))
    return np.asarray(scale * (stored.astype(np.float64) - zero))


def _operand(graph: Graph, node: Node, index: int, stored: Array) -> Array:
    """A constant operand's real values; an int32 bias has the scale of its products."""
    tensor = graph.tensors[node.inputs[index]]
    if tensor.dtype is DType.S32 and tensor.quant is None:
        x, w = (graph.tensors[n].quant for n in node.inputs[:2])
        assert x is not None
        assert w is not None
        return np.asarray(stored.astype(np.float64) * np.array(w.scale) * x.scale[0])
    return _real(tensor, stored)


def _range(clamp: Clamp, tensor: Tensor) -> tuple[float, float]:
    """The ends of an int8 result's range."""
    assert tensor.quant is not None
    scale, zero = tensor.quant.scale[0], tensor.quant.zero_point[0]
    low = -inf if clamp.low == -inf else zero + round(clamp.low / scale)
    high = inf if clamp.high == inf else zero + round(clamp.high / scale)
    return max(low, -128), min(high, 127)


def true_gradients(training: TrainingGraph, x: Array, label: int) -> dict[str, Array]:
    """The derivative of the loss by the real value of every learning tensor."""
    graph = training.graph
    nodes = training.nodes_in(Phase.FORWARD)
    stored = run(graph, {graph.inputs[0]: x}, nodes)
    stored |= {n: t.initial() for n, t in graph.tensors.items() if t.storage is not Storage.VALUE}

    def loss(given: dict[str, Any]) -> Any:
        values: dict[str, Any] = {graph.inputs[0]: _real(graph.tensors[graph.inputs[0]], x)}
        for node in nodes:
            operands = [
                given[n]
                if n in given
                else values[n]
                if n in values
                else _operand(graph, node, i, stored[n])
                for i, n in enumerate(node.inputs)
                if n
            ]
            out = graph.tensors[node.outputs[0]]
            if out.dtype is DType.S8:
                clamp = getattr(node.attrs, "clamp", Clamp())
                low, high = _range(clamp, out)
                inside = (stored[out.name] > low) & (stored[out.name] < high)
                formula = FORWARD[node.op](_unclamped(node.attrs), *operands)
                values[out.name] = _straight(formula, _real(out, stored[out.name]), inside)
            else:
                values[out.name] = FORWARD[node.op](node.attrs, *operands)
        return cross_entropy(values[nodes[-1].outputs[0]], label)

    owners = {n: (node, i) for node in nodes for i, n in enumerate(node.inputs)}
    start = {
        item.tensor: _operand(graph, *owners[item.tensor], stored[item.tensor])
        for item in training.learning
    }
    return dict(grad(loss)(start))


def _unclamped(attrs: Any) -> Any:
    if is_dataclass(attrs) and "clamp" in {f.name for f in fields(attrs)}:
        return replace(attrs, clamp=Clamp())  # type: ignore[type-var]
    return attrs


def cosine(a: Array, b: Array) -> float:
    """Of two arrays as vectors; 1 where both are zero."""
    a, b = a.reshape(-1).astype(np.float64), b.reshape(-1).astype(np.float64)
    if not a.any() and not b.any():
        return 1.0
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))
