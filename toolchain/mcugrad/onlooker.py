"""Who is told what goes on during long work."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol


class Onlooker(Protocol):
    """Who is told what goes on; the command line's console is one."""

    def note(self, text: str) -> None:
        """What begins now."""

    def progress(
        self, title: str, total: int
    ) -> AbstractContextManager[Callable[[int, str], None]]:
        """A bar; what it yields is called with how far the work is, and a word."""
