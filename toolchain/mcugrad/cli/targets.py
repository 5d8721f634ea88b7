"""``mcugrad targets``: what can be compiled for."""

from __future__ import annotations

import argparse

from mcugrad.cli.console import Console, table


def configure(_parser: argparse.ArgumentParser) -> None:
    """The verb takes no arguments of its own."""


def run(_options: argparse.Namespace, console: Console) -> int:
    """One line a target."""
    from mcugrad.targets import targets

    document = [
        {
            "name": t.name,
            "description": t.description,
            "sram": t.ram_bytes,
            "flash": t.flash_bytes,
            "emulator": list(t.emulator.command) if t.emulator else None,
        }
        for t in targets().values()
    ]
    rows = [
        (t.name, str(t.ram_bytes or ""), str(t.flash_bytes or ""), t.description)
        for t in targets().values()
    ]
    console.result(
        {"targets": document}, table(("target", "SRAM, bytes", "flash, bytes", ""), rows)
    )
    return 0
