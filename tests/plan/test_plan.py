"""Order, placement, and the checker that judges them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mcugrad.errors import InternalError
from mcugrad.ir.graph import Graph, TrainingGraph
from mcugrad.lower.lower import lower
from mcugrad.lower.program import Program
from mcugrad.passes.scheme import resolve_scheme
from mcugrad.passes.training import TrainingOptions, training_graph
from mcugrad.plan.check import check
from mcugrad.plan.order import order
from mcugrad.plan.place import MemoryPlan, place
from tests.support.networks import random_network, residual_network


def planned(training: TrainingGraph) -> MemoryPlan:
    """The checked plan of a training graph."""
    program = lower(training, frozenset(), lambda _symbol, _params: 64)
    plan = place(program, order(program))
    check(plan)
    return plan


def program_of(graph: Graph, spec: str = "all", **options: float) -> Program:
    scheme = resolve_scheme(graph, spec)
    training = training_graph(graph, scheme, TrainingOptions(**options))  # type: ignore[arg-type]
    return lower(training, frozenset(), lambda _symbol, _params: 64)


def plan_of(graph: Graph, spec: str = "all", **options: float) -> MemoryPlan:
    program = program_of(graph, spec, **options)
    return place(program, order(program))


@pytest.mark.parametrize("seed", range(100))
def test_plans_of_random_networks_pass_the_checker(seed: int) -> None:
    options = ({}, {"batch": 4}, {"momentum": 0.9}, {"batch": 2, "momentum": 0.9})[seed % 4]
    spec = ("all", "last:2", "head", "bias:2")[seed // 4 % 4]
    plan = plan_of(random_network(seed), spec, **options)
    check(plan)
    assert plan.arena_bytes >= plan.schedule.lower_bound
    assert plan.arena_bytes <= 1.02 * plan.schedule.lower_bound


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
    moved = {**plan.offsets, target.name: plan.offsets[others[0].name]}
    with pytest.raises(InternalError, match="memory plan"):
        check(replace(plan, offsets=moved))


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
    assert first.offsets == second.offsets
    assert [c.name for c in first.schedule.calls] == [c.name for c in second.schedule.calls]
