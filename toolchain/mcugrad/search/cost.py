"""What learning costs, asked of the planner: bytes and instructions, layer by layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mcugrad.ir.graph import Graph, Phase
from mcugrad.passes.scheme import UpdateScheme, resolve_scheme
from mcugrad.plan.place import MemoryPlan
from mcugrad.search.contribution import Contribution, Option
from mcugrad.search.instructions import InstructionModel

#: What the planner makes of a scheme.
Planner = Callable[[UpdateScheme], MemoryPlan]


@dataclass(frozen=True)
class Figures:
    """Of one plan: bytes, and instructions of a training step.

    Attributes:
        state: of learning parameters and everything else that outlives a step.
        before: of the arena at most, up to the deepest layer that learns.
        after: of the arena at most, from that layer's forward pass on.
        carried: alive between the forward and the backward pass.
    """

    state: int
    before: int
    after: int
    carried: int
    instructions: float

    def beyond(self, other: Figures | None) -> Added:
        """What these are more than those of a part of the scheme, or of nothing."""
        if other is None:
            return Added(self.state, self.carried, self.instructions)
        return Added(
            self.state - other.state,
            self.carried - other.carried,
            self.instructions - other.instructions,
        )


@dataclass(frozen=True)
class Added:
    """What something adds: bytes of state, bytes carried, instructions of a step."""

    state: int
    carried: int
    instructions: float


@dataclass(frozen=True)
class Costs:
    """The figures of schemes in which layer i is the deepest that learns.

    Attributes:
        base: with the biases of layer i and of all behind it, and the head's weight.
        with_option: with the weight of layer i too, by each of its options.
    """

    base: tuple[Figures, ...]
    with_option: tuple[tuple[Figures, ...], ...]

    def grown(self, layer: int, option: int) -> Added:
        """What this layer adds to those behind it."""
        behind = self.base[layer + 1] if layer + 1 < len(self.base) else None
        return self.with_option[layer][option].beyond(behind)


def scheme_of(graph: Graph, worth: Contribution, picks: tuple[Option, ...]) -> UpdateScheme:
    """The scheme in which the last ``len(picks)`` layers learn: biases, and weights as picked."""
    learning = dict(resolve_scheme(graph, f"bias:{len(picks)}").learning)
    rates = {}
    for found, option in zip(worth.layers[-len(picks) :], picks, strict=True):
        if option.share:
            learning[found.layer.weight] = option.channels
            rates[found.layer.weight] = option.rate
        if found.layer.bias:
            rates[found.layer.bias] = found.bias_rate
    return UpdateScheme(learning, rates)


def measure(
    graph: Graph,
    worth: Contribution,
    planner: Planner,
    model: InstructionModel,
    watch: Callable[[int, str], None],
) -> Costs:
    """One plan for each layer and option: that layer's, where it is the deepest that learns."""
    base: list[Figures] = []
    with_option: list[tuple[Figures, ...]] = []
    for depth, found in enumerate(reversed(worth.layers)):
        behind = tuple(w.options[0] for w in worth.layers[len(worth.layers) - depth :])
        figures = []
        for option in found.options:
            plan = planner(scheme_of(graph, worth, (option, *behind)))
            figures.append(figures_of(plan, found.layer.node.name, model))
        with_option.append(tuple(figures))
        base.append(figures[0])
        watch(depth + 1, found.layer.node.name)
    return Costs(tuple(reversed(base)), tuple(reversed(with_option)))


def figures_of(plan: MemoryPlan, deepest: str, model: InstructionModel) -> Figures:
    """The figures of a plan in which no layer before the node ``deepest`` learns."""
    calls = plan.schedule.calls
    start = next(i for i, c in enumerate(calls) if c.name == deepest)
    live = np.zeros(len(calls) + 1, np.int64)
    for b in plan.schedule.buffers:
        live[b.first] += b.nbytes
        live[b.last + 1] -= b.nbytes
    live = np.cumsum(live)[:-1]
    backward = [i for i, c in enumerate(calls) if c.phase in (Phase.BACKWARD, Phase.UPDATE)]
    forward = [i for i, c in enumerate(calls) if c.phase in (Phase.FORWARD, Phase.KEEP)]
    carried = sum(
        b.nbytes for b in plan.schedule.buffers if b.first <= forward[-1] and b.last >= backward[0]
    )
    return Figures(
        state=plan.state_bytes,
        before=int(live[:start].max(initial=0)),
        after=int(live[start:].max()),
        carried=carried,
        instructions=model.step(plan),
    )
