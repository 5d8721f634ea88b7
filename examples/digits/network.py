"""The example network: layers as a list, and its forward pass in float.

A stem, a separable convolution with a residual sum around it, average pooling, a convolution
and a classifier: small, yet made of what larger networks are made of. Images are NHWC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import autograd.numpy as np

SIZE = 8  # an image is SIZE x SIZE pixels
CLASSES = 10
IMAGE = "image"

Array = Any  # of NumPy, or traced by autograd
Parameters = dict[str, Array]


class Kind(StrEnum):
    """What a layer computes; spelled as TFLite's builtin operators."""

    CONV = "CONV_2D"
    DEPTHWISE = "DEPTHWISE_CONV_2D"
    DENSE = "FULLY_CONNECTED"
    ADD = "ADD"
    POOL = "AVERAGE_POOL_2D"
    RESHAPE = "RESHAPE"
    SOFTMAX = "SOFTMAX"


@dataclass(frozen=True)
class Layer:
    """One layer; its result has its name. ``weights`` is the shape of w, None without w and b.

    ``same`` pads so that the image keeps its size; ``relu`` is applied to the result.
    """

    name: str
    kind: Kind
    inputs: tuple[str, ...]
    weights: tuple[int, ...] | None = None
    same: bool = False
    relu: bool = False

    @property
    def channel_axis(self) -> int:
        """The axis of w that counts the output channels."""
        return 3 if self.kind is Kind.DEPTHWISE else 0


#: Weights are laid out as TFLite has them: [O, KH, KW, I], [1, KH, KW, O], [O, I].
LAYERS = (
    Layer("stem", Kind.CONV, (IMAGE,), (16, 3, 3, 1), same=True, relu=True),
    Layer("depthwise", Kind.DEPTHWISE, ("stem",), (1, 3, 3, 16), same=True, relu=True),
    Layer("pointwise", Kind.CONV, ("depthwise",), (16, 1, 1, 16)),
    Layer("sum", Kind.ADD, ("stem", "pointwise"), relu=True),
    Layer("pool", Kind.POOL, ("sum",)),
    Layer("corners", Kind.CONV, ("pool",), (32, 3, 3, 16), relu=True),
    Layer("flat", Kind.RESHAPE, ("corners",)),
    Layer("scores", Kind.DENSE, ("flat",), (CLASSES, 128)),
    Layer("probabilities", Kind.SOFTMAX, ("scores",)),
)


def initial_parameters(seed: int) -> Parameters:
    """Weights after He et al. (2015), biases of zero."""
    rng = np.random.default_rng(seed)
    parameters = {}
    for layer in LAYERS:
        if layer.weights is None:
            continue
        outputs = layer.weights[layer.channel_axis]
        fan_in = int(np.prod(layer.weights)) // outputs
        deviation = np.sqrt(2.0 / fan_in)
        parameters[f"{layer.name}/w"] = deviation * rng.standard_normal(layer.weights)
        parameters[f"{layer.name}/b"] = np.zeros(outputs)
    return parameters


def forward(parameters: Mapping[str, Array], images: Array) -> dict[str, Array]:
    """Every layer's result for a batch of images [N, SIZE, SIZE, 1]."""
    results = {IMAGE: images}
    for layer in LAYERS:
        operands = [results[name] for name in layer.inputs]
        if layer.weights is not None:
            operands += [parameters[f"{layer.name}/w"], parameters[f"{layer.name}/b"]]
        result = _FORWARD[layer.kind](layer, *operands)
        results[layer.name] = np.maximum(result, 0.0) if layer.relu else result
    return results


def _windows(layer: Layer, x: Array, height: int, width: int) -> list[tuple[int, int, Array]]:
    """For each tap of the kernel, the pixels that it meets."""
    if layer.same:
        x = np.pad(x, ((0, 0), (height // 2,) * 2, (width // 2,) * 2, (0, 0)), "constant")
    rows, columns = x.shape[1] - height + 1, x.shape[2] - width + 1
    return [
        (i, j, x[:, i : i + rows, j : j + columns, :]) for i in range(height) for j in range(width)
    ]


def _conv(layer: Layer, x: Array, w: Array, b: Array) -> Array:
    taps = _windows(layer, x, w.shape[1], w.shape[2])
    return sum(np.dot(seen, w[:, i, j, :].T) for i, j, seen in taps) + b


def _depthwise(layer: Layer, x: Array, w: Array, b: Array) -> Array:
    return sum(seen * w[0, i, j] for i, j, seen in _windows(layer, x, w.shape[1], w.shape[2])) + b


def _pool(_layer: Layer, x: Array) -> Array:
    n, height, width, channels = x.shape
    return np.mean(np.reshape(x, (n, height // 2, 2, width // 2, 2, channels)), axis=(2, 4))


def _softmax(_layer: Layer, x: Array) -> Array:
    powers = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return powers / np.sum(powers, axis=-1, keepdims=True)


_FORWARD: dict[Kind, Any] = {
    Kind.CONV: _conv,
    Kind.DEPTHWISE: _depthwise,
    Kind.DENSE: lambda _layer, x, w, b: np.dot(x, w.T) + b,
    Kind.ADD: lambda _layer, a, b: a + b,
    Kind.POOL: _pool,
    Kind.RESHAPE: lambda _layer, x: np.reshape(x, (len(x), -1)),
    Kind.SOFTMAX: _softmax,
}
