"""Remarks that several verbs make."""

from __future__ import annotations

from mcugrad.cli.console import Console
from mcugrad.devices.base import Statistics


def warn_of_stack(console: Console, statistics: Statistics) -> None:
    """That the stack is used up, where it is: nothing says how far it went beyond."""
    size = statistics.stack_bytes
    if size is not None and size == statistics.stack_used:
        console.note(
            f"warning: the stack of {size} bytes was used to its last one, and what lies below "
            "may be spoilt: compile again with a larger --stack"
        )
