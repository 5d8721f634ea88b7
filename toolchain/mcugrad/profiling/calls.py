"""Cuts what ran in the emulator into the kernel calls of an inference or a training step.

What runs between two calls, such as looking for gradients that are not finite, belongs to the
second of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import takewhile
from typing import Protocol

from mcugrad.errors import CheckFailedError
from mcugrad.image import Code
from mcugrad.ir.graph import Phase
from mcugrad.profiling.counting import Segment


class Entry(StrEnum):
    """The functions of the runtime that call kernels."""

    INFER = "mg_infer"
    STEP = "mg_train_step"

    @property
    def phases(self) -> frozenset[Phase]:
        """What runs in it."""
        if self is Entry.INFER:
            return frozenset({Phase.FORWARD, Phase.OUTPUT})
        return frozenset(Phase) - {Phase.OUTPUT}


#: The link calls it right after the entry that it measures.
_END = "mg_port_count"
#: The generated file that calls kernels, and the runtime's that calls it.
_DRIVERS = "model.c"


class Call(Protocol):
    """A kernel call, in a plan or in a manifest."""

    @property
    def symbol(self) -> str:
        """The C function."""

    @property
    def phase(self) -> str:
        """When it runs."""


@dataclass(frozen=True)
class Work:
    """What ran in one entry: all of it, and the part of each call in order."""

    segments: Sequence[Segment]
    calls: Sequence[Sequence[Segment]]


def marks(code: Code, calls: Iterable[Call]) -> Iterator[range]:
    """Where segments begin: at kernels, in what calls them, and where the counter is read."""
    for name in dict.fromkeys((*(c.symbol for c in calls), _END)):
        start = code.functions[name].start
        yield range(start, start + 1)
    yield from (*(code.functions[e] for e in Entry), *code.local[_DRIVERS])


def cut(segments: Sequence[Segment], code: Code, entry: Entry, calls: Iterable[Call]) -> Work:
    """The last run of ``entry``, cut into those of ``calls`` that it makes.

    Raises:
        CheckFailedError: it made others, or none.
    """
    expected = [c.symbol for c in calls if c.phase in entry.phases]
    start = max(
        (i for i, s in enumerate(segments) if s.address == code.functions[entry].start),
        default=len(segments),
    )
    end = code.functions[_END].start  # of the last run not written, as no mark follows it
    run = list(takewhile(lambda s: s.address != end, segments[start:]))
    try:
        return Work(run, of_calls(run, code, expected))
    except CheckFailedError as error:
        raise CheckFailedError(f"{entry}: {error}") from error


def of_calls(run: Iterable[Segment], code: Code, expected: Sequence[str]) -> list[list[Segment]]:
    """What ran in each of the ``expected`` kernels' calls, in order.

    Raises:
        CheckFailedError: other calls were made.
    """
    kernels = {code.functions[name].start: name for name in expected}
    found: list[str] = []
    taken: list[list[Segment]] = []
    between: list[Segment] = []
    inside = False
    for segment in run:
        if segment.address not in kernels:
            between.append(segment)
            inside = False
        elif inside:  # a kernel that another one calls
            taken[-1].append(segment)
        else:
            found.append(kernels[segment.address])
            taken.append([*between, segment])
            between = []
            inside = True
    if found != expected:
        raise CheckFailedError("the firmware's calls are not those of the plan")
    return taken
