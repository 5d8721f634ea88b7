"""Instructions of an inference and of a training step, per model and target, in the emulator.

Run: python -m benchmarks.steps [--target NAME ...] [--update SPEC] [--precision P ...]
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.datasets import MODELS, require_data
from mcugrad.cli.console import table
from mcugrad.compiler import Request, compile_model
from mcugrad.data import random_samples
from mcugrad.devices import open_device
from mcugrad.errors import DoesNotFitError
from mcugrad.fit import updating_step
from mcugrad.passes.training import Precision, TrainingOptions

#: Model file, and what PULP-TrainLib needs for a step of all layers on RV32, in millions.
NETWORKS = (
    ("pretrainedResnet.tflite", 211.2),
    ("kws_ref_model_float32.tflite", 33.5),
)


@dataclass(frozen=True)
class Counted:
    """Instructions of an inference and a step, products of a step, and bytes of SRAM."""

    infer: int
    step: int
    products: int
    sram: int


def counted(model: str, target: str, update: str, precision: Precision = Precision.F32) -> Counted:
    """What one model needs in the target's emulator.

    Raises:
        DoesNotFitError: it is too large for the target.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        training = TrainingOptions(precision=precision)
        manifest = compile_model(Request(MODELS / model, target, update, training), out)
        sample = random_samples(manifest, 1, 0)
        with open_device("emulator", out) as device:
            device.infer(sample.x[0])
            updating_step(device, manifest, sample.x[0], sample.y[0])
            found = device.statistics()
    products = sum(c.products for c in manifest.calls if c.phase in ("forward", "backward"))
    return Counted(found.infer or 0, found.step or 0, products, manifest.sram["total"])


def row(model: str, target: str, update: str, precision: Precision, peer: float) -> list[str]:
    """One row of the table."""
    try:
        found = counted(model, target, update, precision)
    except DoesNotFitError:
        return [model, target, precision, "does not fit", "", "", "", "", ""]
    return [
        model,
        target,
        precision,
        f"{found.infer / 1e6:.2f}",
        f"{found.step / 1e6:.2f}",
        f"{found.products / 1e6:.2f}",
        f"{found.step / found.products:.2f}",
        f"{found.sram}",
        f"{peer}" if target == "rv32imfc" and update == "all" and precision == "f32" else "",
    ]


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", action="append", help="default: rv32imfc and cortex-m7")
    parser.add_argument("--update", default="all")
    parser.add_argument("--precision", action="append", choices=("f32", "f16"), help="default: f32")
    options = parser.parse_args()
    require_data()
    rows = [
        row(model, target, options.update, Precision(precision), peer)
        for model, peer in NETWORKS
        for target in options.target or ("rv32imfc", "cortex-m7")
        for precision in options.precision or ("f32",)
    ]
    header = (
        "model",
        "target",
        "type",
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
