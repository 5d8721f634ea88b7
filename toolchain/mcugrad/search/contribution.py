"""What the learning of each tensor is worth."""

from __future__ import annotations

from dataclasses import dataclass

from mcugrad.ir.graph import Graph
from mcugrad.ir.tensor import Array
from mcugrad.passes.layers import Layer
from mcugrad.passes.scheme import may_learn_in_part

#: The shares of a layer's input channels that are considered beside none.
SHARES = (0.125, 0.25, 0.5, 1.0)


@dataclass(frozen=True)
class Option:
    """One way in which a weight may learn: ``share`` of its input channels, None: all of them.

    ``rate`` is what its learning rate is multiplied by.
    """

    share: float
    channels: tuple[int, ...] | None
    gain: float
    rate: float = 1.0


NOT_AT_ALL = Option(0.0, (), 0.0)


@dataclass(frozen=True)
class Worth:
    """Of one layer: the ways in which its weight may learn, and gain and rate of its bias."""

    layer: Layer
    options: tuple[Option, ...]
    bias_gain: float
    bias_rate: float = 1.0


@dataclass(frozen=True)
class Contribution:
    """The learnable layers in order, the head last. Gains add up; ``unit`` is what they are in."""

    layers: tuple[Worth, ...]
    unit: str


def shares_of(graph: Graph, layer: Layer) -> list[tuple[float, int]]:
    """The shares in which a weight may learn, each with its number of input channels.

    A share is left out where a smaller one has as many channels.
    """
    total = graph.tensors[layer.weight].shape[layer.channel_axis]
    if not may_learn_in_part(graph, layer):
        return [(1.0, total)]
    counts = {max(1, round(share * total)): share for share in reversed(SHARES)}
    return sorted((1.0 if n == total else share, n) for n, share in counts.items())


def pick(importance: Array, count: int) -> tuple[int, ...] | None:
    """The ``count`` most important channels in order; None: all."""
    if count == len(importance):
        return None
    return tuple(sorted(int(c) for c in (-importance).argsort(kind="stable")[:count]))
