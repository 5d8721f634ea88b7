"""What --update auto chooses under several limits of SRAM, and how long that takes.

Run: python -m benchmarks.auto [kws] [resnet8] [mcunet] [mbv2] [--analysis accuracy] [--sram KB ...]
    [--target stm32f405]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from benchmarks.datasets import require_data
from benchmarks.tasks import TASKS, searched
from mcugrad.cli.console import table
from mcugrad.compiler import Request
from mcugrad.errors import DoesNotFitError
from mcugrad.passes.training import Precision, TrainingOptions
from mcugrad.search.analysis import Analysis

TARGET = "cortex-m7"  # unless another is named


def row(name: str, kilobytes: int, analysis: Analysis, target: str) -> list[str]:
    """What a search finds, or why it finds nothing."""
    task = TASKS[name]
    options = TrainingOptions(task.classes, precision=Precision.INT8)
    asked = Request(task.int8, target, "auto", options, sram=kilobytes * 1024)
    started = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        try:
            manifest, found = searched(task, asked, Path(folder), analysis)
        except DoesNotFitError as error:
            return [name, str(kilobytes), "", str(error).splitlines()[0], "", "", "", "", ""]
    wall, own = time.perf_counter() - started[0], time.process_time() - started[1]
    picks = found.choice.picks
    return [
        name,
        str(kilobytes),
        str(manifest.sram["total"]),
        f"last {len(picks)}",
        " ".join(f"{o.share:g}" for o in picks if o.share),
        f"{found.choice.gain:.1f}",
        str(found.plans),
        f"{wall:.0f}",
        f"{own:.0f}",
    ]


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tasks", nargs="*", choices=[[], *TASKS], help="default: kws and resnet8")
    parser.add_argument("--analysis", type=Analysis, choices=list(Analysis), default="fisher")
    parser.add_argument("--sram", type=int, nargs="+", default=[64, 128, 256], metavar="KB")
    parser.add_argument("--target", default=TARGET)
    options = parser.parse_args()
    require_data()
    rows = [
        row(name, kilobytes, options.analysis, options.target)
        for name in options.tasks or ("kws", "resnet8")
        for kilobytes in options.sram
    ]
    header = (
        "model",
        "limit KB",
        "SRAM",
        "biases",
        "shares of weights",
        "gain",
        "plans",
        "seconds",
        "of them in Python",
    )
    print(table(header, rows))


if __name__ == "__main__":
    main()
