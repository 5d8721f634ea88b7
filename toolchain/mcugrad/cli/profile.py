"""``mcugrad profile``: what each operator of a compiled model costs on its target."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from mcugrad.cli.console import Console, table
from mcugrad.cli.options import add_compiled, seed

if TYPE_CHECKING:
    from mcugrad.profiling.profile import Cost, Profile

_LONGEST_NAME = 40
_CYCLES = "cycles, est."
_HEADER = ("products", "instructions", "per product", _CYCLES)


def configure(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    add_compiled(parser)
    parser.add_argument("--seed", type=seed, default=0, help="of the sample")


def run(options: argparse.Namespace, console: Console) -> int:
    """Counts one inference and one training step with a random sample."""
    from mcugrad.data import random_samples
    from mcugrad.manifest import Manifest
    from mcugrad.profiling.profile import profile
    from mcugrad.targets import find_target

    manifest = Manifest.read(options.dir)
    sample = random_samples(manifest, 1, options.seed)
    found = profile(options.dir, sample.x[0], sample.y[0])
    for op in found.ops:
        console.detail(f"{op.call.name}: {op.call.symbol}")
    cores = find_target(manifest.target).cores
    document = {
        "target": manifest.target,
        "cores": cores,
        "infer": found.infer.document(),
        "step": found.step.document(),
        "ops": [op.document() for op in found.ops],
        "other": found.other,
        "cycles_from": found.timing,
    }
    text = _text(found)
    if cores > 1:
        text += f"\ncounted: the first of {cores} cores, with what it spends on waiting"
    console.result(document, text)
    return 0


def _text(found: Profile) -> str:
    header = ["name", "operator", "pass", *_HEADER, "bytes", "share"]
    rows = [
        [
            _short(op.call.name),
            op.call.op,
            op.call.phase,
            *_numbers(op.cost),
            f"{op.call.bytes:,}",
            f"{100 * op.share:.1f} %",
        ]
        for op in found.ops
    ]
    rest = f"{100 * found.other / found.step.instructions:.1f} %"
    rows.append(["after the last operator", "", "", "", f"{found.other:,}", "", "", "", rest])
    rows.append(["training step", "", "", *_numbers(found.step), "", ""])
    rows.append(["inference", "", "", *_numbers(found.infer), "", ""])
    if found.timing is None:
        column = header.index(_CYCLES)
        header, rows = _without(column, header), [_without(column, row) for row in rows]
        return table(header, rows)
    return f"{table(header, rows)}\ncycles: an estimate by the {found.timing}; no wait states"


def _numbers(cost: Cost) -> list[str]:
    return [
        f"{cost.products:,}" if cost.products else "",
        f"{cost.instructions:,}",
        f"{cost.per_product:.2f}" if cost.per_product else "",
        f"{cost.cycles:,}" if cost.cycles is not None else "",
    ]


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else "..." + name[3 - _LONGEST_NAME :]


def _without(column: int, row: list[str]) -> list[str]:
    return row[:column] + row[column + 1 :]
