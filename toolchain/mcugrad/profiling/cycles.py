"""An estimate of cycles, from the timing table that the core's manual publishes.

Each instruction takes what the table says of its class. A load or store of one register that
follows another takes one cycle, for the two are pipelined; a branch that is taken refills the
pipeline. Memory has no wait states, and the middle stands where the manual gives a range. So
the figure is an estimate; only a board has cycles.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mcugrad.errors import UsageError
from mcugrad.image import Code
from mcugrad.profiling.counting import Block, Segment
from mcugrad.profiling.thumb import Instruction, Kind, instructions
from mcugrad.resources import data_root
from mcugrad.targets import Target

FILE = "cycles.toml"

_SINGLE = {Kind.LOAD, Kind.STORE, Kind.FLOAT_LOAD, Kind.FLOAT_STORE}


@dataclass(frozen=True)
class Timing:
    """A timing table: cycles of each class, first and for each register that is moved."""

    source: str
    refill: int
    cycles: Mapping[Kind, tuple[int, int]]

    def instruction(self, instruction: Instruction, before: Instruction | None) -> int:
        """Cycles of an instruction that comes after ``before``."""
        if before is not None and {instruction.kind, before.kind} <= _SINGLE:
            return 1
        first, more = self.cycles[instruction.kind]
        return first + more * instruction.registers


class Estimate:
    """Estimates the cycles of what ran of a firmware."""

    def __init__(self, timing: Timing, code: Code) -> None:
        self.timing = timing
        self._code = code
        self._blocks: dict[Block, int] = {}

    def cycles(self, segments: Iterable[Segment]) -> int:
        """Cycles of all these segments."""
        return sum(
            runs.count * self._block(block) + runs.taken * self.timing.refill
            for segment in segments
            for block, runs in segment.blocks.items()
        )

    def _block(self, block: Block) -> int:
        if block not in self._blocks:
            total, before = 0, None
            for instruction in instructions(self._code.at(block.address), block.instructions):
                total += self.timing.instruction(instruction, before)
                before = instruction
            self._blocks[block] = total
        return self._blocks[block]


def timing_of(target: Target) -> Timing | None:
    """The timing table of the target's core; None where its manual has none.

    Raises:
        UsageError: the table cannot be read.
    """
    if target.cycles is None:
        return None
    path = data_root() / "targets" / target.cycles / FILE
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        cycles = {Kind(k): (int(first), int(more)) for k, (first, more) in table["cycles"].items()}
        return Timing(str(table["source"]), int(table["refill"]), cycles)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"cannot read {path}: {error}") from error
