"""The order of the kernel calls, and the buffers that follow from it.

Memory is decided by the order: an operator that frees more than it takes should go early,
and an update should follow its gradient at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mcugrad.ir.graph import Phase
from mcugrad.ir.tensor import Storage
from mcugrad.lower.program import KernelCall, Program

ALIGN = 4


def aligned(nbytes: int) -> int:
    """``nbytes`` rounded up to the arena's alignment."""
    return -(-nbytes // ALIGN) * ALIGN


@dataclass(frozen=True)
class Buffer:
    """Memory of the arena that is needed from step ``first`` to step ``last``, both included."""

    name: str
    nbytes: int
    first: int
    last: int


@dataclass(frozen=True)
class Schedule:
    """Calls in the order in which they run, and the arena buffers that they need.

    Attributes:
        owner: tensor -> the buffer or STATE or CONSTANT tensor whose memory it uses.
        lower_bound: the most bytes of buffers alive in one step; no arena can be smaller.
        peak_step: the index of the call at which that is so.
    """

    calls: tuple[KernelCall, ...]
    owner: Mapping[str, str]
    buffers: tuple[Buffer, ...]
    lower_bound: int
    peak_step: int

    def alive_at(self, step: int) -> list[Buffer]:
        """The buffers needed at a step, the largest first."""
        alive = [b for b in self.buffers if b.first <= step <= b.last]
        return sorted(alive, key=lambda b: (-b.nbytes, b.name))


#: How many partial orders the search keeps at a time.
_BEAM = 24


def order(program: Program) -> Schedule:
    """The order with the lowest peak that a beam search finds; the same on every host.

    Partial orders of equal length compete: the lower peak wins; then half of those kept
    have the fewest bytes alive now, and half the fewest summed over the steps, so that
    results are used, and weights updated, at once.
    """
    beam = [_Partial.start(program)]
    needs = _needs(program)
    for phases in program.phase_order():
        todo = [i for i, c in enumerate(program.calls) if c.phase in phases]
        for _ in todo:
            beam = _extended(beam, todo, needs)
    return _lifetimes(program, beam[0].calls(), beam[0].owners())


def as_written(program: Program) -> Schedule:
    """The order of the program itself, phase by phase and updates last: what a search saves on."""
    rank = {phase: i for i, phase in enumerate(Phase)}
    todo = sorted(range(len(program.calls)), key=lambda i: rank[program.calls[i].phase])
    needs = _needs(program)
    partial = _Partial.start(program)
    while todo:
        i = next(i for i in todo if needs[i] & ~partial.done == 0)
        todo.remove(i)
        partial = partial.extended(i)
    return _lifetimes(program, partial.calls(), partial.owners())


def _extended(beam: list[_Partial], todo: list[int], needs: list[int]) -> list[_Partial]:
    """The best orders that are one call longer."""
    candidates = []
    for rank, partial in enumerate(beam):
        for i in todo:
            if not partial.done >> i & 1 and needs[i] & ~partial.done == 0:
                peak, area, live = partial.cost(i)
                candidates.append((peak, area, live, rank, i))
    by_area = sorted(candidates)
    by_live = sorted(candidates, key=lambda c: (c[0], c[2], c[1], c[3:]))
    chosen: list[_Partial] = []
    seen = set()
    for pair in zip(by_area, by_live, strict=True):
        for _, _, _, rank, i in pair:
            done = beam[rank].done | 1 << i
            if done not in seen:  # the same calls in another order, and no better
                seen.add(done)
                chosen.append(beam[rank].extended(i))
        if len(chosen) >= _BEAM:
            break
    return chosen


@dataclass
class _Partial:
    """The beginning of an order, and the memory in use after it.

    Tensors that share memory by definition are one buffer; ``moved`` maps a buffer to the
    operand's buffer that it took over.
    """

    program: Program
    root: Mapping[str, str]  # tensor -> its buffer, or the STATE or CONSTANT behind it
    uses: dict[str, int]  # of a buffer of the arena, still to come
    sizes: dict[str, int]  # of the buffers alive
    moved: dict[str, str]
    done: int = 0  # a bit for each call
    live: int = 0
    peak: int = 0
    area: int = 0
    last: tuple[int, Any] | None = None  # the calls so far, linked backwards

    @classmethod
    def start(cls, program: Program) -> _Partial:
        """Nothing has run, but sample and target are there."""
        root = {name: program.root(name) for name in program.tensors}
        arena = {r for r in root.values() if program.tensors[r].storage is Storage.VALUE}
        uses = dict.fromkeys(sorted(arena), 0)
        for call in program.calls:
            for name in {root[n] for n in call.inputs if n} & arena:
                uses[name] += 1
        for name in program.outputs:  # the runtime reads them at the end
            if root[name] in arena:
                uses[root[name]] += 1
        sizes = {n: aligned(program.tensors[n].nbytes) for n in program.inputs}
        return cls(program, root, uses, sizes, {}, live=sum(sizes.values()))

    def _buffers(self, names: Iterable[str]) -> list[str]:
        """The arena buffers behind these tensors, each once."""
        roots = dict.fromkeys(self.root[n] for n in names if n)
        return list(dict.fromkeys(self._owner(r) for r in roots if r in self.uses))

    def _owner(self, buffer: str) -> str:
        while buffer in self.moved:
            buffer = self.moved[buffer]
        return buffer

    def _taken(self, call: KernelCall) -> dict[str, str]:
        """Output -> the operand's buffer that it can take over."""
        taken: dict[str, str] = {}
        for out, index in call.inplace:
            name = call.outputs[out]
            if self.root[name] != name or name in taken:
                continue
            if index >= len(call.inputs) or not call.inputs[index]:
                continue
            operand, result = (self.program.tensors[n] for n in (call.inputs[index], name))
            source = self._owner(self.root[operand.name])
            if (
                self.uses.get(source) == 1
                and operand.nbytes == result.nbytes  # a smaller one is read again and again
                and self.sizes.get(source) == aligned(result.nbytes)
                and source not in taken.values()
            ):
                taken[name] = source
        return taken

    def _effect(self, call: KernelCall) -> tuple[dict[str, str], dict[str, int], list[str]]:
        """What the call takes over, what it adds, and what dies with it."""
        taken = self._taken(call)
        new = {
            n: aligned(self.program.tensors[n].nbytes)
            for n in self._buffers(call.outputs)
            if n not in taken and n not in self.sizes
        }
        dead = [b for b in self._buffers(call.inputs) if self.uses[b] == 1]
        dead += [b for b in new if self.uses[b] == 0]
        return taken, new, [b for b in dead if b not in taken.values()]

    def cost(self, i: int) -> tuple[int, int, int]:
        """Peak, area and bytes alive once call ``i`` has run."""
        call = self.program.calls[i]
        _, new, dead = self._effect(call)
        grown = sum(new.values())
        during = self.live + grown + aligned(call.scratch)
        change = grown - sum(new.get(b, 0) or self.sizes[b] for b in dead)
        live = self.live + change
        return max(self.peak, during), self.area + live, live

    def extended(self, i: int) -> _Partial:
        """This order with call ``i`` behind it."""
        call = self.program.calls[i]
        peak, area, live = self.cost(i)
        taken, new, dead = self._effect(call)
        uses, sizes = dict(self.uses), {**self.sizes, **new}
        for buffer in self._buffers(call.inputs):
            uses[buffer] -= 1
        for name, source in taken.items():
            uses[source] += uses[name]
        for buffer in dead:
            del sizes[buffer]
        return _Partial(
            self.program,
            self.root,
            uses,
            sizes,
            {**self.moved, **taken},
            self.done | 1 << i,
            live,
            peak,
            area,
            (i, self.last),
        )

    def calls(self) -> list[KernelCall]:
        """The calls in order."""
        found = []
        link = self.last
        while link is not None:
            found.append(self.program.calls[link[0]])
            link = link[1]
        return found[::-1]

    def owners(self) -> dict[str, str]:
        """Tensor -> the buffer, STATE or CONSTANT whose memory it uses."""
        return {name: self._owner(root) for name, root in self.root.items()}


def _needs(program: Program) -> list[int]:
    """For each call, a bit for each call that must have run before it."""
    before = _prerequisites(program)
    index = {call.name: i for i, call in enumerate(program.calls)}
    return [sum(1 << index[n] for n in before[c.name]) for c in program.calls]


def _prerequisites(program: Program) -> dict[str, set[str]]:
    """The calls that must have run before each call.

    Beside the data: a STATE is written over, so whoever reads its old value comes first.
    """
    writer = {out: call.name for call in program.calls for out in call.outputs}

    def source(name: str) -> str | None:
        while name and name not in writer and name in program.views:
            name = program.views[name]
        return writer.get(name)

    before = {c.name: {s for n in c.inputs if (s := source(n)) is not None} for c in program.calls}
    for call in program.calls:
        overwritten = {program.root(out) for out in call.outputs if program.root(out) != out}
        for other in program.calls:
            if other is not call and overwritten.intersection(other.inputs):
                before[call.name].add(other.name)
    return before


def _lifetimes(program: Program, calls: list[KernelCall], owner: Mapping[str, str]) -> Schedule:
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    end = len(calls) - 1

    def touch(name: str, step: int) -> None:
        buffer = owner[name]
        if program.tensors[buffer].storage is Storage.VALUE:
            first[buffer] = min(step, first.get(buffer, step))
            last[buffer] = max(step, last.get(buffer, step))

    for name in program.inputs:  # filled in before the first call
        touch(name, 0)
    for step, call in enumerate(calls):
        for name in (*call.inputs, *call.outputs):
            if name:
                touch(name, step)
    inference = [i for i, c in enumerate(calls) if c.phase in (Phase.FORWARD, Phase.OUTPUT)]
    prediction, loss = program.outputs
    touch(prediction, inference[-1] if inference else 0)
    touch(loss, end)
    buffers = [
        Buffer(name, aligned(program.tensors[name].nbytes), first[name], last[name])
        for name in sorted(first, key=lambda n: (first[n], n))
    ]
    buffers += [
        Buffer(f"scratch:{call.name}", aligned(call.scratch), step, step)
        for step, call in enumerate(calls)
        if call.scratch
    ]
    live = [sum(b.nbytes for b in buffers if b.first <= s <= b.last) for s in range(len(calls))]
    peak = max(range(len(calls)), key=lambda s: (live[s], -s))
    return Schedule(tuple(calls), dict(owner), tuple(buffers), live[peak], peak)
