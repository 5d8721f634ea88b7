"""Time and memory of `mcugrad compile`, the firmware's build included, and of `--help`.

The runtime of a target is built once and kept in the user's cache; the first run fills it.
Run: python -m benchmarks.compile_time
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.datasets import MODELS, require_data
from mcugrad.cli.console import table

COMMAND = (sys.executable, "-m", "mcugrad")


def measured(arguments: list[str]) -> tuple[float, float]:
    """Wall seconds, and the most memory in MB that any process of the run held."""
    program = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True); "
    program += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)"
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", program, *COMMAND, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=True,
    )
    return time.perf_counter() - started, int(done.stderr.split()[-1]) / 1024


def main() -> None:
    """Prints one row a model: the median of three runs."""
    require_data()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for model in sorted(MODELS.glob("*.tflite")):
            for update in ("head", "all"):
                out = str(Path(folder) / "out")
                arguments = ["compile", str(model), "--target", "cortex-m7"]
                arguments += ["--update", update, "-o", out]
                measured(arguments)
                runs = sorted(measured(arguments) for _ in range(3))
                rows.append((model.name, update, f"{runs[1][0]:.2f}", f"{runs[1][1]:.0f}"))
    runs = sorted(measured(["--help"]) for _ in range(5))
    rows.append(("--help", "", f"{runs[2][0]:.2f}", f"{runs[2][1]:.0f}"))
    print(table(("model", "update", "seconds", "MB"), rows))


if __name__ == "__main__":
    main()
