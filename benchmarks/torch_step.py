"""One training step of MobileNetV2-w0.35 in PyTorch, batch 1, 128x128, ten classes, f32.

The weights are random: memory does not depend on them. BatchNorm is folded into the
convolutions, as in the models that mcugrad reads. Prints the peak resident bytes of this process.
Run: python -m benchmarks.torch_step
"""

from __future__ import annotations

import resource

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


class Block(nn.Module):
    """An inverted residual block."""

    def __init__(self, inputs: int, outputs: int, expansion: int, stride: int) -> None:
        super().__init__()
        wide = inputs * expansion
        expand = [_conv(inputs, wide, 1), nn.ReLU6()] if expansion > 1 else []
        depthwise = _conv(wide, wide, 3, stride, wide)
        self.body = nn.Sequential(*expand, depthwise, nn.ReLU6(), _conv(wide, outputs, 1))
        self.skips = stride == 1 and inputs == outputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[N, C, H, W] to the block's result."""
        return x + self.body(x) if self.skips else self.body(x)


def network(classes: int) -> nn.Module:
    """The backbone and a classifier."""
    parts: list[nn.Module] = [_conv(3, 16, 3, 2), nn.ReLU6()]
    channels = 16
    for expansion, outputs, blocks, stride in _STAGES:
        for i in range(blocks):
            parts.append(Block(channels, outputs, expansion, stride if i == 0 else 1))
            channels = outputs
    head = nn.Linear(channels, classes)
    return nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)


def main() -> None:
    """Takes the step."""
    model = network(10)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01)
    loss = nn.functional.cross_entropy(model(torch.rand(1, 3, 128, 128)), torch.tensor([3]))
    loss.backward()
    optimiser.step()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


if __name__ == "__main__":
    main()
