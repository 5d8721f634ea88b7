"""What the command line prints: results on stdout, all else on stderr."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite
from typing import Any

#: Called with how far the work is and a word about it, such as the loss.
Advance = Callable[[int, str], None]


@dataclass(frozen=True)
class Console:
    """Where a verb's words go. ``rich`` is imported only where a table or bar is drawn."""

    json: bool = False
    quiet: bool = False
    verbose: bool = False

    def result(self, document: Mapping[str, Any], text: str) -> None:
        """The result: the document with ``--json``, else the text."""
        print(json.dumps(_finite(document), indent=1) if self.json else text, flush=True)

    def note(self, text: str) -> None:
        """A remark on what is going on."""
        if not self.quiet:
            print(text, file=sys.stderr, flush=True)

    def detail(self, text: str) -> None:
        """A remark for ``--verbose`` alone."""
        if self.verbose:
            print(text, file=sys.stderr, flush=True)

    def error(self, text: str) -> None:
        """What went wrong."""
        print(f"mcugrad: error: {text}", file=sys.stderr, flush=True)

    @contextmanager
    def progress(self, title: str, total: int) -> Iterator[Advance]:
        """A progress bar on a terminal; nothing elsewhere."""
        if self.quiet or not sys.stderr.isatty():
            yield lambda _done, _word: None
            return
        from rich.console import Console as RichConsole
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[word]}"),
        )
        with Progress(*columns, console=RichConsole(stderr=True), transient=True) as bar:
            task = bar.add_task(title, total=total, word="")
            yield lambda done, word: bar.update(task, completed=done, word=word)


def _finite(value: Any) -> Any:
    """``value`` with numbers that JSON cannot hold, NaN and infinity, as null."""
    if isinstance(value, Mapping):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns aligned with spaces: text to the left, numbers to the right."""
    cells = [list(header), *[list(r) for r in rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]

    def numeric(text: str) -> bool:
        return re.fullmatch(r"[-+]?[\d.,]+( ?%)?", text) is not None

    def line(row: Sequence[str]) -> str:
        padded = (
            c.rjust(w) if numeric(c) else c.ljust(w) for c, w in zip(row, widths, strict=True)
        )
        return "  ".join(padded).rstrip()

    rule = "  ".join("-" * w for w in widths)
    return "\n".join([line(cells[0]), rule, *map(line, cells[1:])])
