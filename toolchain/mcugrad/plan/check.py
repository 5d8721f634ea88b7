"""A second, independent judge of a memory plan.

It replays the calls on a map of the block, byte range by byte range: each call must find
in its operands' places exactly the tensors that it is to read, written by the calls that
should have written them, and nothing that is still to be read may be overwritten. It
shares no code with the scheduler and the placer, and believes none of their lifetimes.
"""

from __future__ import annotations

from mcugrad.errors import InternalError
from mcugrad.ir.graph import Phase
from mcugrad.ir.tensor import Storage
from mcugrad.lower.program import KernelCall, Program
from mcugrad.plan.place import MemoryPlan


def check(plan: MemoryPlan) -> None:
    """Raises ``InternalError`` naming the call and the tensor where the plan is wrong."""
    program = plan.program
    if sorted(c.name for c in plan.schedule.calls) != sorted(c.name for c in program.calls):
        raise InternalError("memory plan: the schedule does not hold each call once")
    _check_phases(plan)
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


def _check_state(plan: MemoryPlan) -> None:
    """State tensors lie apart, and before everything that is not state."""
    spans = sorted(
        (plan.offsets[n], plan.offsets[n] + t.nbytes, n)
        for n, t in plan.program.tensors.items()
        if t.storage is Storage.STATE
    )
    end = 0
    for low, high, name in spans:
        if low < end or high > plan.state_bytes:
            raise InternalError(f"memory plan: state {name!r} overlaps or leaves its region")
        end = high


def _span(plan: MemoryPlan, name: str) -> tuple[int, int] | None:
    """The byte range of a tensor; None for a constant in flash."""
    program = plan.program
    if program.storage(name) is Storage.CONSTANT:
        return None
    offset = plan.offset_of(name)
    if offset is None:
        raise InternalError(f"memory plan: {name!r} has no place")
    low_limit = 0 if program.storage(name) is Storage.STATE else plan.state_bytes
    high = offset + program.tensors[name].nbytes
    if offset % program.tensors[name].dtype.itemsize or offset < low_limit:
        raise InternalError(f"memory plan: {name!r} is misplaced")
    if high > plan.total_bytes:
        raise InternalError(f"memory plan: {name!r} leaves the block")
    return offset, high


def _identity(program: Program, name: str, written: set[str]) -> str:
    """The tensor whose bytes ``name`` shows: views are followed up to what was written."""
    while name not in written and name in program.views:
        name = program.views[name]
    return name


def _replay(plan: MemoryPlan, calls: list[KernelCall], read_at_end: str) -> None:
    program = plan.program
    content: dict[tuple[int, int], str] = {}  # byte range -> the tensor that it holds
    written = {out for call in calls for out in call.outputs}

    def write(name: str) -> None:
        span = _span(plan, name)
        if span is None:
            raise InternalError(f"memory plan: constant {name!r} is written")
        low, high = span
        for other in [o for o in content if o[0] < high and low < o[1]]:
            del content[other]
        content[span] = name

    def expect(name: str, reader: str) -> None:
        shown = _identity(program, name, written)
        span = _span(plan, name)
        if span is not None and content.get(span) != shown:
            raise InternalError(
                f"memory plan: {reader} reads {name!r}, but its place holds {content.get(span)!r}"
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
    spans = [(n, s) for n in operands if (s := _span(plan, n)) is not None]
    allowed = {(call.outputs[o], call.inputs[i]) for o, i in call.inplace if i < len(call.inputs)}
    extra = []
    if call.scratch:
        low = plan.offsets[f"scratch:{call.name}"]
        if low < plan.state_bytes or low + call.scratch > plan.total_bytes:
            raise InternalError(f"memory plan: the scratch of {call.name} leaves the arena")
        extra.append(("scratch", (low, low + call.scratch)))
    targets = [(n, s) for n in call.outputs if (s := _span(plan, n)) is not None] + extra
    for index, (name, (low, high)) in enumerate(targets):
        for other, (start, end) in spans + targets[:index]:
            same = (start, end) == (low, high) and (name, other) in allowed
            if start < high and low < end and not same:
                raise InternalError(
                    f"memory plan: {call.name} writes {name!r} over its own operand {other!r}"
                )
