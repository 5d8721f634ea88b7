"""Wide feature maps in groups of channels: no number changes, and the peak falls."""

from __future__ import annotations

import numpy as np
import pytest

from mcugrad.golden.interpreter import run
from mcugrad.ir.graph import Graph, TrainingGraph
from mcugrad.ir.tensor import Array, DType
from mcugrad.ir.verify import verify
from mcugrad.lower.lower import lower
from mcugrad.ops.clamp_range import Clamp
from mcugrad.passes.scheme import resolve_scheme
from mcugrad.passes.split_channels import split_channels, splittable, with_splits
from mcugrad.passes.training import Precision, TrainingOptions, training_graph
from mcugrad.plan.check import check
from mcugrad.plan.narrow import Narrowed, narrow
from mcugrad.plan.order import order
from mcugrad.plan.place import MemoryPlan, Region, place
from tests.support.networks import NetworkBuilder
from tests.support.quantised import quantised

RELU6 = Clamp(0.0, 6.0)


def mobile_network(int8: bool) -> Graph:
    """Two inverted residual blocks, the first of them strided."""
    net = NetworkBuilder(12, 12, 3, 1)
    x = net.conv(net.x, 4)
    x = net.conv(net.depthwise(net.conv(x, 22, 1, clamp=RELU6), 3, 2), 6, 1, clamp=Clamp())
    x = net.add(net.conv(net.depthwise(net.conv(x, 30, 1, clamp=RELU6)), 6, 1, clamp=Clamp()), x)
    graph = net.classifier(x, 4)
    return quantised(graph, [sample(seed) for seed in range(3)]) if int8 else graph


def sample(seed: int) -> Array:
    return np.random.default_rng(seed).normal(size=(1, 12, 12, 3)).astype(np.float32)


def training_of(graph: Graph, update: str) -> TrainingGraph:
    int8 = graph.tensors["x"].dtype is DType.S8
    options = TrainingOptions(precision=Precision.INT8 if int8 else Precision.F32)
    return training_graph(graph, resolve_scheme(graph, update), options)


def plan_of(training: TrainingGraph, capacity: int | None = None) -> MemoryPlan:
    program = lower(training, frozenset(), lambda _symbol, _params: 64)
    plan = place(program, order(program), [Region("memory", capacity)])
    check(plan)
    return plan


def outputs(training: TrainingGraph, seed: int) -> list[Array]:
    x, target = (training.graph.tensors[n] for n in training.graph.inputs)
    rng = np.random.default_rng(seed)
    codes = rng.integers(-128, 128, x.shape).astype(np.int8)
    given = codes if x.dtype is DType.S8 else sample(seed)
    values = run(training.graph, {x.name: given, target.name: np.array([1], np.int32)})
    return [values[n] for n in (*training.graph.outputs, *training.next_state.values())]


@pytest.mark.parametrize("groups", [2, 4, 5, 8])
@pytest.mark.parametrize("int8", [False, True])
def test_no_number_changes(int8: bool, groups: int) -> None:
    whole = training_of(mobile_network(int8), "last:1")
    names = splittable(whole)
    assert len(names) == 2
    split = with_splits(whole, [(name, groups) for name in sorted(names)])
    verify(split.graph)
    assert names.isdisjoint(split.graph.tensors)
    assert sum(n.op == "depthwise_conv2d" for n in split.graph.nodes) == 2 * groups
    assert set(split.phases) == {n.name for n in split.graph.nodes}
    for seed in range(2):
        for found, wanted in zip(outputs(split, seed), outputs(whole, seed), strict=True):
            assert found.dtype == wanted.dtype
            if wanted.dtype.kind == "i":
                assert np.array_equal(found, wanted)
            else:
                assert found == pytest.approx(wanted, rel=1e-6, abs=1e-7)


def test_hyper_parameters_have_a_place_where_nothing_learns() -> None:
    whole = training_of(mobile_network(False), "none")
    split = with_splits(whole, [(name, 2) for name in sorted(splittable(whole))])
    assert plan_of(split).place_of(split.hyper) is not None


def test_the_peak_falls() -> None:
    whole = training_of(mobile_network(True), "last:1")
    before = plan_of(whole).schedule
    wide = before.alive_at(before.peak_step)[0].name
    after = plan_of(split_channels(whole, wide, 4)).schedule
    assert after.lower_bound < 0.7 * before.lower_bound


@pytest.mark.parametrize("update", ["all", "bias:5"])
def test_what_learns_or_is_kept_stays_whole(update: str) -> None:
    whole = training_of(mobile_network(True), update)
    assert len(splittable(whole)) == (0 if update == "all" else 1)


def test_only_what_does_not_fit_is_split_and_no_more_than_needed() -> None:
    whole = training_of(mobile_network(True), "head")
    need = plan_of(whole).total_bytes

    def narrowed(capacity: int) -> Narrowed:
        start = Narrowed(whole, plan_of(whole, capacity))
        return narrow(start, lambda training: plan_of(training, capacity))

    assert narrowed(need).splits == ()
    slightly = narrowed(need - 4)
    assert [groups for _, groups in slightly.splits] == [2]
    assert not slightly.plan.missing_bytes
    hopeless = narrowed(100)
    assert hopeless.plan.missing_bytes > 0
    assert hopeless.plan.total_bytes < 0.7 * need
