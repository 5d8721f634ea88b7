"""Instructions of an inference and of a training step, per model and target, in QEMU.

Run: python benchmarks/steps.py [--target NAME ...] [--update SPEC]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from datasets import MODELS, require_data
from mcugrad.cli.console import table
from mcugrad.compiler import Request, compile_model
from mcugrad.data import random_samples
from mcugrad.devices import open_device
from mcugrad.errors import DoesNotFitError
from mcugrad.manifest import Manifest

#: Model file, and what PULP-TrainLib needs for a step of all layers on RV32, in millions.
NETWORKS = (
    ("pretrainedResnet.tflite", 211.2),
    ("kws_ref_model_float32.tflite", 33.5),
)


def products(manifest: Manifest, *phases: str) -> int:
    """Multiply-accumulates of these phases."""
    return sum(c.products for c in manifest.calls if c.phase in phases)


def measured(model: str, target: str, update: str) -> list[str]:
    """One row of the table."""
    request = Request(MODELS / model, target, update)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        try:
            manifest = compile_model(request, out)
        except DoesNotFitError:
            return [model, target, "does not fit"]
        sample = random_samples(manifest, 1, 0)
        with open_device("emulator", out) as device:
            device.infer(sample.x[0])
            device.train_step(sample.x[0], sample.y[0])
            counted = device.statistics()
    macs = products(manifest, "forward", "backward")
    assert counted.step is not None
    assert counted.infer is not None
    return [
        model,
        target,
        f"{counted.infer / 1e6:.2f}",
        f"{counted.step / 1e6:.2f}",
        f"{macs / 1e6:.2f}",
        f"{counted.step / macs:.2f}",
        f"{manifest.sram['total']}",
    ]


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", action="append", help="default: rv32imfc and cortex-m7")
    parser.add_argument("--update", default="all")
    options = parser.parse_args()
    require_data()
    rows = []
    for model, peer in NETWORKS:
        for target in options.target or ("rv32imfc", "cortex-m7"):
            row = measured(model, target, options.update)
            rows.append([*row, *[""] * (7 - len(row)), f"{peer}" if target == "rv32imfc" else ""])
    header = (
        "model",
        "target",
        "infer M",
        "step M",
        "products M",
        "per product",
        "SRAM",
        "TrainLib M",
    )
    print(table(header, rows))


if __name__ == "__main__":
    main()
