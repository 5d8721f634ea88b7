"""The choice of an update scheme, against the planner's word on every scheme there is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import product

import numpy as np
import pytest

from mcugrad.ir.graph import Graph
from mcugrad.lower.lower import lower
from mcugrad.ops.clamp_range import Clamp
from mcugrad.passes.layers import layers
from mcugrad.passes.scheme import UpdateScheme, parse_scheme
from mcugrad.passes.training import Precision, TrainingOptions, training_graph
from mcugrad.plan.order import order
from mcugrad.plan.place import MemoryPlan, Region, place
from mcugrad.search import choose
from mcugrad.search.choose import Chooser, Limits, Taken
from mcugrad.search.contribution import (
    NOT_AT_ALL,
    Contribution,
    Option,
    Worth,
    pick,
    shares_of,
)
from mcugrad.search.cost import Planner, measure, scheme_of
from mcugrad.search.instructions import OTHER, InstructionModel, instruction_model
from mcugrad.search.table import scheme_text
from mcugrad.targets import find_target, targets
from tests.support.networks import NetworkBuilder
from tests.support.quantised import quantised

MODEL = InstructionModel("made up", {OTHER: (2.0, 3.0, 5.0, 100.0)})
ALL_ATTEMPTS = 10_000


def network(kind: str, int8: bool, seed: int) -> Graph:
    """Four or five layers: a chain, or a block with a skip, a shortcut or a concatenation."""
    rng = np.random.default_rng(seed)
    net = NetworkBuilder(8, 8, 2, seed)
    x = net.conv(net.x, int(rng.integers(4, 9)))
    c = net.shape(x)[3]
    if kind == "skip":
        x = net.add(net.conv(net.depthwise(net.conv(x, 2 * c, 1)), c, 1, clamp=Clamp()), x)
    elif kind == "shortcut":
        short = net.conv(x, 2 * c, 1, 2, clamp=Clamp())
        x = net.add(net.conv(x, 2 * c, 3, 2, clamp=Clamp()), short)
    elif kind == "chain":
        x = net.conv(net.depthwise(net.conv(x, 8, 3, 2)), 6, 1)
    else:
        x = net.conv(net.concat(net.conv(x, 3, 1), net.depthwise(x)), 6, 3)
    graph = net.classifier(x, 3)
    if int8:
        graph = quantised(graph, list(rng.standard_normal((4, 1, 8, 8, 2)).astype(np.float32)))
    return graph


def random_worth(graph: Graph, seed: int, shares: tuple[float, ...]) -> Contribution:
    rng = np.random.default_rng(seed)
    found = []
    for layer in layers(graph):
        importance = rng.exponential(1.0, graph.tensors[layer.weight].shape[layer.channel_axis])
        options = []
        for share, count in shares_of(graph, layer):
            if share in shares:
                channels = pick(importance, count)
                kept = importance if channels is None else importance[list(channels)]
                options.append(Option(share, channels, float(kept.sum()), rate=share))
        found.append(Worth(layer, (NOT_AT_ALL, *options), float(rng.exponential(0.3))))
    head = replace(found[-1], options=found[-1].options[-1:])
    return Contribution((*found[:-1], head), "of nothing")


def planner_of(graph: Graph, int8: bool) -> Planner:
    options = TrainingOptions(precision=Precision.INT8 if int8 else Precision.F32)

    def planner(scheme: UpdateScheme) -> MemoryPlan:
        training = training_graph(graph, scheme, options)
        program = lower(training, frozenset(), lambda _symbol, _params: 64)
        return place(program, order(program))

    return planner


#: Places a plan anew for a number of bytes.
Placing = Callable[[MemoryPlan, int], MemoryPlan]


def in_halves(plan: MemoryPlan, nbytes: int) -> MemoryPlan:
    """In two memories of equal size."""
    near = nbytes // 8 * 4
    regions = Region("near", near), Region("far", nbytes - near)
    return place(plan.program, plan.schedule, regions)


class Judged:
    """A chooser, and every scheme there is with its gain."""

    def __init__(
        self,
        kind: str,
        int8: bool,
        seed: int,
        shares: tuple[float, ...],
        placing: Placing = lambda plan, _nbytes: plan,
    ) -> None:
        self.graph = network(kind, int8, seed)
        planner = planner_of(self.graph, int8)
        self.worth = random_worth(self.graph, seed, shares)
        self.costs = measure(self.graph, self.worth, planner, MODEL, lambda _done, _word: None)
        self.asked = 0

        plan_of = cache(lambda picks: planner(scheme_of(self.graph, self.worth, picks)))

        def judge(picks: tuple[Option, ...], nbytes: int) -> Taken:
            self.asked += 1
            plan = placing(plan_of(picks), nbytes)
            return Taken(plan.need(nbytes), MODEL.step(plan))

        self.judge = judge
        self.chooser = Chooser(self.worth, self.costs, judge)
        ways = [w.options for w in self.worth.layers]
        schemes = [p for d in range(1, len(ways) + 1) for p in product(*ways[-d:])]
        self.all = {p: (self.chooser.gain(p), self.alone(plan_of(p))) for p in schemes}

    @staticmethod
    def alone(plan: MemoryPlan) -> Taken:
        """What a plan takes of one memory, which is the least."""
        return Taken(plan.total_bytes, MODEL.step(plan))

    def highest(self, limits: Limits) -> float:
        """The highest gain of all schemes that fit."""
        ranked = sorted(self.all.items(), key=lambda item: -item[1][0])
        return next(
            gain
            for picks, (gain, alone) in ranked
            if limits.allow(alone) and limits.allow(self.judge(picks, limits.nbytes))
        )

    def limit(self, share: float) -> int:
        """Of bytes, this far between the smallest scheme and the largest."""
        sizes = [taken.nbytes for _, taken in self.all.values()]
        return round(min(sizes) + share * (max(sizes) - min(sizes)))


@pytest.mark.parametrize("int8", [False, True])
@pytest.mark.parametrize("kind", ["skip", "shortcut", "chain", "concat"])
def test_no_scheme_that_fits_gains_more(kind: str, int8: bool) -> None:
    judged = Judged(kind, int8, 1, (0.5, 1.0))
    for share in (0.0, 0.2, 0.4, 0.6, 0.8, 0.95):
        limits = Limits(judged.limit(share))
        found = judged.chooser.best(limits, ALL_ATTEMPTS)
        assert found is not None
        assert found.proven
        assert judged.asked < len(judged.all)
        assert found.taken == judged.judge(found.picks, limits.nbytes)
        assert limits.allow(found.taken)
        assert found.gain == pytest.approx(judged.highest(limits), rel=1e-12)
        judged.asked = 0


@pytest.mark.parametrize("kind", ["skip", "chain"])
def test_nor_in_two_memories(kind: str) -> None:
    """Where a buffer must lie in one of them, less fits than in one of both their sizes."""
    judged = Judged(kind, True, 1, (0.5, 1.0), in_halves)
    differ = 0
    for share in (0.3, 0.5, 0.7):
        limits = Limits(judged.limit(share))
        found = judged.chooser.best(limits, ALL_ATTEMPTS)
        assert found is not None
        assert limits.allow(found.taken)
        assert found.gain == pytest.approx(judged.highest(limits), rel=1e-12)
        alone = max(gain for gain, taken in judged.all.values() if limits.allow(taken))
        differ += alone > found.gain
    assert differ


def test_a_limit_of_instructions_is_kept() -> None:
    judged = Judged("skip", False, 3, (0.25, 1.0))
    counts = sorted(taken.instructions for _, taken in judged.all.values())
    for share in (0.1, 0.4, 0.7):
        limits = Limits(judged.limit(0.7), counts[round(share * len(counts))])
        found = judged.chooser.best(limits, ALL_ATTEMPTS)
        assert found is not None
        assert limits.allow(found.taken)
        assert found.gain == pytest.approx(judged.highest(limits), rel=1e-12)


def test_with_few_partial_schemes_it_still_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left out when there are too many costs some gain, never the limit."""
    judged = Judged("skip", True, 5, (0.5, 1.0))
    monkeypatch.setattr(choose, "MAX_PARTIAL", 12)
    for share in (0.2, 0.5, 0.8):
        limits = Limits(judged.limit(share))
        found = judged.chooser.best(limits, 20)
        assert found is not None
        assert limits.allow(found.taken)
        assert found.gain >= 0.6 * judged.highest(limits)


def test_what_not_even_the_head_fits_into() -> None:
    judged = Judged("chain", False, 0, (1.0,))
    assert judged.chooser.best(Limits(judged.limit(0.0) - 1), ALL_ATTEMPTS) is None
    everything = judged.chooser.best(Limits(judged.limit(1.0)), ALL_ATTEMPTS)
    assert everything is not None
    assert everything.gain == pytest.approx(max(gain for gain, _ in judged.all.values()))


def test_the_scheme_file_means_the_choice() -> None:
    judged = Judged("skip", True, 2, (0.5, 1.0))
    found = judged.chooser.best(Limits(judged.limit(0.5)), ALL_ATTEMPTS)
    assert found is not None
    text = scheme_text(judged.worth, judged.costs, found.picks, ["a header", ""])
    scheme = parse_scheme(judged.graph, text, "text")
    assert scheme == scheme_of(judged.graph, judged.worth, found.picks)
    entries = text.split("[update]\n")[1].splitlines()
    assert len(entries) == len(scheme.learning)
    assert all("# " in line and "gain" in line for line in entries)


def test_shares_with_the_same_channels_are_offered_once() -> None:
    graph = network("chain", False, 0)
    counts = [n for _, n in shares_of(graph, layers(graph)[0])]
    assert counts == [1, 2]  # two input channels
    assert shares_of(graph, layers(graph)[0])[-1] == (1.0, 2)


@pytest.mark.parametrize("name", list(targets()))
def test_every_target_has_an_instruction_model(name: str) -> None:
    model = instruction_model(find_target(name))
    near = find_target(model.counted_on)
    target = find_target(name)
    assert near.family is target.family or target.is_host
    assert all(min(row) >= 0 and max(row) > 0 for row in model.kernels.values())


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("cortex-m0plus", "cortex-m3"),
        ("cortex-m4", "cortex-m7"),
        ("cortex-m33", "cortex-m7"),
        ("mps2-psram", "cortex-m7"),
        ("cortex-m55", "cortex-m55"),
        ("rv32imfc", "rv32imfc"),
        ("rv32-rvv", "rv32-rvv"),
        ("rv32-xfvec", "rv32-xfvec"),
        ("rv32-cluster8", "rv32-cluster8"),
    ],
)
def test_the_nearest_model_has_the_same_kind_of_arithmetic(name: str, nearest: str) -> None:
    assert instruction_model(find_target(name)).counted_on == nearest
