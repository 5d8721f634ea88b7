"""``mcugrad ops``: what a model may be made of."""

from __future__ import annotations

import argparse

from mcugrad.cli.console import Console, table

#: Columns of the table that say yes or no.
_CAN = ("float32", "float16", "int8", "backward")


def configure(_parser: argparse.ArgumentParser) -> None:
    """The verb takes no arguments of its own."""


def run(_options: argparse.Namespace, console: Console) -> int:
    """One line an operator of the model format: what it becomes, and what it can do."""
    from mcugrad.importers.tflite_ops import IMPORTERS
    from mcugrad.ir.tensor import DType
    from mcugrad.ops import lookup

    rows = []
    for name, row in sorted(IMPORTERS.items()):
        op = lookup(row.op)
        rows.append(
            {
                "name": name,
                "op": row.op,
                "float32": op.supports(DType.F32),
                "float16": op.supports(DType.F16),
                "int8": op.supports(DType.S8),
                "backward": op.gradient is not None,
            }
        )
    cells = [(r["name"], r["op"], *("yes" if r[k] else "no" for k in _CAN)) for r in rows]
    header = ("TFLite operator", "becomes", "float32", "float16", "int8", "backward (f32)")
    console.result({"ops": rows}, table(header, [tuple(map(str, c)) for c in cells]))
    return 0
