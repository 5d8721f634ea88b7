"""The order of the kernel calls, and the buffers that follow from it.

Memory is decided by the order: an operator that frees more than it takes goes early, and
an update follows its gradient at once. Several greedy rules are tried and the order with
the lowest peak is kept; the model's own order is one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

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


#: (index in the program, bytes while it runs, bytes it adds for good) -> priority.
_Rule = Callable[[int, int, int], tuple[int, ...]]
_RULES: tuple[_Rule, ...] = (
    lambda index, _while_running, _added: (index,),
    lambda index, _while_running, added: (added, index),
    lambda index, while_running, added: (while_running, added, index),
)


def order(program: Program) -> Schedule:
    """The best schedule that the greedy rules find; the same on every host."""
    found = (_schedule(program, rule) for rule in _RULES)
    return min(found, key=lambda s: (s.lower_bound, sum(b.nbytes for b in s.buffers)))


@dataclass
class _Memory:
    """Which buffers are alive while calls are put in order one by one."""

    program: Program
    owner: dict[str, str] = field(default_factory=dict)
    uses: dict[str, int] = field(default_factory=dict)  # of a buffer, still to come
    sizes: dict[str, int] = field(default_factory=dict)  # of the live buffers

    def __post_init__(self) -> None:
        program = self.program
        for name in program.tensors:
            self.owner[name] = program.root(name)
        for call in program.calls:
            for root in self._roots(call.inputs):
                self.uses[root] = self.uses.get(root, 0) + 1
        for name in program.outputs:  # the runtime reads them at the end
            root = self.owner[name]
            self.uses[root] = self.uses.get(root, 0) + 1
        for name in program.inputs:
            self.sizes[name] = aligned(program.tensors[name].nbytes)

    def _roots(self, names: Iterable[str]) -> set[str]:
        """The arena buffers behind these tensors."""
        roots = {self.owner[n] for n in names if n}
        return {r for r in roots if self.program.tensors[r].storage is Storage.VALUE}

    def reused(self, call: KernelCall) -> dict[str, str]:
        """Output -> the operand's buffer that it can take over."""
        taken: dict[str, str] = {}
        for out, index in call.inplace:
            if index >= len(call.inputs) or not call.inputs[index]:
                continue
            name, source = call.outputs[out], self.owner[call.inputs[index]]
            fits = aligned(self.program.tensors[name].nbytes) == self.sizes.get(source)
            if (
                self.owner[name] == name
                and name not in taken
                and source not in taken.values()
                and source in self._roots([source])
                and self.uses[source] == 1
                and fits
            ):
                taken[name] = source
        return taken

    def cost(self, call: KernelCall) -> tuple[int, int]:
        """Bytes more while it runs, and bytes more once it is done."""
        taken = self.reused(call)
        new = sum(
            aligned(self.program.tensors[n].nbytes)
            for n in self._roots(call.outputs)
            if n not in taken and n not in self.sizes
        )
        dying = {r for r in self._roots(call.inputs) if self.uses[r] == 1}
        freed = sum(self.sizes[r] for r in dying - set(taken.values()))
        return new + aligned(call.scratch), new - freed

    def run(self, call: KernelCall) -> None:
        """Puts the call next in order."""
        taken = self.reused(call)
        for name, source in taken.items():
            self.uses[source] = self.uses.pop(name, 0) + 1  # its last use, by this call
            for tensor, owner in self.owner.items():
                if owner == name:
                    self.owner[tensor] = source
        for root in self._roots(call.outputs):
            self.sizes.setdefault(root, aligned(self.program.tensors[root].nbytes))
        for root in self._roots(call.inputs):
            self.uses[root] -= 1
        for root in self._roots((*call.inputs, *call.outputs)):
            if self.uses.get(root, 0) == 0:
                del self.sizes[root]


def _schedule(program: Program, rule: _Rule) -> Schedule:
    memory = _Memory(program)
    before = _prerequisites(program)
    ordered: list[KernelCall] = []
    done: set[str] = set()
    for phases in program.phase_order():
        waiting = {i: c for i, c in enumerate(program.calls) if c.phase in phases}
        while waiting:
            ready = (i for i, c in waiting.items() if before[c.name] <= done)
            best = min(ready, key=lambda i: rule(i, *memory.cost(waiting[i])))
            call = waiting.pop(best)
            memory.run(call)
            ordered.append(call)
            done.add(call.name)
    return _lifetimes(program, ordered, memory.owner)


def _prerequisites(program: Program) -> dict[str, set[str]]:
    """The calls that must have run before each call.

    Beside the data: a STATE is written over, so whoever reads its old value comes first.
    """
    writer = {out: call.name for call in program.calls for out in call.outputs}

    def source(name: str) -> str | None:
        while name and name not in writer and name in program.views:
            name = program.views[name]
        return writer.get(name)

    before = {
        c.name: {s for n in c.inputs if (s := source(n)) is not None} for c in program.calls
    }
    for call in program.calls:
        overwritten = {
            program.root(out) for out in call.outputs if program.root(out) != out
        }
        for other in program.calls:
            if other is not call and overwritten.intersection(other.inputs):
                before[call.name].add(other.name)
    return before


def _lifetimes(
    program: Program, calls: list[KernelCall], owner: Mapping[str, str]
) -> Schedule:
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
