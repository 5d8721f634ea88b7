"""Does it learn: pretrained int8 models on new tasks, on the host, beside float64 NumPy.

Run: python -m benchmarks.learn [kws|resnet8] [--exact] [--precision int8]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.datasets import MODELS, cifar10_int8, kws_new_words, require_data
from mcugrad.compiler import GRAPH, Request, compile_model
from mcugrad.data import Data
from mcugrad.devices import open_device
from mcugrad.fit import accuracy, fit
from mcugrad.golden.interpreter import Trainer
from mcugrad.ir.serial import load_training_graph
from mcugrad.passes.training import Precision, TrainingOptions


@dataclass(frozen=True)
class Task:
    """A model, what of it learns, how, and from what."""

    model: str
    update: str
    classes: int
    learning_rate: float
    epochs: int
    batch: int = 1
    momentum: float = 0.0
    weight_decay: float = 0.0
    precision: Precision = Precision.F32


TASKS = {
    "kws": Task("kws_ref_model.tflite", "last:5", 10, 0.01, 40),
    "resnet8": Task("pretrainedResnet_quant.tflite", "last:3", 10, 0.01, 3),
}


@dataclass(frozen=True)
class Taught:
    """Accuracy before and after, the mean loss of the last epoch, SRAM and time of a step."""

    before: float
    after: float
    loss: float
    sram: int
    step_seconds: float


def teach(task: Task, data: Data, out: Path) -> Taught:
    """Compiles the task's model into ``out`` for the host and trains it."""
    options = TrainingOptions(
        task.classes,
        learning_rate=task.learning_rate,
        batch=task.batch,
        momentum=task.momentum,
        weight_decay=task.weight_decay,
        precision=task.precision,
    )
    manifest = compile_model(Request(MODELS / task.model, "host", task.update, options), out)
    with open_device("host", out) as device:
        before = accuracy(device, data.measured)
        started = time.perf_counter()
        outcome = fit(device, data.train, task.epochs, 0, lambda _done, _loss: None)
        seconds = (time.perf_counter() - started) / outcome.steps
        after = accuracy(device, data.measured)
    return Taught(before, after, outcome.loss, manifest.sram["total"], seconds)


def run(task: Task, data: Data, exact: bool) -> None:
    """Trains and prints accuracy before and after."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        found = teach(task, data, out)
        counts = f"{len(data.train)} training samples, {len(data.measured)} to measure on"
        print(f"{task.model} {task.update}: {counts}, {task.epochs} epochs at {task.learning_rate}")
        print(f"  SRAM {found.sram} bytes, {found.step_seconds * 1e3:.2f} ms a step")
        print(f"  compiled C {found.before:.4f} before, {found.after:.4f} after")
        if exact:
            trainer = Trainer(load_training_graph(out / GRAPH), exact=True)
            print(f"  float64    {_exact(trainer, task, data):.4f} after", flush=True)


def _exact(trainer: Trainer, task: Task, data: Data) -> float:
    """The same fine-tuning with float64 throughout, on the same order of samples."""
    rng = np.random.default_rng(0)
    for _ in range(task.epochs):
        for i in rng.permutation(len(data.train)):
            trainer.step(data.train.x[i], data.train.y[i : i + 1])
    pairs = zip(data.measured.x, data.measured.y, strict=True)
    return float(np.mean([int(np.argmax(trainer.infer(x))) == y for x, y in pairs]))


def main() -> None:
    """Runs the tasks asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", nargs="?", choices=TASKS, help="default: all")
    parser.add_argument("--exact", action="store_true", help="float64 NumPy too (minutes)")
    parser.add_argument("--precision", type=Precision, choices=list(Precision), default="f32")
    options = parser.parse_args()
    require_data()
    for name in [options.task] if options.task else list(TASKS):
        if name == "kws":
            data, words = kws_new_words()
            print("words:", ", ".join(words))
        else:
            data = cifar10_int8(2000, 2000)
        run(replace(TASKS[name], precision=options.precision), data, options.exact)


if __name__ == "__main__":
    main()
