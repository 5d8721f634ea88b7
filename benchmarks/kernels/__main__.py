"""Prints instructions per product of every kernel on every target, beside peers'.

Every pass of 27 layers in three combinations of types, and in half precision on cores that have
kernels for it, is compared with the reference and counted in the emulator, padding and packing
included; a cell is forward / weight gradient / input gradient. A second table says how many times
the instructions of f16 f32 takes in all three passes. Ends with 1 where a result is wrong.
With --frozen, the kernels that read frozen weights in a layout of their own.

Run: python -m benchmarks.kernels [--target NAME ...] [--layer TEXT] [--frozen] [--json FILE]
     [--record]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.kernels import baseline
from benchmarks.kernels.layers import LAYERS, Pass, Types
from benchmarks.kernels.peers import PEERS
from benchmarks.kernels.sweep import Result, sweep
from mcugrad.cli.console import table

#: One of each core.
TARGETS = (
    "cortex-m0plus",
    "cortex-m3",
    "cortex-m4",
    "cortex-m7",
    "cortex-m33",
    "cortex-m55",
    "rv32imc",
    "rv32imfc",
    "rv32-rvv",
    "rv32-xfvec",
)


def cell(result: Result) -> str:
    """A figure of the table."""
    if result.measured is None:
        return "-"
    figure = f"{result.per_product:.2f}"
    return figure if result.measured.worst.ok else f"WRONG {figure}"


def text(results: Sequence[Result]) -> str:
    """One table for all targets."""
    targets = list(dict.fromkeys(r.target for r in results))
    layers = list(dict.fromkeys(r.layer for r in results))
    cells = {(r.target, r.layer, r.types, r.what): cell(r) for r in results}

    def row(target: str, layer: str, types: Types) -> str:
        passes = [cells.get((target, layer, types, what), "") for what in Pass]
        return " / ".join(figure or "none" for figure in passes) if any(passes) else ""

    rows = [
        [layer, types, *figures, PEERS.get((layer, types), "")]
        for layer in layers
        for types in Types
        if any(figures := [row(target, layer, types) for target in targets])
    ]
    return table(("layer", "types", *targets, "peers"), rows)


def ratios(results: Sequence[Result]) -> str:
    """How many times the instructions of f16 f32 takes for all passes of a layer, by target."""
    totals: dict[tuple[str, str, Types], list[int | None]] = {}
    for r in results:
        instructions = r.measured.instructions if r.measured else None
        totals.setdefault((r.layer, r.target, r.types), []).append(instructions)

    def ratio(layer: str, target: str) -> str:
        single, half = (totals[layer, target, types] for types in (Types.F32, Types.F16))
        whole = [sum(n for n in passes if n is not None) for passes in (single, half)]
        return "-" if None in (*single, *half) else f"{whole[0] / whole[1]:.2f}"

    targets = list(dict.fromkeys(r.target for r in results if r.types is Types.F16))
    layers = list(dict.fromkeys(r.layer for r in results))
    rows = [[layer, *(ratio(layer, target) for target in targets)] for layer in layers]
    return table(("f32 over f16", *targets), rows) if targets else ""


def main() -> int:
    """Measures, prints, writes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--target", action="append", help=f"default: {', '.join(TARGETS)}")
    parser.add_argument("--layer", default="", help="only layers whose name holds this")
    parser.add_argument("--frozen", action="store_true", help="weights that do not learn")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there")
    parser.add_argument("--record", action="store_true", help="record the targets' baseline anew")
    options = parser.parse_args()
    unknown = set(options.target or ()) - set(baseline.TARGETS)
    if options.record and unknown:
        parser.error(f"there is no baseline of {', '.join(unknown)}")
    layers = [layer for layer in LAYERS if options.layer in layer.name]
    results: list[Result] = []
    for target in options.target or (baseline.TARGETS if options.record else TARGETS):
        print(target, file=sys.stderr, flush=True)
        results += (
            baseline.measured(target)
            if options.record
            else sweep(target, layers, frozen=options.frozen)
        )
    print(text([r for r in results if r.frozen == options.frozen]))
    if not options.record and not options.frozen:  # which have not all types and passes
        print(ratios(results))
    if options.json is not None:
        documents = [r.document() for r in results]
        options.json.write_text(json.dumps(documents, indent=1) + "\n", encoding="utf-8")
    wrong = [r for r in results if r.measured is not None and not r.measured.worst.ok]
    for result in wrong:
        print(f"wrong on {result.target}: {result.key}: {result.measured}", file=sys.stderr)
    if options.record and not wrong:
        baseline.record(results)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
