"""Learning in half precision against float32: accuracy at the same rates and orders, and SRAM.

With a mini-batch or momentum the rate is such that a sample moves the weights as far as alone:
``rate * batch * (1 - momentum)``.

Run: python -m benchmarks.half [--task NAME ...] [--orders N] [--batch N] [--momentum M]
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy import TARGET, Learner, request, sram
from benchmarks.datasets import require_data
from benchmarks.tasks import TASKS, WAYS
from mcugrad.cli.console import table
from mcugrad.compiler import compile_model
from mcugrad.data import Data, Samples
from mcugrad.devices import open_device
from mcugrad.fit import skipped_steps
from mcugrad.ir.tensor import Array

#: task, what learns in half and in float32, and the learning rate that suits float32.
PAIRS = (
    ("kws", "tail-f16", "tail", 0.03),
    ("kws", "f16", "f32", 0.003),
    ("resnet8", "tail-f16", "tail", 0.001),
)


@dataclass(frozen=True)
class Learned:
    """The accuracy after each order of the samples, steps skipped in all, and bytes of SRAM."""

    accuracies: list[float]
    skipped: int
    sram: int


def learned(
    task_name: str, way_name: str, rate: float, orders: int, optimiser: dict[str, Any]
) -> Learned:
    """What one way of learning makes of a task; ``optimiser``: batch and momentum."""
    task, way = TASKS[task_name], WAYS[way_name]
    data = task.data()
    if way.float_model:
        data = Data(*(Samples(task.real(s.x), s.y) for s in (data.train, data.measured)))
    accuracies, skipped = [], 0
    with tempfile.TemporaryDirectory() as name:
        folder, out = Path(name), Path(name) / "out"
        asked = request(task, replace(way, options={**way.options, **optimiser}), "host", folder)
        manifest = compile_model(asked, out)
        needs = sram(replace(asked, target=TARGET), folder)
        with open_device("host", out) as device:
            learner = Learner(device, manifest, task)
            for seed in range(orders):
                accuracies.append(learner.taught(data.train, data.measured, rate, seed))
                skipped += skipped_steps(device, manifest)
    return Learned(accuracies, skipped, needs)


def estimate(shares: Sequence[float] | Array) -> str:
    """The mean of shares as percentages, and its standard error where there are several."""
    percent = 100 * np.array(shares)
    if len(percent) == 1:
        return f"{percent[0]:.2f}"
    return f"{percent.mean():.2f} (± {percent.std(ddof=1) / np.sqrt(len(percent)):.2f})"


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", action="append", choices=TASKS, help="default: all of them here")
    parser.add_argument("--orders", type=int, default=10, help="of the samples")
    parser.add_argument("--batch", type=int, default=1, help="samples an update")
    parser.add_argument("--momentum", type=float, default=0.0)
    options = parser.parse_args()
    require_data()
    optimiser = {"batch": options.batch, "momentum": options.momentum}
    rows = []
    for task, half, single, alone in PAIRS:
        if task not in (options.task or TASKS):
            continue
        rate = alone * options.batch * (1 - options.momentum)
        found = {w: learned(task, w, rate, options.orders, optimiser) for w in (half, single)}
        for way, run in found.items():
            after, numbers = estimate(run.accuracies), (f"{rate:.2g}", str(run.skipped))
            rows.append((task, WAYS[way].what, *numbers, str(run.sram), f"{after} %"))
        gain = np.subtract(found[half].accuracies, found[single].accuracies)
        rows.append((task, "f16 less f32, order by order", "", "", "", f"{estimate(gain)} points"))
    print(table(("task", "what learns", "rate", "skipped", f"SRAM {TARGET}", "after"), rows))


if __name__ == "__main__":
    main()
