"""``mcugrad demo``: a small model learns something new inside an emulated microcontroller."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcugrad.cli.compile_verb import memory_table
from mcugrad.cli.console import Console, table
from mcugrad.cli.options import positive_int, seed

if TYPE_CHECKING:
    from mcugrad.demo import Change, Plan, Result


def configure(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    parser.add_argument(
        "--target", default="cortex-m4", metavar="NAME", help="(default: cortex-m4)"
    )
    parser.add_argument(
        "--on",
        default="emulator",
        choices=("emulator", "host"),
        help="the target's emulator, or this computer (default: emulator)",
    )
    parser.add_argument("--epochs", type=positive_int, default=2, help="(default: 2)")
    parser.add_argument(
        "--samples", type=positive_int, metavar="N", help="training images (default: all 1197)"
    )
    parser.add_argument("--seed", type=seed, default=0, help="of the order of the images")
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="keep the compiled model and the data here"
    )


def run(options: argparse.Namespace, console: Console) -> int:
    """Compiles, trains, measures; exits 1 where the device disagrees with the golden model."""
    from mcugrad.demo import TURNED, Plan, demonstrate

    plan = Plan(options.target, options.on, options.epochs, options.samples, options.seed)
    with tempfile.TemporaryDirectory(prefix="mcugrad-") as scratch:
        folder = options.keep or Path(scratch) / "demo"
        result = demonstrate(plan, folder, console)
    console.result(_document(plan, result), _text(plan, result))
    if options.keep:
        console.note(
            f"kept in {folder}; to go on: "
            f"mcugrad train {folder} --data {folder / TURNED} --on {plan.on}"
        )
    return 0 if result.parity.ok else 1


def _document(plan: Plan, result: Result) -> dict[str, Any]:
    manifest, statistics = result.manifest, result.statistics
    return {
        "model": manifest.model,
        "target": manifest.target,
        "on": plan.on,
        "update": manifest.update,
        "accuracy_before": result.turned.before,
        "accuracy_after": result.turned.after,
        "upright_before": result.upright.before,
        "upright_after": result.upright.after,
        "tested": result.tested,
        "loss": result.outcome.loss,
        "steps": result.outcome.steps,
        "refused_steps": result.outcome.refused,
        "sram": manifest.sram | {"stack_used": statistics.stack_used},
        "flash": manifest.flash,
        "infer": {"instructions": statistics.infer},
        "step": {"instructions": statistics.step},
        "parity": result.parity.document(),
    }


def _text(plan: Plan, result: Result) -> str:
    manifest, statistics = result.manifest, result.statistics

    def row(what: str, change: Change) -> tuple[str, str, str]:
        return what, f"{change.before:.1%}", f"{change.after:.1%}"

    parts = [
        f"{manifest.model} on {manifest.target} ({plan.on}): {manifest.update} learned from "
        f"{result.outcome.steps} samples",
        table(
            (f"accuracy on {result.tested} held-out images", "before", "after"),
            [
                row("digits turned by a quarter, the new situation", result.turned),
                row("upright digits, the old one", result.upright),
            ],
        ),
        memory_table(manifest, statistics.stack_used),
    ]
    if statistics.step is not None:
        parts.append(
            table(
                ("work", "instructions"),
                [
                    ("one inference", f"{statistics.infer:,}"),
                    ("one training step", f"{statistics.step:,}"),
                ],
            )
        )
    return "\n\n".join([*parts, str(result.parity)])
