"""Where every buffer of a schedule lies: in which region of memory, and where in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mcugrad.ir.tensor import Storage
from mcugrad.lower.program import Program
from mcugrad.plan.order import Buffer, Schedule, aligned
from mcugrad.plan.regions import Item, assign

#: How often buffers are shared out anew, because packing left gaps in a region.
_ROUNDS = 8


@dataclass(frozen=True)
class Region:
    """Memory that a plan may use: ``capacity`` bytes of it; None: no limit."""

    name: str
    capacity: int | None = None


@dataclass(frozen=True)
class Block:
    """What a plan uses of a region, in bytes: STATE tensors first, the arena behind them."""

    region: Region
    state_bytes: int
    arena_bytes: int

    @property
    def total_bytes(self) -> int:
        """Bytes of the whole block."""
        return self.state_bytes + self.arena_bytes

    @property
    def missing_bytes(self) -> int:
        """Bytes that the region has too few."""
        capacity = self.region.capacity
        return 0 if capacity is None else max(0, self.total_bytes - capacity)


@dataclass(frozen=True)
class Place:
    """A number of bytes from the start of a block."""

    block: int
    offset: int


@dataclass(frozen=True)
class MemoryPlan:
    """Places of everything that lives in the blocks of memory that the caller gives.

    ``places`` are keyed by buffer, STATE tensor or "scratch:<call>". There is a block for each
    region up to the last one that is used; a plan that is ``missing_bytes`` cannot run.
    """

    program: Program
    schedule: Schedule
    places: Mapping[str, Place]
    blocks: tuple[Block, ...]

    @property
    def state_bytes(self) -> int:
        """Bytes of the STATE."""
        return sum(b.state_bytes for b in self.blocks)

    @property
    def arena_bytes(self) -> int:
        """Bytes of everything else."""
        return sum(b.arena_bytes for b in self.blocks)

    @property
    def total_bytes(self) -> int:
        """Bytes of all blocks."""
        return self.state_bytes + self.arena_bytes

    @property
    def missing_bytes(self) -> int:
        """Bytes that the regions have too few."""
        return sum(b.missing_bytes for b in self.blocks)

    def need(self, available: int) -> int:
        """Bytes with which it could run: what it takes; else those ``available`` and missing."""
        return available + self.missing_bytes if self.missing_bytes else self.total_bytes

    @property
    def constant_bytes(self) -> int:
        """Bytes of the constants in flash, with the initial content of the state."""
        used = {n for c in self.schedule.calls for n in (*c.inputs, *c.outputs) if n}
        used -= self.program.starts.keys()  # which are made of other constants, or drawn
        return sum(
            t.nbytes
            for name, t in self.program.tensors.items()
            if t.data is not None and name in used
        )

    def place_of(self, tensor: str) -> Place | None:
        """A tensor's place; None for a CONSTANT."""
        return self.places.get(self.schedule.owner[tensor])


def place(
    program: Program, schedule: Schedule, regions: Sequence[Region] = (Region("memory"),)
) -> MemoryPlan:
    """Shares STATE and buffers out to the regions, named in the order of preference.

    What the first region holds stays there. Else the choice is :func:`assign`'s, with less
    than the capacity where packing left gaps.
    """
    state = [n for n, t in program.tensors.items() if t.storage is Storage.STATE]
    items = _items(program, schedule, state)
    plan = _packed(program, schedule, regions, dict.fromkeys(items, 0))
    if len(regions) == 1 or not plan.missing_bytes:
        return plan
    limits = [plan.total_bytes if r.capacity is None else max(0, r.capacity) for r in regions]
    least = max(0, plan.state_bytes + schedule.lower_bound - sum(limits))
    found = []
    for _ in range(_ROUNDS):
        chosen = dict(zip(items, assign(list(items.values()), limits), strict=True))
        found.append(_packed(program, schedule, regions, chosen))
        if found[-1].missing_bytes <= least:
            break
        for i, block in enumerate(found[-1].blocks):
            limits[i] = max(0, limits[i] - block.missing_bytes)
    return min(found, key=lambda p: p.missing_bytes)


def _items(program: Program, schedule: Schedule, state: Sequence[str]) -> dict[str, Item]:
    """What is to be placed, with its traffic: the bytes of every operand of every call."""
    traffic: dict[str, int] = {}
    for call in schedule.calls:
        for name in filter(None, (*call.inputs, *call.outputs)):
            owner = schedule.owner[name]
            traffic[owner] = traffic.get(owner, 0) + program.tensors[name].nbytes
        traffic[f"scratch:{call.name}"] = 2 * call.scratch  # written and read
    end = len(schedule.calls) - 1
    items = {n: Item(aligned(program.tensors[n].nbytes), 0, end, traffic.get(n, 0)) for n in state}
    return items | {
        b.name: Item(b.nbytes, b.first, b.last, traffic.get(b.name, 0)) for b in schedule.buffers
    }


def _packed(
    program: Program, schedule: Schedule, regions: Sequence[Region], chosen: Mapping[str, int]
) -> MemoryPlan:
    """Lays out each region: the STATE tensors one after the other, the buffers packed behind.

    Gathered gradients come last in the state, to be cleared at one go.
    """
    places: dict[str, Place] = {}
    blocks = []
    state = [n for n, t in program.tensors.items() if t.storage is Storage.STATE]
    state.sort(key=lambda n: n in program.accumulators)
    for number, region in enumerate(regions[: max(chosen.values(), default=0) + 1]):
        position = 0
        for name in (n for n in state if chosen[n] == number):
            places[name] = Place(number, position)
            position += aligned(program.tensors[name].nbytes)
        buffers = [b for b in schedule.buffers if chosen[b.name] == number]
        offsets, arena_bytes = _pack(buffers)
        places |= {name: Place(number, position + offset) for name, offset in offsets.items()}
        blocks.append(Block(region, position, arena_bytes))
    return MemoryPlan(program, schedule, places, tuple(blocks))


def _pack(buffers: Sequence[Buffer]) -> tuple[dict[str, int], int]:
    """Offsets of buffers, and the bytes that they take together.

    The quickest allocator comes first; the next is tried while the result is above the lower
    bound. One thread: which of several finds its solution first is not the same every time.
    """
    from omnimalloc import Allocation, allocate
    from omnimalloc.allocators import OmniAllocator, SupermallocAllocator

    if not buffers:
        return {}, 0
    steps = {b.first for b in buffers}  # the most bytes are alive where a buffer begins
    bound = max(sum(b.nbytes for b in buffers if b.first <= s <= b.last) for s in steps)
    wanted = [Allocation(b.name, b.nbytes, b.first, b.last + 1) for b in buffers]
    found = []
    for allocator in (OmniAllocator(), SupermallocAllocator(num_threads=1)):
        offsets = {str(a.id): int(a.offset or 0) for a in allocate(wanted, allocator)}
        found.append((max(offsets[b.name] + b.nbytes for b in buffers), offsets))
        if found[-1][0] == bound:
            break
    size, best = min(found, key=lambda pair: pair[0])
    return best, size
