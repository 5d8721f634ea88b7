"""``mcugrad eval``: how good a compiled model is on given samples."""

from __future__ import annotations

import argparse

from mcugrad.cli.console import Console
from mcugrad.cli.options import add_compiled, add_data, add_weights, add_where


def configure(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    add_compiled(parser)
    add_data(parser)
    add_where(parser)
    add_weights(parser)


def run(options: argparse.Namespace, console: Console) -> int:
    """Measures on x_test where the file has it, else on x."""
    from mcugrad.data import load_data
    from mcugrad.devices import open_device
    from mcugrad.fit import score
    from mcugrad.manifest import Manifest
    from mcugrad.state import load_state

    manifest = Manifest.read(options.dir)
    data = load_data(options.data, manifest)
    with open_device(options.on, options.dir) as device:
        if options.weights:
            load_state(device, manifest, options.weights)
        value = score(device, manifest, data)
    measure = "accuracy" if manifest.classes else "mean_squared_error"
    count = len(data.measured)
    console.result({measure: value, "samples": count}, f"{measure} {value:.4f} on {count} samples")
    return 0
