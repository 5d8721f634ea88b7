"""``mcugrad doctor``: what is missing on this computer, and how to get it."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from mcugrad.cli.console import Console, table


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's arguments."""
    parser.add_argument(
        "--build", action="store_true", help="first compile the extensions of emulators"
    )


def run(options: argparse.Namespace, console: Console) -> int:
    """One line a tool; exits 5 when something is missing that compiling needs."""
    from mcugrad.doctor import build_extensions, examine

    if options.build:
        build_extensions()
    findings = examine()
    rows = [
        (
            "ok" if f.version else ("MISSING" if f.needed else "absent"),
            f.name,
            f.purpose,
            f.version or f.install,
        )
        for f in findings
    ]
    document = {"tools": [asdict(f) for f in findings]}
    console.result(document, table(("", "tool", "for", "version, or how to install it"), rows))
    return 5 if any(f.needed and f.version is None for f in findings) else 0
