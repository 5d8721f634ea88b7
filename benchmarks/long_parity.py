"""Twenty training steps of all layers in QEMU, every tensor against the golden model.

Run: python -m benchmarks.long_parity [--steps N] [--precision f32 | f16]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.datasets import MODELS, cifar10, kws_test_set, require_data
from mcugrad.cli.console import table
from mcugrad.compiler import GRAPH, Request, compile_model
from mcugrad.data import Samples
from mcugrad.devices import open_device
from mcugrad.golden.interpreter import Trainer
from mcugrad.ir.serial import load_training_graph
from mcugrad.parity import Report, compare, report
from mcugrad.passes.training import Precision, TrainingOptions


def keywords(count: int) -> Samples:
    """Keyword features as the float model takes them."""
    found = kws_test_set()
    real = (found.x[:count].astype(np.float32) - np.float32(83)) * np.float32(0.5847029)
    return Samples(real, found.y[:count])


def images(count: int) -> Samples:
    """CIFAR-10 images as the float model takes them."""
    x, y = cifar10("train_batch1")
    return Samples(x[:count, None].astype(np.float32), y[:count])


def run(model: str, samples: Samples, options: TrainingOptions, target: str) -> Report:
    """One model on one target."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        manifest = compile_model(Request(MODELS / model, target, "all", options), out)
        golden = Trainer(load_training_graph(out / GRAPH))
        with open_device("emulator", out) as device:
            pairs = list(zip(samples.x, samples.y, strict=True))
            return report(list(compare(device, golden, manifest, pairs)))


def main() -> int:
    """Prints the table; 1 where parity does not hold or a step was refused."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--precision", choices=("f32", "f16"), default="f32")
    options = parser.parse_args()
    require_data()
    rows = []
    good = True
    for model, samples, rate in (
        ("kws_ref_model_float32.tflite", keywords(options.steps), 1e-3),
        # Raw pixels up to 255 make the first layer's gradients large.
        ("pretrainedResnet.tflite", images(options.steps), 1e-6),
    ):
        for target in ("cortex-m7", "rv32imfc"):
            how = TrainingOptions(precision=Precision(options.precision), learning_rate=rate)
            found = run(model, samples, how, target)
            good = good and found.ok and found.refused == 0
            counts = str(found.steps), str(found.refused), str(found.compared)
            rows.append((model, target, *counts, f"{found.worst.error:.1e}"))
    header = (
        "model",
        "target",
        "steps",
        "refused",
        "tensors",
        f"worst error, of {found.worst.bound:.2g}",
    )
    print(table(header, rows))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
