"""The order of the kernel calls, and the buffers that follow from it.

Memory is decided by the order: an operator that frees more than it takes should go early,
and an update should follow its gradient at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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
    beam = [_Partial.start(_Problem.of(program))]
    for phases in program.phase_order():
        now = _bits(i for i, c in enumerate(program.calls) if c.phase in phases)
        for _ in range(now.bit_count()):
            beam = _extended(beam, now)
    return _lifetimes(program, beam[0].calls(), beam[0].owners())


def as_written(program: Program) -> Schedule:
    """The order of the program itself, phase by phase and updates last: what a search saves on."""
    rank = {phase: i for i, phase in enumerate(Phase)}
    todo = sorted(range(len(program.calls)), key=lambda i: rank[program.calls[i].phase])
    partial = _Partial.start(_Problem.of(program))
    while todo:
        i = next(i for i in todo if partial.ready >> i & 1)
        todo.remove(i)
        partial = partial.extended(partial.step(i))
    return _lifetimes(program, partial.calls(), partial.owners())


def _extended(beam: list[_Partial], now: int) -> list[_Partial]:
    """The best orders that are longer by one of the calls ``now``, given as a bit for each."""
    steps = [(rank, p.step(i)) for rank, p in enumerate(beam) for i in _members(p.ready & now)]
    by_area = sorted(steps, key=lambda s: (s[1].peak, s[1].area, s[1].live, s[0], s[1].call))
    by_live = sorted(by_area, key=lambda s: (s[1].peak, s[1].live, s[1].area))
    chosen: list[_Partial] = []
    seen = set()
    for pair in zip(by_area, by_live, strict=True):
        for rank, step in pair:
            done = beam[rank].done | 1 << step.call
            if done not in seen:  # the same calls in another order, and no better
                seen.add(done)
                chosen.append(beam[rank].extended(step))
        if len(chosen) >= _BEAM:
            break
    return chosen


def _bits(members: Iterable[int]) -> int:
    return sum(1 << i for i in members)


def _members(bits: int) -> Iterator[int]:
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


@dataclass(frozen=True)
class _Problem:
    """What does not change while an order grows.

    Tensors that share memory by definition are one buffer. ``root`` gives a tensor's buffer, or
    the STATE or CONSTANT behind it; ``reads`` and ``writes`` the buffers of each call, each once;
    ``needs`` a bit for each call that must run before, ``then`` one for each that waits for it.
    """

    program: Program
    root: Mapping[str, str]
    sizes: Mapping[str, int]
    reads: list[list[str]]
    writes: list[list[str]]
    needs: list[int]
    then: list[int]

    @classmethod
    def of(cls, program: Program) -> _Problem:
        """The problem of ordering a program."""
        root = {name: program.root(name) for name in program.tensors}
        sizes = {
            r: aligned(program.tensors[r].nbytes)
            for r in dict.fromkeys(root.values())
            if program.tensors[r].storage is Storage.VALUE
        }

        def buffers(names: Iterable[str]) -> list[str]:
            return list(dict.fromkeys(root[n] for n in names if n and root[n] in sizes))

        reads = [buffers(c.inputs) for c in program.calls]
        writes = [buffers(c.outputs) for c in program.calls]
        needs = _needs(program)
        then = [_bits(j for j, n in enumerate(needs) if n >> i & 1) for i in range(len(needs))]
        return cls(program, root, sizes, reads, writes, needs, then)


@dataclass(frozen=True)
class _Step:
    """What it means to run ``call`` next.

    Attributes:
        taken: output -> the operand's buffer that it takes over.
        new: buffers that begin, with their sizes.
        dead: those that end.
        peak: of bytes, area and bytes alive once the call has run.
    """

    call: int
    taken: dict[str, str]
    new: dict[str, int]
    dead: list[str]
    peak: int
    area: int
    live: int


@dataclass
class _Partial:
    """The beginning of an order, and the memory in use after it.

    ``moved`` maps a buffer to the operand's buffer that it took over; ``ready`` and ``done`` have
    a bit for each call that could run next, and that has run.
    """

    problem: _Problem
    uses: dict[str, int]  # of a buffer of the arena, still to come
    sizes: dict[str, int]  # of the buffers alive
    moved: dict[str, str]
    ready: int
    done: int = 0
    live: int = 0
    peak: int = 0
    area: int = 0
    last: tuple[int, Any] | None = None  # the calls so far, linked backwards

    @classmethod
    def start(cls, problem: _Problem) -> _Partial:
        """Nothing has run, but sample and target are there."""
        program = problem.program
        uses = dict.fromkeys(problem.sizes, 0)
        for reads in problem.reads:
            for name in reads:
                uses[name] += 1
        for name in program.outputs:  # the runtime reads them at the end
            if problem.root[name] in uses:
                uses[problem.root[name]] += 1
        sizes = {n: aligned(program.tensors[n].nbytes) for n in program.inputs}
        ready = _bits(i for i, needs in enumerate(problem.needs) if not needs)
        return cls(problem, uses, sizes, {}, ready, live=sum(sizes.values()))

    def _owner(self, buffer: str) -> str:
        while buffer in self.moved:
            buffer = self.moved[buffer]
        return buffer

    def _owners(self, buffers: list[str]) -> list[str]:
        """The buffers that these lie in now, each once."""
        return list(dict.fromkeys(map(self._owner, buffers)))

    def _taken(self, call: KernelCall) -> dict[str, str]:
        """Output -> the operand's buffer that it can take over."""
        root, tensors = self.problem.root, self.problem.program.tensors
        taken: dict[str, str] = {}
        for out, index in call.inplace:
            name = call.outputs[out]
            if root[name] != name or name in taken:
                continue
            if index >= len(call.inputs) or not call.inputs[index]:
                continue
            operand, result = tensors[call.inputs[index]], tensors[name]
            source = self._owner(root[operand.name])
            if (
                self.uses.get(source) == 1
                and operand.nbytes == result.nbytes  # a smaller one is read again and again
                and self.sizes.get(source) == aligned(result.nbytes)
                and source not in taken.values()
            ):
                taken[name] = source
        return taken

    def step(self, i: int) -> _Step:
        """What it means to run call ``i`` next."""
        problem, uses = self.problem, self.uses
        call = problem.program.calls[i]
        taken = self._taken(call) if call.inplace else {}
        new = {
            n: problem.sizes[n]
            for n in self._owners(problem.writes[i])
            if n not in taken and n not in self.sizes
        }
        dead = [b for b in self._owners(problem.reads[i]) if uses[b] == 1]
        dead = [b for b in (*dead, *(n for n in new if not uses[n])) if b not in taken.values()]
        grown = sum(new.values())
        during = self.live + grown + aligned(call.scratch)
        live = self.live + grown - sum(new.get(b, 0) or self.sizes[b] for b in dead)
        return _Step(i, taken, new, dead, max(self.peak, during), self.area + live, live)

    def extended(self, step: _Step) -> _Partial:
        """This order with that step behind it."""
        problem = self.problem
        uses, sizes = dict(self.uses), {**self.sizes, **step.new}
        for buffer in self._owners(problem.reads[step.call]):
            uses[buffer] -= 1
        for name, source in step.taken.items():
            uses[source] += uses[name]
        for buffer in step.dead:
            del sizes[buffer]
        done = self.done | 1 << step.call
        waiting = _members(problem.then[step.call])
        freed = _bits(i for i in waiting if not problem.needs[i] & ~done)
        return _Partial(
            problem,
            uses,
            sizes,
            {**self.moved, **step.taken},
            self.ready & ~done | freed,
            done,
            step.live,
            step.peak,
            step.area,
            (step.call, self.last),
        )

    def calls(self) -> list[KernelCall]:
        """The calls in order."""
        found = []
        link = self.last
        while link is not None:
            found.append(self.problem.program.calls[link[0]])
            link = link[1]
        return found[::-1]

    def owners(self) -> dict[str, str]:
        """Tensor -> the buffer, STATE or CONSTANT whose memory it uses."""
        return {name: self._owner(root) for name, root in self.problem.root.items()}


def _needs(program: Program) -> list[int]:
    """For each call, a bit for each call that must have run before it."""
    before = _prerequisites(program)
    index = {call.name: i for i, call in enumerate(program.calls)}
    return [_bits(index[n] for n in before[c.name]) for c in program.calls]


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
