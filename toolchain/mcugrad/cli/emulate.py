"""``mcugrad emulate``: boots the firmware in the target's emulator and takes one step."""

from __future__ import annotations

import argparse

from mcugrad.cli.console import Console, table
from mcugrad.cli.options import add_compiled, seed


def configure(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    add_compiled(parser)
    parser.add_argument("--seed", type=seed, default=0, help="of the sample")


def run(options: argparse.Namespace, console: Console) -> int:
    """One inference and one training step, with what they cost."""
    from mcugrad.data import random_samples
    from mcugrad.devices import open_device
    from mcugrad.manifest import Manifest

    manifest = Manifest.read(options.dir)
    sample = random_samples(manifest, 1, options.seed)
    with open_device("emulator", options.dir) as device:
        device.infer(sample.x[0])
        step = device.train_step(sample.x[0], sample.y[0])
        statistics = device.statistics()
        unit = device.info.unit
    document = {
        "target": manifest.target,
        "unit": unit,
        "infer": statistics.infer,
        "step": statistics.step,
        "loss": step.loss,
        "stack_used": statistics.stack_used,
        "stack": statistics.stack_bytes,
    }
    rows = [
        ("one inference", f"{statistics.infer:,}"),
        ("one training step", f"{statistics.step:,}"),
    ]
    text = (
        f"{manifest.model} on {manifest.target}: loss {step.loss:.6f} of a random sample, "
        f"{statistics.stack_used} of {statistics.stack_bytes} bytes of stack used\n"
    )
    console.result(document, text + table(("work", str(unit)), rows))
    return 0
