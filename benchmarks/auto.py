"""What --update auto chooses under several limits of SRAM, how long that takes, what it learns.

Run: python -m benchmarks.auto [kws] [resnet8] [mcunet] [mbv2] [--analysis accuracy] [--sram KB ...]
    [--target stm32f405]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.datasets import FOLDER, MODELS, cifar10_int8, kws_new_words, require_data
from mcugrad.analysis import Analysis
from mcugrad.auto import Wish, compile_auto
from mcugrad.cli.console import Console, table
from mcugrad.compiler import Request
from mcugrad.data import Data, Samples
from mcugrad.devices import open_device
from mcugrad.fit import Hyper, accuracy, fit, set_hyper
from mcugrad.manifest import Manifest
from mcugrad.passes.training import Precision, TrainingOptions

TARGET = "cortex-m7"  # unless another is named


@dataclass(frozen=True)
class Task:
    """A model, the epochs that it learns for, and its learning rate."""

    model: Path
    epochs: int
    learning_rate: float


TASKS = {
    "kws": Task(MODELS / "kws_ref_model.tflite", 40, 0.01),
    "resnet8": Task(MODELS / "pretrainedResnet_quant.tflite", 3, 0.003),
    "mcunet": Task(FOLDER / "tte_backbones_tflite" / "mcunet-5fps_int8.tflite", 0, 0.01),
    "mbv2": Task(FOLDER / "tte_backbones_tflite" / "mbv2-w0.35_int8.tflite", 0, 0.01),
}


def data_of(name: str) -> Data:
    """The task's samples; for the large models noise, to time the search with."""
    if name == "kws":
        return kws_new_words()[0]
    if name == "resnet8":
        return cifar10_int8(2000, 2000)
    rng = np.random.default_rng(0)
    x = rng.integers(-128, 128, (64, 1, 128, 128, 3)).astype(np.int8)
    return Data(Samples(x, rng.integers(0, 10, 64).astype(np.int32)), None)


def row(name: str, kilobytes: int, analysis: Analysis, target: str) -> list[str]:
    """Searches, trains, and says what came of it."""
    task, data = TASKS[name], data_of(name)
    options = TrainingOptions(
        classes=10, learning_rate=task.learning_rate, precision=Precision.INT8
    )
    request = Request(task.model, target, "auto", options, sram=kilobytes * 1024)
    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder) / "data.npz", Path(folder) / "out"
        test = {} if data.test is None else {"x_test": data.test.x, "y_test": data.test.y}
        np.savez(path, x=data.train.x, y=data.train.y, **test)
        wish = Wish(path, analysis=analysis)
        started = time.perf_counter(), time.process_time()
        manifest, found = compile_auto(request, wish, out, Console(quiet=True), lambda *_: None)
        wall, own = time.perf_counter() - started[0], time.process_time() - started[1]
        reached = learned(task, data, manifest, out) if task.epochs else ""
    picks = found.choice.picks
    shares = [o.share for o in picks if o.share]
    return [
        name,
        str(kilobytes),
        str(manifest.sram["total"]),
        f"last {len(picks)}",
        " ".join(f"{s:g}" for s in shares),
        f"{found.choice.gain:.1f}",
        str(found.plans),
        f"{wall:.0f}",
        f"{own:.0f}",
        reached,
    ]


def learned(task: Task, data: Data, manifest: Manifest, out: Path) -> str:
    """Accuracy on held-out samples after training on the host, the rate falling at each third."""
    with open_device("host", out) as device:
        for third in range(3):
            rate = task.learning_rate / 3**third
            set_hyper(device, manifest, Hyper(learning_rate=rate))
            fit(device, data.train, max(1, task.epochs // 3), third, lambda _done, _loss: None)
        return f"{accuracy(device, data.measured):.3f}"


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
        "accuracy",
    )
    print(table(header, rows))


if __name__ == "__main__":
    main()
