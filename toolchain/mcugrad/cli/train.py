"""``mcugrad train``: streams samples to a device, which learns from them."""

from __future__ import annotations

import argparse
from pathlib import Path

from mcugrad.cli.console import Console
from mcugrad.cli.options import (
    add_compiled,
    add_data,
    add_weights,
    add_where,
    positive_int,
    rate,
    seed,
)


def configure(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    add_compiled(parser)
    add_data(parser)
    add_where(parser)
    add_weights(parser)
    parser.add_argument(
        "--save", type=Path, metavar="W.npz", help="write what was learned (default: it is lost)"
    )
    parser.add_argument("--epochs", type=positive_int, default=1)
    parser.add_argument("--lr", type=rate, help="learning rate (default: as compiled)")
    parser.add_argument(
        "--schedule",
        choices=("constant", "cosine"),
        default="constant",
        help="of the learning rate; cosine takes it to zero (default: constant)",
    )
    parser.add_argument("--momentum", type=rate, help="(default: as compiled)")
    parser.add_argument("--weight-decay", type=rate, help="(default: as compiled)")
    parser.add_argument("--seed", type=seed, default=0, help="of the order of the samples")


def run(options: argparse.Namespace, console: Console) -> int:
    """Measures, trains, and measures again."""
    from mcugrad.cli.remarks import warn_of_stack
    from mcugrad.data import load_data
    from mcugrad.devices import open_device
    from mcugrad.errors import UsageError
    from mcugrad.fit import Hyper, Schedule, annealing, fit, score, set_hyper, skipped_steps
    from mcugrad.manifest import Manifest
    from mcugrad.state import load_state, save_state

    manifest = Manifest.read(options.dir)
    if not manifest.learning:
        raise UsageError(f"nothing learns in {options.dir}: it was compiled with --update none")
    data = load_data(options.data, manifest)
    with open_device(options.on, options.dir) as device:
        if options.weights:
            load_state(device, manifest, options.weights)
        set_hyper(device, manifest, Hyper(options.lr, options.momentum, options.weight_decay))
        before = score(device, manifest, data)
        skipped = skipped_steps(device, manifest)
        total = options.epochs * len(data.train)
        with console.progress("training", total) as advance:
            outcome = fit(
                device,
                data.train,
                options.epochs,
                options.seed,
                lambda done, loss: advance(done, f"loss {loss:.4f}"),
                anneal=annealing(device, manifest, Schedule(options.schedule)),
            )
        skipped = skipped_steps(device, manifest) - skipped
        after = score(device, manifest, data)
        statistics = device.statistics()
        if options.save:
            save_state(device, manifest, options.save)
    measure = "accuracy" if manifest.classes else "mean squared error"
    document = {
        f"{measure.replace(' ', '_')}_before": before,
        f"{measure.replace(' ', '_')}_after": after,
        "measured_on": "x_test" if data.test is not None else "x",
        "loss": outcome.loss,
        "steps": outcome.steps,
        "refused_steps": outcome.refused,
        "skipped_steps": skipped,
        "instructions_step": statistics.step,
        "stack_used": statistics.stack_used,
        "sram": manifest.sram,
        "flash": manifest.flash,
    }
    where = "the test samples" if data.test is not None else "the training samples (no x_test)"
    text = (
        f"{measure} on {where}: {before:.4f} before, {after:.4f} after "
        f"{outcome.steps} steps (loss {outcome.loss:.4f})"
    )
    if outcome.refused:
        text += f"\n{outcome.refused} steps were refused: loss or gradient not finite"
    if skipped:
        text += f"\n{skipped} steps were skipped: gradients overflowed under the scale of the loss"
    console.result(document, text)
    warn_of_stack(console, statistics)
    return 0
