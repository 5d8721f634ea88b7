"""Fits the instruction model of a target to counts of every kernel call in QEMU.

Models are profiled under several schemes, as ``mcugrad profile`` does it; of several cores the one
that has most to do in a call counts. The fit, by least
squares for each kernel, is written to ``targets/<name>/instructions.toml``; its error is printed
for whole training steps, of a fit that has not seen the model too. Run again whenever kernels
have changed:
python -m benchmarks.instructions [--target NAME ...]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from benchmarks.cores import step_of, work
from benchmarks.datasets import FOLDER, MODELS, require_data
from benchmarks.kernels.sweep import HALF_FAMILIES
from mcugrad.cli.console import table
from mcugrad.compiler import Request, compile_model, import_model, plan_training, prepare
from mcugrad.data import random_samples
from mcugrad.devices.opening import FIRMWARE
from mcugrad.errors import DoesNotFitError
from mcugrad.image import read_code
from mcugrad.ir.graph import Phase
from mcugrad.lower.program import KernelCall
from mcugrad.manifest import Manifest
from mcugrad.passes.scheme import resolve_scheme
from mcugrad.passes.training import Gradients, Precision, TrainingOptions, training_graph
from mcugrad.profiling.calls import Entry, marks, of_calls
from mcugrad.profiling.profile import profile
from mcugrad.resources import data_root
from mcugrad.search.instructions import FILE, OTHER, InstructionModel, Row, terms
from mcugrad.targets import Target, find_target

#: One of each instruction set and family of kernels; the others are predicted from these.
TARGETS = (
    "cortex-m7",
    "cortex-m3",
    "cortex-m55",
    "rv32imfc",
    "rv32imc",
    "rv32-rvv",
    "rv32-xfvec",
    "rv32-cluster8",
)

_TTE = FOLDER / "tte_backbones_tflite"
KWS, RESNET8 = MODELS / "kws_ref_model.tflite", MODELS / "pretrainedResnet_quant.tflite"


@dataclass(frozen=True)
class Run:
    """A model, what of it learns, and in which arithmetic."""

    model: Path
    update: str
    precision: Precision = Precision.INT8
    gradients: Gradients = Gradients.F32

    @property
    def options(self) -> TrainingOptions:
        """How it learns."""
        return TrainingOptions(classes=10, precision=self.precision, gradients=self.gradients)


RUNS = [
    run
    for model in (KWS, RESNET8, MODELS / "vww_96_int8.tflite")
    for run in (
        Run(model, "bias:6"),
        Run(model, "all"),
        Run(model, "all", Precision.F32),
        Run(model, "all", gradients=Gradients.S16),
    )
]
RUNS += [
    run
    for model in (_TTE / "mcunet-5fps_int8.tflite", _TTE / "mbv2-w0.35_int8.tflite")
    for run in (Run(model, "last:12"), Run(model, "bias:20", gradients=Gradients.S16))
]

#: Where a family has kernels for half. Those of frozen weights in floats may be others, forward and
#: for the input's gradient.
HALF_RUNS = [
    Run(model, "all", Precision.F16) for model in (KWS, RESNET8, MODELS / "vww_96_int8.tflite")
]
HALF_RUNS += [
    Run(model, "bias:6", precision)
    for model in (MODELS / "kws_ref_model_float32.tflite", MODELS / "pretrainedResnet.tflite")
    for precision in (Precision.F16, Precision.F32)
]


@dataclass(frozen=True)
class Count:
    """One kernel call: what it works on, the instructions that it took, and whether it learns."""

    symbol: str
    terms: Row
    instructions: int
    in_step: bool


@dataclass(frozen=True)
class Counted:
    """The calls of a run, and its whole step."""

    run: Run
    calls: Sequence[Count]
    step: int


def count(run: Run, target: Target) -> Counted:
    """One training step in the emulator; of one core an inference too."""
    graph = prepare(import_model(run.model))
    scheme = resolve_scheme(graph, run.update)
    plan = plan_training(training_graph(graph, scheme, run.options), target)
    calls = {c.name: c for c in plan.schedule.calls}
    with tempfile.TemporaryDirectory() as name:
        out = Path(name) / "out"
        manifest = compile_model(Request(run.model, target.name, run.update, run.options), out)
        if target.cores == 1:
            sample = random_samples(manifest, 1, 0)
            found = profile(out, sample.x[0], sample.y[0])
            taken = {op.call.name: op.cost.instructions for op in found.ops}
            step = found.step.instructions
        else:
            taken, step = _on_busiest_cores(manifest, out, calls)
    counts = [
        Count(
            calls[name].symbol,
            terms(calls[name], plan.program.tensors),
            instructions,
            calls[name].phase is not Phase.OUTPUT,
        )
        for name, instructions in taken.items()
    ]
    return Counted(run, counts, step)


def _on_busiest_cores(
    manifest: Manifest, out: Path, calls: Mapping[str, KernelCall]
) -> tuple[dict[str, int], int]:
    """What each call of a step takes on the core that has most to do in it, and the whole step."""
    code = read_code(out / FIRMWARE)
    places = list(marks(code, manifest.calls))
    names = [c.name for c in manifest.calls if c.phase in Entry.STEP.phases]
    taken: dict[str, int] = {}
    step = 0
    for core in range(find_target(manifest.target).cores):
        segments = step_of(manifest, out, code, places, core)
        made = [n for n in names if core == 0 or calls[n].shared]
        parts = of_calls(segments, code, [calls[n].symbol for n in made])
        if core == 0:
            step = sum(work(s, code) for s in segments)
        for name, part in zip(made, parts, strict=True):
            instructions = sum(work(s, code) for s in part)
            if instructions > taken.get(name, 0):
                step += instructions - taken[name] if name in taken else 0
                taken[name] = instructions
    return taken, step


def counts(target: Target) -> list[Counted]:
    """Those of all runs that fit the target."""
    found = []
    for run in (*RUNS, *(HALF_RUNS if HALF_FAMILIES & target.features else ())):
        try:
            found.append(count(run, target))
        except DoesNotFitError as error:
            print(f"{target.name}, {run.model.stem} {run.update}: {error}", file=sys.stderr)
    return found


def fitted(calls: Sequence[Count]) -> Row:
    """The least squares of the error relative to the root of the count, without negative terms."""
    y = np.array([c.instructions for c in calls], float)
    x = np.array([c.terms for c in calls], float)
    weight = 1 / np.sqrt(np.maximum(y, 1))
    best: tuple[float, Row] = (np.inf, (0.0, 0.0, 0.0, 0.0))
    for used in (u for n in range(1, 5) for u in combinations(range(4), n)):
        columns = x[:, used] * weight[:, None]
        found = np.linalg.lstsq(columns, y * weight, rcond=None)[0]
        if (found < 0).any():
            continue
        error = float(np.square(columns @ found - y * weight).sum())
        if error < best[0] * (1 - 1e-9):
            row = [0.0, 0.0, 0.0, 0.0]
            for column, value in zip(used, found, strict=True):
                row[column] = float(value)
            best = error, (row[0], row[1], row[2], row[3])
    return best[1]


def model_of(name: str, counted: Iterable[Counted]) -> InstructionModel:
    """A row for each kernel, and one for all others."""
    calls = [c for each in counted for c in each.calls]
    kernels = {
        symbol: fitted([c for c in calls if c.symbol == symbol])
        for symbol in sorted({c.symbol for c in calls})
    }
    return InstructionModel(name, {OTHER: fitted(calls), **kernels})


def predicted(model: InstructionModel, calls: Iterable[Count]) -> float:
    """Instructions of those of these calls that are in a step, by the model."""
    total = 0.0
    for call in (c for c in calls if c.in_step):
        row = model.kernels.get(call.symbol, model.kernels[OTHER])
        total += sum(a * n for a, n in zip(row, call.terms, strict=True))
    return total


def text(model: InstructionModel) -> str:
    """The model's file."""
    lines = [
        "# Instructions of a kernel call: a * products + b * read + c * written + d.",
        "# Fitted to counts in QEMU by python -m benchmarks.instructions; do not edit.",
        "[kernels]",
        *(f"{n} = [{', '.join(f'{a:.4g}' for a in row)}]" for n, row in model.kernels.items()),
    ]
    # TOML wants floats to look like floats or like whole numbers; %g does either.
    return "\n".join(lines) + "\n"


def main() -> None:
    """Fits, writes, and prints the errors."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", action="append", help=f"default: {', '.join(TARGETS)}")
    options = parser.parse_args()
    require_data()
    rows = []
    for target in map(find_target, options.target or TARGETS):
        counted = counts(target)
        model = model_of(target.name, counted)
        path = data_root() / "targets" / target.name / FILE
        path.write_text(text(model), encoding="utf-8")
        for each in counted:
            unseen = model_of(target.name, [c for c in counted if c.run.model != each.run.model])
            errors = (
                f"{100 * (predicted(m, each.calls) / each.step - 1):+.1f} %"
                for m in (model, unseen)
            )
            run = each.run
            step = f"{each.step / 1e6:.2f}"
            how = run.precision, run.gradients
            rows.append([target.name, run.model.stem, run.update, *how, step, *errors])
    header = (
        "target",
        "model",
        "update",
        "precision",
        "gradients",
        "step M",
        "error",
        "model unseen",
    )
    print(table(header, rows))


if __name__ == "__main__":
    main()
