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
    """One inference and one training step that updates, with what they cost."""
    from mcugrad.cli.remarks import warn_of_stack
    from mcugrad.data import random_samples
    from mcugrad.devices import open_device
    from mcugrad.fit import updating_step
    from mcugrad.manifest import Manifest
    from mcugrad.targets import find_target

    manifest = Manifest.read(options.dir)
    sample = random_samples(manifest, 1, options.seed)
    with open_device("emulator", options.dir) as device:
        device.infer(sample.x[0])
        step = updating_step(device, manifest, sample.x[0], sample.y[0])
        statistics = device.statistics()
        unit = device.info.unit
    cores = find_target(manifest.target).cores
    document = {
        "target": manifest.target,
        "cores": cores,
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
    heading = str(unit) if cores == 1 else f"{unit} of {cores} cores"
    console.result(document, text + table(("work", heading), rows))
    warn_of_stack(console, statistics)
    return 0
