"""``--update auto``: finds what to learn under a budget, then compiles that."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import ceil, log2
from pathlib import Path

from mcugrad.analysis import Analysis, contribution
from mcugrad.compiler import (
    Dump,
    Request,
    check_request,
    compile_model,
    import_model,
    plan_training,
    prepare,
)
from mcugrad.data import load_data
from mcugrad.errors import DoesNotFitError, UsageError
from mcugrad.ir.graph import Graph, TrainingGraph
from mcugrad.manifest import Manifest
from mcugrad.narrow import Narrowed, narrow
from mcugrad.onlooker import Onlooker
from mcugrad.passes.scheme import UpdateScheme, resolve_scheme
from mcugrad.passes.split_channels import with_splits
from mcugrad.passes.training import training_graph
from mcugrad.plan.place import MemoryPlan, Region
from mcugrad.plan.search.choose import Choice, Chooser, Limits, Taken
from mcugrad.plan.search.contribution import Contribution, Option
from mcugrad.plan.search.cost import Costs, measure, scheme_of
from mcugrad.plan.search.instructions import InstructionModel, instruction_model
from mcugrad.plan.search.table import Row, rows_text, scheme_text
from mcugrad.targets import Target

UPDATE = "auto"

ATTEMPTS = 40  # plans beyond those that it takes to find a scheme that fits
TABLE_ATTEMPTS = 10  # the same for each row of the table
_TABLE_ROWS = 8


@dataclass(frozen=True)
class Wish:
    """Within what, and from what, the scheme is to be found."""

    data: Path
    instructions: int | None = None
    analysis: Analysis = Analysis.FISHER


@dataclass(frozen=True)
class Found:
    """The scheme file's text and what it says, for ``--json``."""

    text: str
    choice: Choice
    unit: str
    rows: tuple[Row, ...]
    plans: int
    counted_on: str


def compile_auto(
    request: Request, wish: Wish, out: Path, onlooker: Onlooker, dump: Dump
) -> tuple[Manifest, Found]:
    """Finds the scheme with the highest expected gain within ``request.sram``; compiles it.

    Raises:
        UsageError, ModelError, MissingToolError: as for ``compile_model``.
        DoesNotFitError: not even the head can learn within the limits.
    """
    target = check_request(request, out)
    if request.sram is None:
        raise UsageError("--update auto needs --sram BYTES: the memory it may use")
    if not wish.data.is_file():
        raise UsageError(f"there is no data file {wish.data}")
    limit = min(v for v in (request.sram, target.ram_bytes) if v is not None)
    search = _Search.start(replace(request, update=UPDATE, sram=limit), target, wish, onlooker)
    while True:
        found = search.found(limit, onlooker)
        chosen = replace(request, update=UPDATE, scheme=found.text)
        try:
            return compile_model(chosen, out, dump), found
        except DoesNotFitError as error:  # static data can differ by a little
            if error.kind != "SRAM":
                raise
            limit -= error.excess


def _splits(
    request: Request, target: Target, graph: Graph, room: int
) -> tuple[tuple[str, int], ...]:
    """In how many groups wide feature maps are computed, for the head to fit ``room`` bytes."""
    regions = (Region("memory", max(room, 0)),)

    def replan(training: TrainingGraph) -> MemoryPlan:
        return plan_training(training, target, regions)

    training = training_graph(graph, resolve_scheme(graph, "head"), request.training)
    return narrow(Narrowed(training, replan(training)), replan).splits


@dataclass(frozen=True)
class _Search:
    """What is known of a model before a limit is named. ``overhead``: SRAM beside the block."""

    request: Request
    wish: Wish
    graph: Graph
    planner: Callable[[UpdateScheme], MemoryPlan]
    overhead: int
    model: InstructionModel
    worth: Contribution
    costs: Costs
    chooser: Chooser

    @classmethod
    def start(cls, request: Request, target: Target, wish: Wish, onlooker: Onlooker) -> _Search:
        """Contributions and costs of the model's layers."""
        assert request.sram is not None
        graph = prepare(import_model(request.model))
        model = instruction_model(target)

        splits: tuple[tuple[str, int], ...] = ()

        def planner(scheme: UpdateScheme) -> MemoryPlan:
            training = training_graph(graph, scheme, request.training)
            return plan_training(with_splits(training, splits), target)

        with tempfile.TemporaryDirectory(prefix="mcugrad-") as name:
            head = compile_model(replace(request, update="head", sram=None), Path(name) / "least")
            overhead = head.sram["static"] + head.sram["stack"]
            splits = _splits(request, target, graph, request.sram - overhead)
            smallest = planner(resolve_scheme(graph, "head"))
            if refusal := _refusal(request.sram, wish, smallest, overhead, model):
                raise refusal
            data = load_data(wish.data, head)
            onlooker.note(f"finding out what each tensor is worth, by {wish.analysis}")
            folder = Path(name) / "analysis"
            worth = contribution(request, data, wish.analysis, folder, onlooker)
        onlooker.note("asking the planner what each tensor takes")
        with onlooker.progress("planning", len(worth.layers)) as advance:
            costs = measure(graph, worth, planner, model, advance)

        def judge(picks: tuple[Option, ...]) -> Taken:
            plan = planner(scheme_of(graph, worth, picks))
            return Taken(plan.total_bytes, model.step(plan))

        chooser = Chooser(worth, costs, judge)
        return cls(request, wish, graph, planner, overhead, model, worth, costs, chooser)

    def found(self, limit: int, onlooker: Onlooker) -> Found:
        """The best scheme within ``limit`` bytes of SRAM, and a table of other limits."""
        onlooker.note(f"choosing within {limit} bytes")
        choice = self._best(limit, ATTEMPTS)
        rows = self._rows(limit, choice, onlooker)
        header = self._header(limit, choice, rows)
        return Found(
            text=scheme_text(self.worth, self.costs, choice.picks, header),
            choice=choice,
            unit=self.worth.unit,
            rows=rows,
            plans=self.chooser.plans + sum(map(len, self.costs.with_option)),
            counted_on=self.model.counted_on,
        )

    def _best(self, limit: int, attempts: int) -> Choice:
        limits = Limits(limit - self.overhead, self.wish.instructions)
        choice = self.chooser.best(limits, attempts)
        if choice is None:
            smallest = self.planner(resolve_scheme(self.graph, "head"))
            refusal = _refusal(limit, self.wish, smallest, self.overhead, self.model)
            assert refusal is not None, "where the head fits there is a choice"
            raise refusal
        return choice

    def _rows(self, limit: int, choice: Choice, onlooker: Onlooker) -> tuple[Row, ...]:
        """The table from what the head takes to what everything takes, in equal ratios."""
        layers = self.worth.layers
        least = self.chooser.judge(layers[-1].options[:1]).nbytes + self.overhead
        most = self.chooser.judge(tuple(w.options[-1] for w in layers)).nbytes + self.overhead
        steps = [
            1024 * ceil(least * 2 ** (log2(most / least) * i / (_TABLE_ROWS - 1)) / 1024)
            for i in range(_TABLE_ROWS)
        ]
        rows: list[Row] = []
        limits = sorted({*steps, limit})
        with onlooker.progress("other limits", len(limits)) as advance:
            best: Choice | None = None
            for done, each in enumerate(limits):
                found = choice if each == limit else self._best(each, TABLE_ATTEMPTS)
                if best is None or found.gain >= best.gain or each == limit:
                    best = found
                rows.append(Row.of(each, self.overhead, best))
                advance(done + 1, "")
        return tuple(rows)

    def _header(self, limit: int, choice: Choice, rows: tuple[Row, ...]) -> list[str]:
        taken, request, wish = choice.taken, self.request, self.wish
        within = f"{limit} bytes of SRAM"
        if wish.instructions is not None:
            within += f" and {wish.instructions} instructions a step"
        return [
            f"What learns of {request.model.name} on {request.target} within {within},",
            f"found by mcugrad compile --update auto --analysis {wish.analysis}"
            f" --seed {request.training.seed}.",
            f"Expected gain {choice.gain:.2f} {self.worth.unit}.",
            f"It takes {taken.nbytes + self.overhead} bytes of SRAM, static data and stack"
            f" included, and about {taken.instructions:,.0f} instructions a step",
            f"(model fitted to {self.model.counted_on}).",
            "",
            *rows_text(rows, self.worth.unit),
        ]


def _refusal(
    limit: int, wish: Wish, plan: MemoryPlan, overhead: int, model: InstructionModel
) -> DoesNotFitError | None:
    """Why not even the head can learn, whose ``plan`` this is; None if it can."""
    need = plan.total_bytes + overhead
    peak = plan.schedule.calls[plan.schedule.peak_step]
    if need > limit:
        return DoesNotFitError(
            f"the smallest scheme, the head alone, needs {need} bytes of SRAM, {need - limit} more "
            f"than the limit of {limit}; the step that takes most is {peak.name} ({peak.op})",
            "SRAM",
            need - limit,
        )
    steps = model.step(plan)
    if wish.instructions is not None and steps > wish.instructions:
        return DoesNotFitError(
            f"the smallest scheme, the head alone, takes about {steps:.0f} instructions a step, "
            f"{steps - wish.instructions:.0f} more than the limit of {wish.instructions}",
            "instructions",
            ceil(steps - wish.instructions),
        )
    return None
