"""Order, placement, and the checker that judges them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from mcugrad.errors import InternalError
from mcugrad.ir.graph import Graph, Phase, TrainingGraph
from mcugrad.lower.lower import lower
from mcugrad.lower.program import Program
from mcugrad.passes.fused import fused
from mcugrad.passes.layers import layers
from mcugrad.passes.scheme import UpdateScheme, resolve_scheme
from mcugrad.passes.training import Precision, TrainingOptions, training_graph
from mcugrad.plan.check import check
from mcugrad.plan.explain import explain_sram
from mcugrad.plan.order import as_written, order
from mcugrad.plan.place import MemoryPlan, Region, place
from mcugrad.plan.regions import Item, assign
from tests.support.networks import NetworkBuilder, random_network, residual_network
from tests.support.quantised import quantised

_DEFAULTS = TrainingOptions()


def lowered(training: TrainingGraph) -> Program:
    """The portable program, each scratch of 64 bytes."""
    return lower(fused(training), frozenset(), lambda _symbol, _params: 64)


def planned(training: TrainingGraph) -> MemoryPlan:
    """The checked plan of a training graph."""
    program = lowered(training)
    plan = place(program, order(program))
    check(plan)
    return plan


def program_of(graph: Graph, spec: str = "all", options: TrainingOptions = _DEFAULTS) -> Program:
    return lowered(training_graph(graph, resolve_scheme(graph, spec), options))


def plan_of(graph: Graph, spec: str = "all", options: TrainingOptions = _DEFAULTS) -> MemoryPlan:
    program = program_of(graph, spec, options)
    return place(program, order(program))


def random_program(seed: int) -> Program:
    """One of float and int8 networks, learning whole, in part or with slices of channels."""
    graph = random_network(seed)
    options = TrainingOptions(batch=1 + seed // 3 % 3, momentum=0.9 if seed % 2 else 0.0)
    if seed % 3:
        x = np.random.default_rng(seed).normal(size=graph.tensors["x"].shape)
        graph = quantised(graph, [x.astype(np.float32)])
    if seed % 3 == 1:  # int8 weights learn without momentum
        options = replace(options, precision=Precision.INT8, momentum=0.0)
    spec = ("all", "last:2", "head", "bias:2", "slices")[seed % 5]
    scheme = sliced(graph) if spec == "slices" else resolve_scheme(graph, spec)
    training = training_graph(graph, scheme, options)
    return lowered(training)


def sliced(graph: Graph) -> UpdateScheme:
    """Every weight learns with every second of its input channels, where it has several."""
    learning: dict[str, tuple[int, ...] | None] = {}
    for layer in layers(graph):
        count = graph.tensors[layer.weight].shape[layer.channel_axis]
        learning[layer.weight] = tuple(range(0, count, 2)) if count > 1 else None
    return UpdateScheme(learning)


@pytest.mark.parametrize("seed", range(100))
def test_plans_of_random_networks_pass_the_checker(seed: int) -> None:
    """In one memory, and in two of which the first is too small."""
    program = random_program(seed)
    schedule = order(program)
    plan = place(program, schedule)
    check(plan)
    assert schedule.lower_bound <= plan.arena_bytes <= 1.02 * schedule.lower_bound
    first = plan.total_bytes * (3 + seed % 5) // 8 // 4 * 4
    regions = [Region("near", first), Region("far", plan.total_bytes)]
    spread = place(program, schedule, regions)
    check(spread)
    assert not spread.missing_bytes
    assert [b.total_bytes > 0 for b in spread.blocks] == [True, True]


def test_what_one_memory_holds_is_not_spread() -> None:
    program = program_of(residual_network())
    schedule = order(program)
    alone = place(program, schedule)
    regions = [Region("near", alone.total_bytes), Region("far", alone.total_bytes)]
    both = place(program, schedule, regions)
    assert both.places == alone.places
    assert len(both.blocks) == 1


@pytest.mark.parametrize("seed", range(12))
def test_the_traffic_in_the_far_memory_is_the_least(seed: int) -> None:
    """Against every choice there is."""
    rng = np.random.default_rng(seed)
    items = []
    for _ in range(9):
        first = int(rng.integers(0, 8))
        sizes = (int(rng.integers(1, 9)) * 4, first, first + int(rng.integers(0, 4)))
        items.append(Item(*sizes, int(rng.integers(1, 100))))
    capacities = (int(rng.integers(10, 25)) * 4, 120)

    def cost(chosen: Sequence[int]) -> tuple[int, int]:
        """Bytes beyond the capacities, then the traffic."""
        excess = 0
        for region, capacity in enumerate(capacities):
            loads = (
                sum(
                    i.nbytes
                    for i, r in zip(items, chosen, strict=True)
                    if r == region and i.first <= step <= i.last
                )
                for step in range(12)
            )
            excess += max(0, max(loads) - capacity)
        return excess, sum(i.traffic * r for i, r in zip(items, chosen, strict=True))

    least = min(cost(chosen) for chosen in product((0, 1), repeat=len(items)))
    found = cost(assign(items, capacities))
    assert found[0] == least[0]
    assert found[0] or found[1] == least[1]


def test_a_plan_that_is_too_large_says_by_how_much() -> None:
    program = program_of(residual_network())
    schedule = order(program)
    need = place(program, schedule).total_bytes
    regions = [Region("near", need // 2), Region("far", need // 4)]
    plan = place(program, schedule, regions)
    check(plan)
    assert plan.missing_bytes >= need - need // 2 - need // 4
    assert plan.missing_bytes == sum(
        max(0, b.total_bytes - (b.region.capacity or 0)) for b in plan.blocks
    )
    text = explain_sram(plan, need // 2 + need // 4, 0, [])
    assert f"{plan.missing_bytes} more than the limit" in text
    assert all(word in text for word in ("near: ", "far: ", "are missing", "(near)"))


def test_scratch_at_the_peak_is_told_for_each_core_that_shares_a_call() -> None:
    graph = residual_network()
    x = np.random.default_rng(0).normal(size=graph.tensors["x"].shape)
    graph = quantised(graph, [x.astype(np.float32)])
    training = training_graph(graph, resolve_scheme(graph, "head"), TrainingOptions())
    program = lower(fused(training), frozenset(), lambda _symbol, _params: 4100, cores=8)
    plan = place(program, order(program))
    assert " 32832 (4104 of each of 8 cores)" in explain_sram(plan, 1000, 0, [], cores=8)
    alone = replace(program, calls=tuple(replace(c, shared=False) for c in program.calls))
    plan = place(alone, order(alone))
    assert "cores" not in explain_sram(plan, 1000, 0, [], cores=8)


@pytest.mark.parametrize("seed", range(20))
def test_the_search_for_an_order_saves_memory(seed: int) -> None:
    program = program_of(random_network(seed), options=TrainingOptions(batch=(1, 4)[seed % 2]))
    plan = place(program, as_written(program))
    check(plan)
    assert order(program).lower_bound <= plan.schedule.lower_bound
    phases = [c.phase for c in plan.schedule.calls]
    assert phases == sorted(phases, key=list(Phase).index)


def test_few_weight_gradients_are_alive_at_once() -> None:
    plan = plan_of(residual_network(blocks=6))
    owner = plan.schedule.owner
    gradients = {owner[c.outputs[0]] for c in plan.schedule.calls if c.op.endswith("bwd_weight")}
    alive = [
        sum(b.name in gradients for b in plan.schedule.alive_at(step))
        for step in range(len(plan.schedule.calls))
    ]
    assert len(gradients) == 17
    assert max(alive) <= 3


def test_inference_alone_needs_no_more_than_its_forward_pass() -> None:
    graph = residual_network()
    assert plan_of(graph, "head").arena_bytes < plan_of(graph, "all").arena_bytes


@pytest.mark.parametrize(("update", "taken"), [("head", True), ("bias:3", True), ("all", False)])
def test_a_depthwise_convolution_takes_the_place_of_an_input_that_is_not_kept(
    update: str, taken: bool
) -> None:
    net = NetworkBuilder(8, 8, 3, 0)
    wide = net.conv(net.x, 6)
    graph = net.classifier(net.depthwise(net.depthwise(wide), 3, 2), 3)
    x = np.random.default_rng(0).normal(size=(1, 8, 8, 3)).astype(np.float32)
    graph = quantised(graph, [x])
    options = TrainingOptions(precision=Precision.INT8)
    plan = planned(training_graph(graph, resolve_scheme(graph, update), options))
    same, strided = (c for c in plan.schedule.calls if c.op == "depthwise_conv2d")
    owner = plan.schedule.owner
    assert (owner[same.outputs[0]] == owner[same.inputs[0]]) is taken
    assert owner[strided.outputs[0]] != owner[strided.inputs[0]]
    assert not strided.inplace
    if taken:
        calls = [replace(c, inplace=()) if c is same else c for c in plan.schedule.calls]
        with pytest.raises(InternalError, match="over its own operand"):
            check(replace(plan, schedule=replace(plan.schedule, calls=tuple(calls))))


@pytest.mark.parametrize("victim", range(0, 40, 3))
def test_checker_finds_a_misplaced_buffer(victim: int) -> None:
    plan = plan_of(residual_network())
    buffers = plan.schedule.buffers
    target = buffers[victim % len(buffers)]
    others = [
        b
        for b in buffers
        if b is not target and b.first < target.last and target.first < b.last and b.nbytes >= 4
    ]
    assert others, "every buffer of this net shares its life with another"
    moved = {**plan.places, target.name: plan.places[others[0].name]}
    with pytest.raises(InternalError, match="memory plan"):
        check(replace(plan, places=moved))


def test_checker_finds_a_reader_of_a_weight_that_was_updated_too_early() -> None:
    plan = plan_of(residual_network())
    calls = list(plan.schedule.calls)
    data = next(i for i, c in enumerate(calls) if c.op == "conv2d_bwd_data")
    weight = calls[data].inputs[1]
    update = next(i for i, c in enumerate(calls) if c.op == "sgd" and c.inputs[0] == weight)
    assert update > data
    calls.insert(data, calls.pop(update))
    with pytest.raises(InternalError, match="memory plan"):
        check(replace(plan, schedule=replace(plan.schedule, calls=tuple(calls))))


def test_checker_finds_a_missing_call() -> None:
    plan = plan_of(residual_network())
    calls = plan.schedule.calls[:-1]
    with pytest.raises(InternalError, match="each call once"):
        check(replace(plan, schedule=replace(plan.schedule, calls=calls)))


def test_the_same_plan_every_time() -> None:
    first, second = plan_of(random_network(3)), plan_of(random_network(3))
    assert first.places == second.places
    assert [c.name for c in first.schedule.calls] == [c.name for c in second.schedule.calls]


def spread_plan() -> MemoryPlan:
    program = program_of(residual_network())
    schedule = order(program)
    half = place(program, schedule).total_bytes // 2
    return place(program, schedule, [Region("near", half), Region("far", 4 * half)])


def test_checker_finds_a_block_that_its_memory_does_not_hold() -> None:
    plan = spread_plan()
    near, far = plan.blocks
    smaller = replace(near, region=replace(near.region, capacity=near.total_bytes - 4))
    larger = replace(near, state_bytes=0)
    with pytest.raises(InternalError, match="leaves its part"):
        check(replace(plan, blocks=(larger, far)))
    assert replace(plan, blocks=(smaller, far)).missing_bytes == 4


def test_checker_finds_a_place_in_the_wrong_memory() -> None:
    plan = spread_plan()
    found = 0
    for name, at in plan.places.items():
        moved = {**plan.places, name: replace(at, block=1 - at.block)}
        try:
            check(replace(plan, places=moved))
        except InternalError:
            found += 1
    assert found > len(plan.places) // 2  # the others may lie there by chance
    with pytest.raises(InternalError, match="there is no block 2"):
        check(replace(plan, places={n: replace(p, block=2) for n, p in plan.places.items()}))
