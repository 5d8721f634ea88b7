"""Small float networks with random weights: residual, branched, dense, squeeze-and-excitation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mcugrad.ir.graph import Graph, GraphBuilder, Node
from mcugrad.ir.tensor import DType, Tensor, constant
from mcugrad.ops import OpCall, lookup
from mcugrad.ops.base import NoAttrs
from mcugrad.ops.clamp_range import Clamp
from mcugrad.ops.concat import ConcatAttrs
from mcugrad.ops.conv2d_attrs import Conv2dAttrs
from mcugrad.ops.depthwise_conv2d import DepthwiseConv2dAttrs
from mcugrad.ops.elementwise import ElementwiseAttrs
from mcugrad.ops.fully_connected import FullyConnectedAttrs
from mcugrad.ops.mean import MeanAttrs
from mcugrad.ops.pool import PoolAttrs
from mcugrad.ops.softmax import SoftmaxAttrs
from mcugrad.ops.window import Window

RELU = Clamp(0.0)


@dataclass
class NetworkBuilder:
    """Adds layers with weights drawn from ``seed``; methods return the result's name."""

    height: int
    width: int
    channels: int
    seed: int
    builder: GraphBuilder = field(default_factory=GraphBuilder)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        shape = (1, self.height, self.width, self.channels)
        self.x = self.builder.add_tensor(Tensor("x", shape, DType.F32))

    def shape(self, name: str) -> tuple[int, ...]:
        return self.builder.tensors[name].shape

    def weight(self, name: str, *shape: int) -> str:
        fan = max(1, int(np.prod(shape[1:])))
        data = self.rng.normal(0, 1.4 / np.sqrt(fan), shape).astype(np.float32)
        return self.builder.add_tensor(constant(name, data))

    def node(self, op: str, attrs: Any, *inputs: str) -> str:
        operands = [self.builder.tensors[n] if n else None for n in inputs]
        (spec,) = lookup(op).infer(OpCall(attrs, operands, ()))
        out = self.builder.add_tensor(Tensor(f"{op}_{len(self.builder.nodes)}", *_pair(spec)))
        self.builder.add_node(Node(f"n_{out}", op, inputs, (out,), attrs))
        return out

    def conv(self, x: str, out: int, k: int = 3, stride: int = 1, clamp: Clamp = RELU) -> str:
        pad = k // 2
        window = Window((k, k), (stride, stride), (pad, pad, pad, pad))
        w = self.weight("w", out, k, k, self.shape(x)[3])
        b = self.weight("b", out)
        return self.node("conv2d", Conv2dAttrs(window, clamp=clamp), x, w, b)

    def depthwise(self, x: str, k: int = 3, stride: int = 1, clamp: Clamp = RELU) -> str:
        pad = k // 2
        window = Window((k, k), (stride, stride), (pad, pad, pad, pad))
        c = self.shape(x)[3]
        data = self.rng.normal(0, 0.5, (k, k, c)).astype(np.float32)
        w = self.builder.add_tensor(constant("w", data))
        b = self.weight("b", c)
        return self.node("depthwise_conv2d", DepthwiseConv2dAttrs(window, clamp=clamp), x, w, b)

    def add(self, a: str, b: str, clamp: Clamp = RELU) -> str:
        return self.node("add", ElementwiseAttrs(clamp), a, b)

    def concat(self, a: str, b: str) -> str:
        return self.node("concat", ConcatAttrs(3), a, b)

    def pool(self, op: str, x: str) -> str:
        return self.node(op, PoolAttrs(Window((2, 2), (2, 2)), Clamp()), x)

    def squeeze_excite(self, x: str) -> str:
        pooled = self.node("mean", MeanAttrs((1, 2), True), x)
        gate = self.node("logistic", NoAttrs(), self.conv(pooled, self.shape(x)[3], 1, 1, Clamp()))
        return self.node("mul", ElementwiseAttrs(Clamp()), x, gate)

    def unary(self, op: str, x: str) -> str:
        return self.node(op, NoAttrs(), x)

    def classifier(self, x: str, classes: int) -> Graph:
        pooled = self.node("mean", MeanAttrs((1, 2), False), x)
        w = self.weight("head_w", classes, self.shape(pooled)[1])
        b = self.weight("head_b", classes)
        logits = self.node("fully_connected", FullyConnectedAttrs(Clamp()), pooled, w, b)
        y = self.node("softmax", SoftmaxAttrs(1.0), logits)
        return self.builder.build("network", [self.x], [y])


def _pair(spec: Any) -> tuple[tuple[int, ...], DType]:
    return spec.shape, spec.dtype


def residual_network(seed: int = 0, blocks: int = 3) -> Graph:
    """A residual net ``blocks`` deep, with a strided block whose shortcut is a convolution."""
    net = NetworkBuilder(8, 8, 3, seed)
    x = net.conv(net.x, 6)
    for _ in range(blocks):
        x = net.add(net.conv(net.conv(x, 6), 6, clamp=Clamp()), x)
    short = net.conv(x, 8, 1, 2, Clamp())
    x = net.add(net.conv(net.conv(x, 8, stride=2), 8, clamp=Clamp()), short)
    return net.classifier(x, 4)


def random_network(seed: int) -> Graph:
    """A network of up to ten blocks, each drawn from a list of shapes of blocks."""
    rng = np.random.default_rng(seed)
    height, width = (int(v) for v in rng.integers(7, 13, 2))
    net = NetworkBuilder(height, width, int(rng.integers(1, 4)), seed)
    x = net.conv(net.x, int(rng.integers(3, 9)))
    for _ in range(int(rng.integers(2, 10))):
        small = min(net.shape(x)[1:3]) < 4
        kind = int(rng.integers(0, 5 if small else 8))
        channels = net.shape(x)[3]
        if kind == 0:
            x = net.add(net.conv(net.conv(x, channels), channels, clamp=Clamp()), x)
        elif kind == 1:
            inner = net.depthwise(net.conv(x, channels * 2, 1, clamp=Clamp(0.0, 6.0)))
            x = net.add(net.conv(inner, channels, 1, clamp=Clamp()), x, Clamp())
        elif kind == 2:
            x = net.squeeze_excite(x)
        elif kind == 3:
            x = net.concat(net.conv(x, 3, 1), net.depthwise(x))
        elif kind == 4:
            op = ("hard_swish", "tanh", "logistic")[int(rng.integers(0, 3))]
            x = net.unary(op, net.conv(x, channels, 1, clamp=Clamp()))
        elif kind == 5:
            x = net.pool(("avg_pool2d", "max_pool2d")[int(rng.integers(0, 2))], x)
        elif kind == 6:
            x = net.conv(x, int(rng.integers(2, 10)), int(rng.choice([1, 3, 5])), 2)
        else:
            x = net.depthwise(x, 3, 2)
    return net.classifier(x, int(rng.integers(2, 6)))
