"""A forward pass written a second time, for autograd (HIPS) to differentiate.

It shares no arithmetic with the operators' references and no rule with their gradients:
convolutions are sums over taps of slices, pools are maxima and means of slices.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import autograd.numpy as anp
import numpy as np

from mcugrad.ir.graph import Graph, Node
from mcugrad.ir.tensor import Array


def _taps(x: Any, window: Any, fill: float) -> dict[tuple[int, int], Any]:
    top, bottom, left, right = window.pad
    padded = anp.pad(
        x[0], ((top, bottom), (left, right), (0, 0)), mode="constant", constant_values=fill
    )
    oh, ow = window.output_size(x.shape[1], x.shape[2])
    (sh, sw), (dh, dw) = window.stride, window.dilation
    return {
        (ky, kx): padded[
            ky * dh : ky * dh + (oh - 1) * sh + 1 : sh, kx * dw : kx * dw + (ow - 1) * sw + 1 : sw
        ]
        for ky in range(window.kernel[0])
        for kx in range(window.kernel[1])
    }


def _clamp(y: Any, clamp: Any) -> Any:
    return anp.where(y > clamp.low, anp.where(y < clamp.high, y, clamp.high), clamp.low)


def _conv2d(a: Any, x: Any, w: Any, b: Any = 0.0) -> Any:
    assert a.groups == 1
    taps = _taps(x, a.window, 0.0)
    return _clamp(sum(anp.dot(t, w[:, ky, kx, :].T) for (ky, kx), t in taps.items()) + b, a.clamp)[
        None
    ]


def _depthwise(a: Any, x: Any, w: Any, b: Any = 0.0) -> Any:
    assert w.shape[2] == x.shape[3]
    taps = _taps(x, a.window, 0.0)
    return _clamp(sum(t * w[ky, kx] for (ky, kx), t in taps.items()) + b, a.clamp)[None]


def _avg_pool(a: Any, x: Any) -> Any:
    counts = _taps(np.ones(x.shape), a.window, 0.0).values()
    return _clamp(sum(_taps(x, a.window, 0.0).values()) / sum(counts), a.clamp)[None]


def _max_pool(a: Any, x: Any) -> Any:
    taps = list(_taps(x, a.window, -1e30).values())
    return _clamp(anp.max(anp.stack(taps), axis=0), a.clamp)[None]


def _softmax(a: Any, x: Any) -> Any:
    e = anp.exp(a.beta * (x - anp.max(x)))
    return e / anp.sum(e, axis=-1, keepdims=True)


#: Operator -> its formula, called with the attributes and the operands.
FORWARD: dict[str, Any] = {
    "conv2d": _conv2d,
    "depthwise_conv2d": _depthwise,
    "fully_connected": lambda a, x, w, b=0.0: _clamp(
        anp.dot(anp.reshape(x, (-1, w.shape[1])), w.T) + b, a.clamp
    ),
    "add": lambda a, x, y: _clamp(x + y, a.clamp),
    "sub": lambda a, x, y: _clamp(x - y, a.clamp),
    "mul": lambda a, x, y: _clamp(x * y, a.clamp),
    "concat": lambda a, *xs: anp.concatenate(xs, axis=a.axis),
    "mean": lambda a, x: anp.mean(x, axis=a.axes, keepdims=a.keep_dims),
    "reshape": lambda a, x: anp.reshape(x, a.shape),
    "avg_pool2d": _avg_pool,
    "max_pool2d": _max_pool,
    "softmax": _softmax,
    "logistic": lambda _a, x: 1 / (1 + anp.exp(-x)),
    "tanh": lambda _a, x: anp.tanh(x),
    "dequantize": lambda _a, x: x,
    "hard_swish": lambda _a, x: (
        x * anp.where(x > -3, anp.where(x < 3, (x + 3) / 6, 1.0 + 0 * x), 0.0 * x)
    ),
}


def forward(graph: Graph, parameters: Mapping[str, Any], x: Array, until: str) -> Any:
    """The tensor ``until`` of a float graph, from given parameters, in float64."""
    values: dict[str, Any] = {graph.inputs[0]: x.astype(np.float64)}

    def value(name: str) -> Any:
        if name in parameters:
            return parameters[name]
        return values[name] if name in values else graph.tensors[name].initial().astype(np.float64)

    def compute(node: Node) -> Any:
        return FORWARD[node.op](node.attrs, *(value(n) for n in node.inputs if n))

    for node in graph.nodes:
        if until in values:
            break
        values[node.outputs[0]] = compute(node)
    return values[until]


def cross_entropy(logits: Any, label: int) -> Any:
    """-log softmax(logits)[label]."""
    flat = anp.reshape(logits, (-1,))
    top = anp.max(flat)
    return top + anp.log(anp.sum(anp.exp(flat - top))) - flat[label]
