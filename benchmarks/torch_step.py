"""One training step of MobileNetV2-w0.35 in PyTorch, batch 1, 128x128, ten classes, f32.

The weights are random: memory does not depend on them. BatchNorm is folded into the
convolutions, as in the models that mcugrad reads. Prints the peak resident bytes of this process.
Run: python -m benchmarks.torch_step
"""

from __future__ import annotations

import resource
from dataclasses import dataclass

import torch
from torch import nn

#: Expansion, channels, blocks, stride (Sandler et al., "MobileNetV2", table 2, width 0.35).
_STAGES = (
    (1, 8, 1, 1),
    (6, 8, 2, 2),
    (6, 16, 3, 2),
    (6, 24, 4, 2),
    (6, 32, 3, 1),
    (6, 56, 3, 2),
    (6, 112, 1, 1),
)


def _conv(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Module:
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups)


@dataclass(frozen=True)
class Layer:
    """A part of the network; ``skips``: its operand is added to its result."""

    body: nn.Module
    skips: bool = False

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """[N, C, H, W] to the layer's result."""
        y: torch.Tensor = self.body(x)
        return x + y if self.skips else y


def _block(inputs: int, outputs: int, expansion: int, stride: int) -> Layer:
    """An inverted residual block."""
    wide = inputs * expansion
    expand = [_conv(inputs, wide, 1), nn.ReLU6()] if expansion > 1 else []
    depthwise = _conv(wide, wide, 3, stride, wide)
    body = nn.Sequential(*expand, depthwise, nn.ReLU6(), _conv(wide, outputs, 1))
    return Layer(body, skips=stride == 1 and inputs == outputs)


def network(classes: int) -> list[Layer]:
    """The backbone and a classifier."""
    layers = [Layer(nn.Sequential(_conv(3, 16, 3, 2), nn.ReLU6()))]
    channels = 16
    for expansion, outputs, blocks, stride in _STAGES:
        for i in range(blocks):
            layers.append(_block(channels, outputs, expansion, stride if i == 0 else 1))
            channels = outputs
    head = nn.Linear(channels, classes)
    return [*layers, Layer(nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), head))]


def main() -> None:
    """Takes the step."""
    layers = network(10)
    parameters = [p for layer in layers for p in layer.body.parameters()]
    optimiser = torch.optim.SGD(parameters, lr=0.01)
    x = torch.rand(1, 3, 128, 128)
    for layer in layers:
        x = layer(x)
    loss = nn.functional.cross_entropy(x, torch.tensor([3]))
    loss.backward()
    optimiser.step()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


if __name__ == "__main__":
    main()
