"""Where every buffer of a schedule lies in the arena."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mcugrad.ir.tensor import Storage
from mcugrad.lower.program import Program
from mcugrad.plan.order import Schedule, aligned

#: Allocators of omnimalloc, the quickest first; the next is tried while the arena is
#: above its lower bound. All are deterministic.
_ALLOCATORS = ("omni", "supermalloc")


@dataclass(frozen=True)
class MemoryPlan:
    """Offsets of everything that lives in the block of memory that the caller gives.

    The block begins with the STATE (``state_bytes``); the arena follows. ``offsets`` are
    from the block's start, keyed by buffer, STATE tensor or "scratch:<call>".
    """

    program: Program
    schedule: Schedule
    offsets: Mapping[str, int]
    state_bytes: int
    arena_bytes: int

    @property
    def total_bytes(self) -> int:
        """Bytes of the whole block."""
        return self.state_bytes + self.arena_bytes

    @property
    def constant_bytes(self) -> int:
        """Bytes of the constants in flash, with the initial content of the state."""
        used = {n for c in self.schedule.calls for n in (*c.inputs, *c.outputs) if n}
        used -= self.program.merges.keys()  # which start as part of a constant
        return sum(
            t.nbytes
            for name, t in self.program.tensors.items()
            if t.data is not None and name in used
        )

    def offset_of(self, tensor: str) -> int | None:
        """A tensor's place in the block; None for a CONSTANT."""
        return self.offsets.get(self.schedule.owner[tensor])


def place(program: Program, schedule: Schedule) -> MemoryPlan:
    """Places the STATE tensors one after the other and packs the buffers behind them.

    Gathered gradients come last in the state, to be cleared at one go.
    """
    offsets: dict[str, int] = {}
    position = 0
    state = [n for n, t in program.tensors.items() if t.storage is Storage.STATE]
    for name in sorted(state, key=lambda n: n in program.accumulators):
        offsets[name] = position
        position += aligned(program.tensors[name].nbytes)
    state_bytes = position
    packed, arena_bytes = _pack(schedule)
    offsets |= {name: state_bytes + offset for name, offset in packed.items()}
    return MemoryPlan(program, schedule, offsets, state_bytes, arena_bytes)


def _pack(schedule: Schedule) -> tuple[dict[str, int], int]:
    from omnimalloc import Allocation, allocate

    wanted = [Allocation(b.name, b.nbytes, b.first, b.last + 1) for b in schedule.buffers]
    found = []
    for allocator in _ALLOCATORS:
        offsets = {str(a.id): int(a.offset or 0) for a in allocate(wanted, allocator)}
        found.append((max(offsets[b.name] + b.nbytes for b in schedule.buffers), offsets))
        if found[-1][0] == schedule.lower_bound:
            break
    size, best = min(found, key=lambda pair: pair[0])
    return best, size
