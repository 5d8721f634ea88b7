"""A second, independent judge of a memory plan.

It replays the calls on a map of the blocks, byte range by byte range: each call must find
in its operands' places exactly the tensors that it is to read, written by the calls that
should have written them, and nothing that is still to be read may be overwritten. It
shares no code with the scheduler and the placer, and believes none of their lifetimes.
"""

from __future__ import annotations

from itertools import pairwise

from mcugrad.errors import InternalError
from mcugrad.ir.graph import Phase
from mcugrad.ir.tensor import Storage
from mcugrad.lower.program import KernelCall, Program
from mcugrad.plan.place import MemoryPlan

#: A byte range: the number of a block, the first byte, and the byte behind the last one.
_Span = tuple[int, int, int]


def check(plan: MemoryPlan) -> None:
    """Raises ``InternalError`` naming the call and the tensor where the plan is wrong."""
    program = plan.program
    if sorted(c.name for c in plan.schedule.calls) != sorted(c.name for c in program.calls):
        raise InternalError("memory plan: the schedule does not hold each call once")
    _check_phases(plan)
    _check_capacities(plan)
    _check_state(plan)
    training = [c for c in plan.schedule.calls if c.phase is not Phase.OUTPUT]
    inference = [c for c in plan.schedule.calls if c.phase in (Phase.FORWARD, Phase.OUTPUT)]
    prediction, loss = program.outputs
    _replay(plan, training, read_at_end=loss)
    _replay(plan, inference, read_at_end=prediction)
    _replay(plan, list(plan.schedule.calls), read_at_end=loss)


def _check_phases(plan: MemoryPlan) -> None:
    rank = {phase: i for i, group in enumerate(plan.program.phase_order()) for phase in group}
    ranks = [rank[c.phase] for c in plan.schedule.calls]
    if ranks != sorted(ranks):
        raise InternalError("memory plan: the phases are mixed")


def _check_capacities(plan: MemoryPlan) -> None:
    """Blocks are no larger than their regions, unless the plan says that it does not fit."""
    names = [b.region.name for b in plan.blocks]
    if len(set(names)) != len(names):
        raise InternalError("memory plan: two blocks lie in one region")
    beyond = [
        b.region.name
        for b in plan.blocks
        if b.region.capacity is not None and b.state_bytes + b.arena_bytes > b.region.capacity
    ]
    if beyond and not plan.missing_bytes:
        raise InternalError(f"memory plan: {beyond[0]} is too small for its block")


def _check_state(plan: MemoryPlan) -> None:
    """State tensors lie apart, and before everything that is not state."""
    spans = sorted(
        (*_span(plan, n), n) for n, t in plan.program.tensors.items() if t.storage is Storage.STATE
    )
    for (block, _, high, _), (next_block, low, _, name) in pairwise(spans):
        if block == next_block and low < high:
            raise InternalError(f"memory plan: state {name!r} overlaps another one")


def _limits(plan: MemoryPlan, block: int, *, state: bool) -> tuple[int, int]:
    """The part of a block where state, or everything else, may lie."""
    if not 0 <= block < len(plan.blocks):
        raise InternalError(f"memory plan: there is no block {block}")
    of = plan.blocks[block]
    return (0, of.state_bytes) if state else (of.state_bytes, of.state_bytes + of.arena_bytes)


def _span(plan: MemoryPlan, name: str) -> _Span:
    """The byte range of a tensor that is no constant."""
    program = plan.program
    place = plan.place_of(name)
    if place is None:
        raise InternalError(f"memory plan: {name!r} has no place")
    is_state = program.storage(name) is Storage.STATE
    low_limit, high_limit = _limits(plan, place.block, state=is_state)
    low, high = place.offset, place.offset + program.tensors[name].nbytes
    if low % program.tensors[name].dtype.itemsize or low < low_limit:
        raise InternalError(f"memory plan: {name!r} is misplaced")
    if high > high_limit:
        raise InternalError(f"memory plan: {name!r} leaves its part of the block")
    return place.block, low, high


def _meet(a: _Span, b: _Span) -> bool:
    return a[0] == b[0] and a[1] < b[2] and b[1] < a[2]


def _is_constant(program: Program, name: str) -> bool:
    """Whether it lies in flash, which no plan is about."""
    return program.storage(name) is Storage.CONSTANT


def _identity(program: Program, name: str, written: set[str]) -> str:
    """The tensor whose bytes ``name`` shows: views are followed up to what was written."""
    while name not in written and name in program.views:
        name = program.views[name]
    return name


def _replay(plan: MemoryPlan, calls: list[KernelCall], read_at_end: str) -> None:
    program = plan.program
    content: dict[_Span, str] = {}  # byte range -> the tensor that it holds
    written = {out for call in calls for out in call.outputs}

    def write(name: str) -> None:
        if _is_constant(program, name):
            raise InternalError(f"memory plan: constant {name!r} is written")
        span = _span(plan, name)
        for other in [o for o in content if _meet(o, span)]:
            del content[other]
        content[span] = name

    def expect(name: str, reader: str) -> None:
        if _is_constant(program, name):
            return
        shown = _identity(program, name, written)
        found = content.get(_span(plan, name))
        if found != shown:
            raise InternalError(
                f"memory plan: {reader} reads {name!r}, but its place holds {found!r}"
            )

    for name in program.inputs:
        write(name)
    for name, tensor in program.tensors.items():
        if tensor.storage is Storage.STATE:
            write(name)
    for call in calls:
        operands = [n for n in call.inputs if n]
        for name in operands:
            expect(name, call.name)
        _check_overlaps(plan, call, operands)
        for name in call.outputs:
            write(name)
    expect(read_at_end, "the runtime")


def _check_overlaps(plan: MemoryPlan, call: KernelCall, operands: list[str]) -> None:
    """Outputs and scratch of a call may touch nothing else of it, save where the kernel allows."""
    spans = [(n, _span(plan, n)) for n in operands if not _is_constant(plan.program, n)]
    allowed = {(call.outputs[o], call.inputs[i]) for o, i in call.inplace if i < len(call.inputs)}
    targets = [(n, _span(plan, n)) for n in call.outputs]
    if call.scratch:
        place = plan.places[f"scratch:{call.name}"]
        low, high = place.offset, place.offset + call.scratch
        low_limit, high_limit = _limits(plan, place.block, state=False)
        if low < low_limit or high > high_limit:
            raise InternalError(f"memory plan: the scratch of {call.name} leaves the arena")
        targets.append(("scratch", (place.block, low, high)))
    for index, (name, span) in enumerate(targets):
        for other, taken in spans + targets[:index]:
            same = span == taken and (name, other) in allowed
            if _meet(span, taken) and not same:
                raise InternalError(
                    f"memory plan: {call.name} writes {name!r} over its own operand {other!r}"
                )
