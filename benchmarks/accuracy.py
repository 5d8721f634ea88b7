"""Accuracy of pretrained models on new tasks, by every way of learning, from the compiled C.

The learning rate of each run is picked on parts of the training samples, from the same grid for
every way, and falls to zero along a cosine. Finished runs are kept in build/accuracy.json, so
that a long table can be made in several goes.

Run: python -m benchmarks.accuracy [--task NAME ...] [--way NAME ...] [--again] [--show]
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.datasets import require_data
from benchmarks.sparse import scheme
from benchmarks.tasks import TASKS, WAYS, Task, Way, searched
from mcugrad.cli.console import table
from mcugrad.compiler import GRAPH, Request, compile_model
from mcugrad.data import Data, Samples
from mcugrad.devices import open_device
from mcugrad.devices.base import StepResult, Tally
from mcugrad.errors import CheckFailedError, DoesNotFitError
from mcugrad.fit import Hyper, Schedule, accuracy, annealing, fit, set_hyper
from mcugrad.golden.interpreter import Trainer
from mcugrad.ir.serial import load_training_graph
from mcugrad.ir.tensor import Array
from mcugrad.manifest import Manifest
from mcugrad.passes.training import TrainingOptions
from mcugrad.targets import find_target

RESULTS = Path("build") / "accuracy.json"
TARGET = "cortex-m7"  # whose SRAM is given

#: Learning rates to begin with; while the best is the last or first, another one is tried.
_RATES = (0.001, 0.003, 0.01)
_TAUGHT, _JUDGED = 300, 200  # training samples at most to pick it with and judge it on


@dataclass(frozen=True)
class Run:
    """What one run did; ``picked`` is the accuracy of each learning rate that was tried.

    ``after`` is the mean over the orders of the samples, ``seconds`` those of one of them.
    """

    before: float
    after: float
    rate: float
    picked: dict[str, float]
    sram: int
    steps: int
    seconds: float


class Golden:
    """The golden model in float64, in a device's place."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self._training = load_training_graph(folder / GRAPH)
        self._names = [t.name for t in manifest.tensors]
        self.reset()

    def reset(self) -> None:
        """Takes the model back to its initial state."""
        self._trainer = Trainer(self._training, exact=True)

    def train_step(self, x: Array, target: int) -> StepResult:
        """Learns from one sample."""
        step = self._trainer.step(x, np.array([target], np.int32))
        return StepResult(step.loss, step.accepted)

    def evaluate(self, samples: list[tuple[Array, int]]) -> Tally:
        """Classifies samples with known labels."""
        hits = [int(np.argmax(self._trainer.infer(x))) == y for x, y in samples]
        return Tally(len(hits), sum(hits))

    def read_tensor(self, tensor: int) -> bytes:
        """A state's bytes."""
        return self._trainer.state[self._names[tensor]].astype(np.float32).tobytes()

    def write_tensor(self, tensor: int, content: bytes) -> None:
        """Replaces a float state."""
        self._trainer.state[self._names[tensor]] = np.frombuffer(content, np.float32)


def request(task: Task, way: Way, target: str, folder: Path) -> Request:
    """How to compile a task's model for a way of learning; schemes are written to ``folder``."""
    update = way.update
    sparse = {"sparse": task.sparse, "small": task.small}.get(update)
    if sparse is not None:
        update = str(folder / f"{update}.toml")
        text = scheme(task.int8, sparse.biases, sparse.shares)
        Path(update).write_text(text, encoding="utf-8")
    elif update == "auto":
        asked = Request(task.model(way), TARGET, "auto", _options(task, way), sram=way.sram)
        update = str(folder / "auto.toml")
        Path(update).write_text(searched(task, asked, folder)[1].text, encoding="utf-8")
    elif update == "bias":
        update = f"bias:{task.sparse.biases + 1}"
    elif update == "last":
        update = f"last:{task.tail}"
    return Request(task.model(way), target, update, _options(task, way))


def _options(task: Task, way: Way) -> TrainingOptions:
    return TrainingOptions(task.classes, precision=way.precision, **way.options)


def sram(asked: Request, folder: Path) -> int:
    """Bytes of SRAM on the target, stack included, whether it has them or not."""
    try:
        return compile_model(asked, folder / "firmware").sram["total"]
    except DoesNotFitError as error:
        available = find_target(asked.target).limited(asked.sram, asked.flash).ram_bytes
        if error.kind != "SRAM" or available is None:
            raise
        return available + error.excess


@cache
def _data(name: str, real: bool) -> Data:
    task = TASKS[name]
    data = task.data()
    if not real:
        return data
    return Data(*(Samples(task.real(s.x), s.y) for s in (data.train, data.measured)))


def _unwatched(_done: int, _loss: float) -> None:
    return


def _part(samples: Samples, chosen: Array) -> Samples:
    return Samples(samples.x[chosen], samples.y[chosen])


def _mirrored(samples: Samples) -> Samples:
    x = np.concatenate([samples.x, samples.x[:, :, :, ::-1]])
    return Samples(x, np.concatenate([samples.y, samples.y]))


@dataclass(frozen=True)
class Learner:
    """A compiled model that can be taught from its initial state again and again."""

    device: Any
    manifest: Manifest
    task: Task

    def taught(self, train: Samples, measured: Samples, rate: float, seed: int = 0) -> float:
        """Accuracy on ``measured`` after training; 0 where training diverged."""
        self.device.reset()
        set_hyper(self.device, self.manifest, Hyper(rate))
        anneal = annealing(self.device, self.manifest, Schedule.COSINE)
        samples = _mirrored(train) if self.task.mirrored else train
        try:
            fit(self.device, samples, self.task.epochs, seed, _unwatched, anneal=anneal)
        except CheckFailedError:
            return 0.0
        return accuracy(self.device, measured)

    def picked(self, train: Samples) -> dict[float, float]:
        """The accuracy of each learning rate tried: learnt on two thirds, judged on the other."""
        shuffled = np.random.default_rng(0).permutation(len(train))
        thirds = [shuffled[i::3] for i in range(3)]
        parts = [
            (np.concatenate(thirds[:i] + thirds[i + 1 :])[:_TAUGHT], thirds[i][:_JUDGED])
            for i in range(self.task.folds)
        ]
        found: dict[float, float] = {}
        todo = list(_RATES)
        while todo:
            for rate in todo:
                judged = [self.taught(_part(train, a), _part(train, b), rate) for a, b in parts]
                found[rate] = float(np.mean(judged))
                print(f"    {rate:.2g}: {found[rate]:.4f}", flush=True)
            best = max(found, key=lambda r: (found[r], -r))
            todo = [best / 3] if best == min(found) else []
            todo += [best * 3] if best == max(found) else []
            todo = [r for r in todo if 1e-7 < r < 1e6]
        return found


def run(task: Task, way: Way, data: Data) -> Run:
    """Teaches one task in one way."""
    with tempfile.TemporaryDirectory() as name:
        folder, out = Path(name), Path(name) / "out"
        asked = request(task, way, "host", folder)
        manifest = compile_model(asked, out)
        needs = sram(replace(asked, target=TARGET, sram=way.sram), folder)
        with open_device("host", out) as host:
            device: Any = Golden(out, manifest) if way.exact else host
            before = accuracy(device, data.measured)
            # float64 takes the rate of the compiled C
            picked = Learner(host, manifest, task).picked(data.train)
            rate = max(picked, key=lambda r: (picked[r], -r))
            learner = Learner(device, manifest, task)
            started = time.perf_counter()
            after = [
                learner.taught(data.train, data.measured, rate, seed) for seed in range(task.orders)
            ]
            seconds = (time.perf_counter() - started) / task.orders
    steps = len(data.train) * (1 + task.mirrored) * task.epochs
    tried = {f"{r:.2g}": picked[r] for r in sorted(picked)}
    return Run(before, float(np.mean(after)), rate, tried, needs, steps, seconds)


def load() -> dict[str, Run | str]:
    """The finished runs, by "task way"; of what does not fit, the reason."""
    if not RESULTS.is_file():
        return {}
    runs = json.loads(RESULTS.read_text(encoding="utf-8"))
    return {k: v if isinstance(v, str) else Run(**v) for k, v in runs.items()}


def _save(runs: dict[str, Run | str]) -> None:
    RESULTS.parent.mkdir(exist_ok=True)
    partial = RESULTS.with_suffix(".part")
    plain = {k: v if isinstance(v, str) else asdict(v) for k, v in runs.items()}
    text = json.dumps(plain, indent=1)
    partial.write_text(text + "\n", encoding="utf-8")
    partial.replace(RESULTS)


def show(tasks: list[str]) -> None:
    """Prints what has been run."""
    runs = load()
    rows = []
    for name in tasks:
        for key, way in WAYS.items():
            found = runs.get(f"{name} {key}")
            if isinstance(found, str):
                rows.append((name, way.what, "", "", "", found, "", ""))
            elif found is not None:
                shares = (f"{100 * found.before:.1f} %", f"{100 * found.after:.1f} %")
                cost = (f"{found.sram}", str(found.steps), f"{found.seconds:.0f}")
                rows.append((name, way.what, *shares, f"{found.rate:.2g}", *cost))
    header = ("task", "what learns", "before", "after", "rate", f"SRAM {TARGET}", "steps", "s")
    print(table(header, rows))


def main() -> None:
    """Runs what was asked for and is not there yet, then prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", action="append", choices=TASKS, help="default: all")
    parser.add_argument("--way", action="append", choices=WAYS, help="default: all")
    parser.add_argument("--again", action="store_true", help="also what has been run before")
    parser.add_argument("--show", action="store_true", help="only print what has been run")
    options = parser.parse_args()
    require_data()
    tasks = options.task or list(TASKS)
    for name in tasks if not options.show else ():
        for key in options.way or WAYS:
            way = WAYS[key]
            if f"{name} {key}" in load() and not options.again:
                continue
            if way.update == "small" and TASKS[name].small is None:
                continue
            print(f"{name} {key}", flush=True)
            try:
                found: Run | str = run(TASKS[name], way, _data(name, way.float_model))
            except DoesNotFitError as error:
                found = str(error).splitlines()[0].split(";")[0]
            _save({**load(), f"{name} {key}": found})
            print(f"  {found}", flush=True)
    show(tasks)


if __name__ == "__main__":
    main()
