"""``mcugrad flash``: programs a board with the firmware."""

from __future__ import annotations

import argparse

from mcugrad.cli.console import Console
from mcugrad.cli.options import add_compiled


def configure(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    add_compiled(parser)


def run(options: argparse.Namespace, console: Console) -> int:
    """Runs the target's tool on the folder's image."""
    from mcugrad.devices.flashing import flash
    from mcugrad.manifest import Manifest
    from mcugrad.targets import find_target

    manifest = Manifest.read(options.dir)
    image = options.dir / "firmware.bin"
    console.detail(flash(find_target(manifest.target), image))
    document = {"target": manifest.target, "bytes": image.stat().st_size}
    console.result(document, f"{document['bytes']} bytes programmed")
    return 0
