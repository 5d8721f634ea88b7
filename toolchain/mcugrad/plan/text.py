"""A memory plan as text, for ``--dump-after plan``."""

from __future__ import annotations

from mcugrad.plan.place import MemoryPlan


def plan_text(plan: MemoryPlan) -> str:
    """The plan, one line a call: when it runs, what is alive, where its results lie."""
    schedule = plan.schedule
    lines = [
        f"state {plan.state_bytes} bytes, arena {plan.arena_bytes} bytes, "
        f"lower bound {schedule.lower_bound} bytes at call {schedule.peak_step}"
    ]
    if len(plan.blocks) > 1:
        lines += [
            f"{b.region.name}: state {b.state_bytes} bytes, arena {b.arena_bytes} bytes"
            for b in plan.blocks
        ]
    for step, call in enumerate(schedule.calls):
        alive = sum(b.nbytes for b in schedule.alive_at(step))
        places = ", ".join(f"{n} @{_address(plan, n)}" for n in call.outputs)
        lines.append(f"{step:4} {call.phase:8} {alive:9} B  {call.symbol} -> {places}")
    return "\n".join(lines) + "\n"


def _address(plan: MemoryPlan, tensor: str) -> str:
    place = plan.place_of(tensor)
    assert place is not None  # a call writes to no constant
    region = f"{plan.blocks[place.block].region.name}+" if len(plan.blocks) > 1 else ""
    return f"{region}{place.offset}"
