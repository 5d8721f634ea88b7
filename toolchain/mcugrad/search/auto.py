"""``--update auto``: finds what to learn under a budget, then compiles that."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from functools import cache
from math import ceil, log2
from pathlib import Path

import numpy as np

from mcugrad.compiler import (
    Dump,
    Request,
    check_request,
    compile_model,
    import_model,
    plan_training,
    prepare,
    regions_of,
)
from mcugrad.data import load_data
from mcugrad.errors import DoesNotFitError, UsageError
from mcugrad.ir.graph import Graph
from mcugrad.manifest import Manifest
from mcugrad.onlooker import Onlooker
from mcugrad.passes.scheme import UpdateScheme, resolve_scheme
from mcugrad.passes.split_channels import with_splits
from mcugrad.passes.training import TrainingOptions, training_graph
from mcugrad.plan.explain import peak_step
from mcugrad.plan.narrow import planned
from mcugrad.plan.place import MemoryPlan, Region
from mcugrad.search.analysis import Analysis, contribution
from mcugrad.search.choose import Choice, Chooser, Limits, Taken
from mcugrad.search.contribution import Contribution, Option
from mcugrad.search.cost import Costs, measure, scheme_of
from mcugrad.search.instructions import InstructionModel, instruction_model
from mcugrad.search.table import Row, rows_text, scheme_text
from mcugrad.targets import Target, find_target

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
    search = _Search.start(replace(request, update=UPDATE, sram=limit), wish, onlooker)
    while True:
        found = search.found(limit, onlooker)
        chosen = replace(request, update=UPDATE, scheme=found.text)
        try:
            return compile_model(chosen, out, dump), found
        except DoesNotFitError as error:  # static data can differ by a little
            if error.kind != "SRAM":
                raise
            limit -= error.excess


@dataclass(frozen=True)
class _Memories:
    """The memories that the model is planned in: those of its target, within any limit of SRAM.

    ``stack`` and ``static`` data are what else they hold, in bytes.
    """

    target: Target
    stack: int
    static: int

    @property
    def overhead(self) -> int:
        """Bytes of SRAM beside the plan's blocks."""
        return self.stack + self.static

    def within(self, limit: int) -> tuple[Region, ...]:
        """What a plan may use of ``limit`` bytes; where the target has less, of a larger one."""
        regions = regions_of(self.target.limited(limit), limit, self.stack, self.static)
        *first, last = regions
        beyond = max(0, limit - (self.target.ram_bytes or limit))
        assert last.capacity is not None
        return (*first, replace(last, capacity=last.capacity + beyond))


@dataclass(frozen=True)
class _Planner:
    """Plans the schemes of a model as the compiler does.

    ``splits`` make the model's feature maps as narrow as they can be made.
    """

    graph: Graph
    options: TrainingOptions
    memories: _Memories
    splits: tuple[tuple[str, int], ...] = ()

    @classmethod
    def of(cls, graph: Graph, options: TrainingOptions, memories: _Memories) -> _Planner:
        """The planner of a model."""
        head = training_graph(graph, resolve_scheme(graph, "head"), options)
        nothing = (Region("nothing", 0),)
        narrowest = planned(head, lambda t: plan_training(t, memories.target, nothing))
        return cls(graph, options, memories, narrowest.splits)

    def narrowest(self, scheme: UpdateScheme) -> MemoryPlan:
        """The plan in one memory, of any size, with feature maps that are as narrow as can be."""
        training = training_graph(self.graph, scheme, self.options)
        return plan_training(with_splits(training, self.splits), self.memories.target)

    def within(self, scheme: UpdateScheme, limit: int) -> MemoryPlan:
        """The plan that the compiler would make within ``limit`` bytes of SRAM."""
        training = training_graph(self.graph, scheme, self.options)
        regions = self.memories.within(limit)
        return planned(training, lambda t: plan_training(t, self.memories.target, regions)).plan


@dataclass(frozen=True)
class _Search:
    """What is known of a model before a limit is named."""

    request: Request
    wish: Wish
    planner: _Planner
    model: InstructionModel
    worth: Contribution
    costs: Costs
    chooser: Chooser

    @property
    def overhead(self) -> int:
        """Bytes of SRAM beside the plan's blocks."""
        return self.planner.memories.overhead

    @classmethod
    def start(cls, request: Request, wish: Wish, onlooker: Onlooker) -> _Search:
        """Contributions and costs of the model's layers."""
        assert request.sram is not None
        target = find_target(request.target)
        graph = prepare(import_model(request.model))
        model = instruction_model(target)
        with tempfile.TemporaryDirectory(prefix="mcugrad-") as name:
            head = compile_model(replace(request, update="head", sram=None), Path(name) / "least")
            memories = _Memories(target, head.sram["stack"], head.sram["static"])
            planner = _Planner.of(graph, request.training, memories)
            if refusal := _refusal(request.sram, wish, planner, model):
                raise refusal
            data = load_data(wish.data, head)
            shown = len(np.unique(data.train.y)) if head.classes else 0
            if shown < head.classes:
                onlooker.note(
                    f"warning: the samples show {shown} of {head.classes} classes, so what the "
                    "scheme gains on the others is not known"
                )
            onlooker.note(f"finding out what each tensor is worth, by {wish.analysis}")
            folder = Path(name) / "analysis"
            worth = contribution(request, data, wish.analysis, folder, onlooker)
        onlooker.note("asking the planner what each tensor takes")
        with onlooker.progress("planning", len(worth.layers)) as advance:
            costs = measure(graph, worth, planner.narrowest, model, advance)

        @cache
        def least(picks: tuple[Option, ...]) -> Taken:
            plan = planner.narrowest(scheme_of(graph, worth, picks))
            return Taken(plan.total_bytes, model.step(plan))

        def judge(picks: tuple[Option, ...], nbytes: int) -> Taken:
            if least(picks).nbytes > nbytes:
                return least(picks)
            plan = planner.within(scheme_of(graph, worth, picks), nbytes + memories.overhead)
            return Taken(plan.need(nbytes), model.step(plan))

        return cls(request, wish, planner, model, worth, costs, Chooser(worth, costs, judge))

    def found(self, limit: int, onlooker: Onlooker) -> Found:
        """The best scheme within ``limit`` bytes of SRAM, and a table of other limits.

        Raises:
            DoesNotFitError: not even the head can learn within it.
        """
        onlooker.note(f"choosing within {limit} bytes")
        choice = self._best(limit, ATTEMPTS)
        if choice is None:
            refusal = _refusal(limit, self.wish, self.planner, self.model)
            assert refusal is not None, "where the head fits there is a choice"
            raise refusal
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

    def _best(self, limit: int, attempts: int) -> Choice | None:
        limits = Limits(limit - self.overhead, self.wish.instructions)
        return self.chooser.best(limits, attempts)

    def _rows(self, limit: int, choice: Choice, onlooker: Onlooker) -> tuple[Row, ...]:
        """The table from what the head takes to what everything takes, in equal ratios."""
        layers = self.worth.layers
        least, most = (
            self.chooser.judge(picks, 0).nbytes
            for picks in (layers[-1].options[:1], tuple(w.options[-1] for w in layers))
        )
        least, most = least + self.overhead, most + self.overhead
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
                if found and (best is None or found.gain >= best.gain or each == limit):
                    best = found
                if best:  # in several memories the head may take more than its least
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
    limit: int, wish: Wish, planner: _Planner, model: InstructionModel
) -> DoesNotFitError | None:
    """Why not even the head can learn; None if it can."""
    plan = planner.within(resolve_scheme(planner.graph, "head"), limit)
    missing = plan.missing_bytes
    if missing:
        peak = plan.schedule.calls[peak_step(plan)]
        return DoesNotFitError(
            f"the smallest scheme, the head alone, needs {limit + missing} bytes of SRAM, {missing}"
            f" more than the limit of {limit}; the step that takes most is {peak.name} ({peak.op})",
            "SRAM",
            missing,
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
