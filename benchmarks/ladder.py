"""The memory ladder of MobileNetV2-w0.35: one training step, batch 1, 128x128, ten classes.

PyTorch's figure is the peak resident memory of a process that takes the step; ours are plans for
a Cortex-M7 (state and arena, checked by plan/check.py), the last one linked, with static data and
stack. "As written" runs the calls in the order of the graph, updates last; without masks the
backward pass keeps whole int8 results. Run: python -m benchmarks.ladder
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from unittest.mock import patch

from benchmarks.accuracy import TARGET, request
from benchmarks.datasets import require_data
from benchmarks.tasks import TASKS, WAYS
from mcugrad.cli.console import table
from mcugrad.compiler import compile_model, import_model, prepare
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


def planned(
    way: str, folder: Path, ordering: Callable[[Program], Schedule], masks: bool
) -> MemoryPlan:
    """The plan of one rung."""
    asked = request(TASK, WAYS[way], TARGET, folder)
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
        asked = request(TASK, WAYS["sparse"], TARGET, folder)
        linked = compile_model(asked, folder / "out").sram
        row("the same, firmware with stack", linked["total"])
    header = ("", "bytes", "times below", "state", "arena forward", "arena backward")
    print(table(header, [(*r, *[""] * (len(header) - len(r))) for r in rows]))


if __name__ == "__main__":
    main()
