"""``mcugrad parity``: does a device compute what the golden model computes."""

from __future__ import annotations

import argparse
from pathlib import Path

from mcugrad.cli.console import Console
from mcugrad.cli.options import add_compiled, add_where, positive_int, seed


def configure(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    add_compiled(parser)
    add_where(parser)
    parser.add_argument("--steps", type=positive_int, default=3, help="training steps")
    parser.add_argument("--seed", type=seed, default=0, help="of the samples, if none are given")
    parser.add_argument("--data", type=Path, metavar="D.npz", help="samples x and y to use")


def run(options: argparse.Namespace, console: Console) -> int:
    """Compares every tensor of every step; exits 1 beyond the bound."""
    from mcugrad.compiler import GRAPH
    from mcugrad.data import load_data, random_samples
    from mcugrad.devices import open_device
    from mcugrad.golden.interpreter import Trainer
    from mcugrad.ir.serial import load_training_graph
    from mcugrad.manifest import Manifest
    from mcugrad.parity import compare, report

    manifest = Manifest.read(options.dir)
    golden = Trainer(load_training_graph(options.dir / GRAPH))
    if options.data is not None:
        samples = load_data(options.data, manifest).train
    else:
        samples = random_samples(manifest, options.steps, options.seed)
    pairs = [
        (samples.x[i % len(samples)], samples.y[i % len(samples)]) for i in range(options.steps)
    ]
    found = []
    with (
        open_device(options.on, options.dir) as device,
        console.progress("parity", options.steps) as advance,
    ):
        for step in compare(device, golden, manifest, pairs):
            found.append(step)
            worst = step.worst
            advance(len(found), f"{worst.tensor} {worst.error:.2e}")
            console.detail(f"step {worst.step}: worst {worst.tensor}, error {worst.error:.3e}")
    outcome = report(found)
    console.result(outcome.document(), str(outcome))
    return 0 if outcome.ok else 1
