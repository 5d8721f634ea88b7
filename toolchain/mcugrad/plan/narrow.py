"""Makes a training graph fit: splits the widest feature maps into groups of channels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mcugrad.ir.graph import TrainingGraph
from mcugrad.passes.split_channels import split_channels, splittable
from mcugrad.plan.place import MemoryPlan

#: Numbers of groups of channels to compute a feature map in, the quickest first.
_GROUPS = (2, 4, 8)


@dataclass(frozen=True)
class Narrowed:
    """A training graph, its plan, and which feature maps it has in how many groups."""

    training: TrainingGraph
    plan: MemoryPlan
    splits: tuple[tuple[str, int], ...] = ()


def planned(training: TrainingGraph, planner: Callable[[TrainingGraph], MemoryPlan]) -> Narrowed:
    """The graph with its plan, split where that is needed to fit."""
    return narrow(Narrowed(training, planner(training)), planner)


def narrow(start: Narrowed, replan: Callable[[TrainingGraph], MemoryPlan]) -> Narrowed:
    """Splits what is widest at the peak as long as the plan misses bytes and that helps."""
    best = start
    while best.plan.missing_bytes:
        now = best
        schedule = now.plan.schedule
        alive = (b.name for b in schedule.alive_at(schedule.peak_step))
        can = splittable(now.training)
        wide = next((n for n in alive if n in can), None)
        if wide is None:
            break
        for groups in (g for g in _GROUPS if g <= now.training.graph.tensors[wide].shape[3]):
            training = split_channels(now.training, wide, groups)
            tried = Narrowed(training, replan(training), (*now.splits, (wide, groups)))
            best = min(best, tried, key=lambda n: (n.plan.missing_bytes, n.plan.total_bytes))
            if not best.plan.missing_bytes:
                break
        if best is now:
            break
    return best
