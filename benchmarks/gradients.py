"""MCUNet's bias gradients from the compiled C, beside float64 differentiation of the int8 network.

The judge is autograd on the network's formulas with straight-through rounding
(tests/support/straight_through.py). Every bias learns, so that gradients go through all blocks;
each image is taken alone. Run: python -m benchmarks.gradients [--images N] [--gradients s16]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
from tests.support.straight_through import cosine, true_gradients

from benchmarks.datasets import require_data
from benchmarks.tasks import TASKS
from mcugrad.cli.console import table
from mcugrad.compiler import GRAPH, Request, compile_model, import_model, prepare
from mcugrad.devices import open_device
from mcugrad.ir.serial import load_training_graph
from mcugrad.passes.layers import layers
from mcugrad.passes.training import Gradients, Precision, TrainingOptions

LEAST = 0.999


def cosines(images: int, gradients: Gradients) -> dict[str, list[float]]:
    """For each bias in the order of the layers, one cosine an image."""
    task = TASKS["mcunet"]
    count = len(layers(prepare(import_model(task.int8))))
    options = TrainingOptions(task.classes, precision=Precision.INT8, gradients=gradients)
    samples = task.data().measured
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        out = Path(name) / "out"
        manifest = compile_model(Request(task.int8, "host", f"bias:{count}", options), out)
        training = load_training_graph(out / GRAPH)
        numbers = {t.name: i for i, t in enumerate(manifest.tensors)}
        with open_device("host", out) as device:
            for at in np.random.default_rng(0).permutation(len(samples))[:images]:
                x, label = samples.x[at], int(samples.y[at])
                true = true_gradients(training, x, label)
                device.reset()
                traced = device.train_step(x, label, trace=True).traced
                for item in training.learning:
                    if item.tensor.endswith("/bias"):
                        number = numbers[item.gradient]
                        kind = manifest.tensors[number].dtype.numpy
                        mine = np.frombuffer(traced[number], kind)
                        found.setdefault(item.tensor, []).append(cosine(mine, true[item.tensor]))
    return found


def main() -> int:
    """Prints the table; 1 where a cosine is too low."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=5)
    parser.add_argument("--gradients", type=Gradients, choices=list(Gradients), default="f32")
    options = parser.parse_args()
    require_data()
    blocks: dict[str, list[float]] = {}
    for bias, values in cosines(options.images, options.gradients).items():
        blocks.setdefault("/".join(bias.split("/")[:2]).removesuffix("/bias"), []).extend(values)
    rows = [(block, f"{min(v):.7f}", f"{np.mean(v):.7f}") for block, v in blocks.items()]
    worst = min(min(v) for v in blocks.values())
    rows.append(("worst", f"{worst:.7f}", f"to reach {LEAST}"))
    print(table(("block", "worst cosine", "mean"), rows))
    return 0 if worst >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
