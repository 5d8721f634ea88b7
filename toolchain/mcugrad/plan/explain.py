"""What to tell the user when a program does not fit: where the peak is, and what would fit."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from mcugrad.ir.tensor import Storage
from mcugrad.plan.order import Buffer
from mcugrad.plan.place import MemoryPlan

_SHOWN = 4


@dataclass(frozen=True)
class Alternative:
    """A smaller way to train the same model: what to change, and the plan that results."""

    change: str
    plan: Callable[[], MemoryPlan]


def explain_sram(
    plan: MemoryPlan,
    limit: int,
    overhead: int,
    smaller: Iterable[Sequence[Alternative]],
    *,
    cores: int = 1,
) -> str:
    """Why the plan exceeds ``limit`` bytes of SRAM, and the first alternative that does not.

    ``overhead`` is what stack and static data take beside the plan's blocks. Where several cores
    share the call at the peak, part of the scratch belongs to each.
    """

    def cost(p: MemoryPlan) -> int:
        return p.need(limit - overhead) + overhead

    need = cost(plan)
    step = peak_step(plan)
    peak = plan.schedule.calls[step]
    of_cores = {}
    if peak.shared and cores > 1:
        of_cores[f"scratch:{peak.name}"] = f" ({peak.scratch // cores} of each of {cores} cores)"
    alive = ", ".join(
        f"{b.name} {b.nbytes}{of_cores.get(b.name, '')}{_where(plan, b)}"
        for b in plan.schedule.alive_at(step)[:_SHOWN]
    )
    lines = [
        f"needs {need} bytes of SRAM, {need - limit} more than the limit of {limit}: "
        f"arena {plan.arena_bytes}, parameters {plan.state_bytes}, stack and static {overhead}",
        f"peak of the arena: {peak.name} ({peak.op}); largest tensors alive: {alive}",
    ]
    if len(plan.blocks) > 1:
        lines += [
            f"{b.region.name}: {b.total_bytes} bytes of {b.region.capacity}"
            + (f", {b.missing_bytes} are missing" if b.missing_bytes else "")
            for b in plan.blocks
        ]
    state = [t for t in plan.program.tensors.values() if t.storage is Storage.STATE]
    if state:
        largest = sorted(state, key=lambda t: (-t.nbytes, t.name))[:_SHOWN]
        shown = ", ".join(f"{t.name} {t.nbytes}" for t in largest)
        lines.append(f"largest learning tensors: {shown}")
    found, least = _first_fitting(smaller, cost, limit)
    if found is not None:
        lines.append(f"cheapest change that fits: {found} ({least} bytes)")
    else:
        lines.append(
            f"no update scheme fits: at least {min(least or need, need)} bytes are needed "
            "(choose a target with more SRAM, or a smaller model or input)"
        )
    return "\n".join(lines)


def peak_step(plan: MemoryPlan) -> int:
    """The step at which the most bytes of the arena are alive in the block that misses most."""
    worst = max(range(len(plan.blocks)), key=lambda i: (plan.blocks[i].missing_bytes, -i))

    def alive(step: int) -> int:
        buffers = plan.schedule.alive_at(step)
        return sum(b.nbytes for b in buffers if plan.places[b.name].block == worst)

    return max(range(len(plan.schedule.calls)), key=lambda step: (alive(step), -step))


def _where(plan: MemoryPlan, buffer: Buffer) -> str:
    """The region that a buffer lies in, where there are several."""
    block = plan.blocks[plan.places[buffer.name].block]
    return f" ({block.region.name})" if len(plan.blocks) > 1 else ""


def explain_flash(
    plan: MemoryPlan, code: int, limit: int, smaller: Iterable[Sequence[Alternative]]
) -> str:
    """Why constants and ``code`` exceed ``limit`` bytes of flash, and what would fit.

    What code an alternative needs is known only once it is built; it calls fewer kernels.
    """
    need = plan.constant_bytes + code
    used = {n for c in plan.schedule.calls for n in (*c.inputs, *c.outputs) if n}
    stored = [t for n, t in plan.program.tensors.items() if t.data is not None and n in used]
    largest = sorted(stored, key=lambda t: (-t.nbytes, t.name))[:_SHOWN]
    shown = ", ".join(f"{t.name} {t.nbytes}" for t in largest)
    lines = [
        f"needs {need} bytes of flash, {need - limit} more than the limit of {limit}: "
        f"weights {plan.constant_bytes}, code {code}",
        f"largest tensors: {shown}",
    ]
    found, least = _first_fitting(smaller, lambda p: p.constant_bytes + code, limit)
    if found is not None:
        lines.append(f"cheapest change that fits: {found} (about {least} bytes)")
    elif least is not None and least - code < limit:
        lines.append(f"perhaps --update head fits: weights {least - code}, and it needs less code")
    else:
        lines.append("no update scheme fits: choose a target with more flash, or a smaller model")
    return "\n".join(lines)


def _first_fitting(
    smaller: Iterable[Sequence[Alternative]], cost: Callable[[MemoryPlan], int], limit: int
) -> tuple[str | None, int | None]:
    """The first change whose plan costs at most ``limit``, and what it costs.

    Within a sequence each plan costs no more than the one before, so the first that fits is
    found by bisection. Without one that fits: None, and the least cost, None if there is none.
    """
    least = []
    for group in smaller:
        if not group:
            continue
        least.append(cost(group[-1].plan()))
        if least[-1] <= limit:
            first = bisect_left(group, True, key=lambda a: cost(a.plan()) <= limit)
            return group[first].change, cost(group[first].plan())
    return None, min(least, default=None)
