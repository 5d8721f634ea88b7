"""The same training steps on the host and in an emulator: do the weights come out the same?

Integer weights are compared bit for bit, float ones (a replaced head) by their largest
difference: C leaves a compiler to fuse products and sums, which could turn a stochastic rounding
behind f32 gradients to the other side.
Run: python -m benchmarks.spot_check [--task NAME ...] [--way NAME ...] [--steps N]
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.accuracy import TARGET, request
from benchmarks.datasets import require_data
from benchmarks.tasks import TASKS, WAYS, Task, Way
from mcugrad.cli.console import table
from mcugrad.compiler import compile_model
from mcugrad.data import Samples
from mcugrad.devices import open_device
from mcugrad.ir.tensor import Array


def learnt(task: Task, way: Way, where: str, samples: Samples) -> dict[str, tuple[Array, Array]]:
    """Everything that a step changes, before and after the steps, on "host" or "emulator"."""
    with tempfile.TemporaryDirectory() as name:
        target = "host" if where == "host" else TARGET
        asked = request(task, way, target, Path(name))
        options = replace(asked.training, learning_rate=0.003)
        manifest = compile_model(replace(asked, training=options), Path(name) / "out")
        with open_device(where, Path(name) / "out") as device:

            def state() -> dict[str, Array]:
                return {
                    t.name: np.frombuffer(device.read_tensor(i), t.dtype.numpy).copy()
                    for i, t in enumerate(manifest.tensors)
                    if t.writable
                }

            before = state()
            for x, y in zip(samples.x, samples.y, strict=True):
                device.train_step(x, y)
            return {name: (before[name], value) for name, value in state().items()}


def row(name: str, key: str, steps: int) -> list[str]:
    """One row of the table."""
    task, way = TASKS[name], WAYS[key]
    train = task.data().train
    chosen = np.random.default_rng(0).permutation(len(train))[:steps]
    samples = Samples(train.x[chosen], train.y[chosen])
    host, emulator = (learnt(task, way, where, samples) for where in ("host", "emulator"))
    changed = total = differing = most = 0
    apart = 0.0
    for tensor, (before, mine) in host.items():
        theirs = emulator[tensor][1]
        if mine.dtype.kind == "f":
            apart = max(apart, float(np.max(np.abs(mine - theirs)) / np.max(np.abs(mine))))
            continue
        total += mine.size
        changed += int(np.sum(mine != before))
        differing += int(np.sum(mine != theirs))
        most = max(most, int(np.max(np.abs(mine.astype(np.int64) - theirs))))
    counts = [str(v) for v in (steps, total, changed, differing, most)]
    return [name, way.what, *counts, f"{apart:.1e}"]


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", action="append", choices=TASKS, help="default: all")
    parser.add_argument("--way", action="append", choices=WAYS, help="default: sparse")
    parser.add_argument("--steps", type=int, default=20)
    options = parser.parse_args()
    require_data()
    rows = [
        row(name, key, options.steps)
        for name in options.task or TASKS
        for key in options.way or ("sparse",)
    ]
    header = ("task", "what learns", "steps", "integers", "changed", "differ", "by", "head differs")
    print(table(header, rows))


if __name__ == "__main__":
    main()
