"""The memory ladder of MobileNetV2-w0.35: one training step, batch 1, 128x128, ten classes.

PyTorch's figure is the peak resident memory of a process that takes the step; ours are plans for
a Cortex-M7 (state and arena, checked by plan/check.py), and below the line firmware as linked, with
static data and stack. "As written" runs the calls in the order of the graph, updates last; without
masks the backward pass keeps whole int8 results; "split" computes wide feature maps in groups of
channels, as --sram asks for. Run: python -m benchmarks.ladder
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from benchmarks.accuracy import TARGET, request, sram
from benchmarks.datasets import require_data
from benchmarks.tasks import TASKS, WAYS
from mcugrad.cli.console import table
from mcugrad.compiler import Request, compile_model, import_model, prepare
from mcugrad.devices.scratch import scratch_size
from mcugrad.ir.graph import Phase
from mcugrad.lower.lower import lower
from mcugrad.lower.program import Program
from mcugrad.passes.scheme import resolve_scheme
from mcugrad.passes.training import training_graph
from mcugrad.plan.check import check
from mcugrad.plan.order import Schedule, as_written, order
from mcugrad.plan.place import MemoryPlan, place
from mcugrad.targets import find_target

TASK = TASKS["mbv2"]
KEEP_MASKS = "mcugrad.passes.training.keep_masks"


def torch_bytes() -> int | None:
    """Peak resident bytes of a PyTorch process; None where it is not installed."""
    if importlib.util.find_spec("torch") is None:
        return None
    command = [sys.executable, "-m", "benchmarks.torch_step"]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def asked_for(way: str, folder: Path) -> Request:
    """One of the task's ways, for ten classes."""
    asked = request(TASK, WAYS[way], TARGET, folder)
    return replace(asked, training=replace(asked.training, classes=10))


def linked(way: str, folder: Path, split: bool) -> int:
    """Bytes of SRAM of the firmware; with ``split`` the least that a limit can bring it to."""
    asked = asked_for(way, folder)
    limit = sram(replace(asked, sram=2 * asked.stack), folder) if split else None
    return compile_model(replace(asked, sram=limit), folder / "out").sram["total"]


def planned(
    way: str, folder: Path, ordering: Callable[[Program], Schedule], masks: bool
) -> MemoryPlan:
    """The plan of one rung."""
    asked = asked_for(way, folder)
    graph = prepare(import_model(asked.model))
    with nullcontext() if masks else patch(KEEP_MASKS, lambda _diff: None):
        training = training_graph(graph, resolve_scheme(graph, asked.update), asked.training)
    program = lower(training, find_target(TARGET).features, scratch_size)
    plan = place(program, ordering(program))
    check(plan)
    return plan


def _peak(plan: MemoryPlan, *phases: Phase) -> int:
    """The most bytes of the arena alive in these phases."""
    calls = enumerate(plan.schedule.calls)
    steps = [i for i, call in calls if call.phase in phases]
    return max(sum(b.nbytes for b in plan.schedule.alive_at(i)) for i in steps)


def main() -> None:
    """Prints the table."""
    require_data()
    torch = torch_bytes()
    rows = []

    def row(name: str, nbytes: int | None, *parts: int) -> None:
        share = f"{torch / nbytes:.0f}" if torch and nbytes else ""
        rows.append((name, str(nbytes or "not installed"), share, *(str(p) for p in parts)))

    row("PyTorch process", torch)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for what, way, ordering, masks in (
            ("full f32, as written", "f32", as_written, False),
            ("full int8, as written", "int8", as_written, False),
            ("sparse int8, as written", "sparse", as_written, False),
            ("+ reordered", "sparse", order, False),
            ("+ masked", "sparse", order, True),
        ):
            plan = planned(way, folder, ordering, masks)
            backward = _peak(plan, Phase.BACKWARD, Phase.UPDATE)
            row(what, plan.total_bytes, plan.state_bytes, _peak(plan, Phase.FORWARD), backward)
        row("linked", linked("sparse", folder, split=False))
        row("+ split", linked("sparse", folder, split=True))
        row("a smaller scheme, split", linked("small", folder, split=True))
    header = ("", "bytes", "times below", "state", "arena forward", "arena backward")
    print(table(header, [(*r, *[""] * (len(header) - len(r))) for r in rows]))


if __name__ == "__main__":
    main()
