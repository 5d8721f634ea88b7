"""The manifest of a compiled model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcugrad.codegen.emit import class_count, tensor_table
from mcugrad.ir.graph import TrainingGraph
from mcugrad.manifest import CallInfo, LinkTensor, Manifest, Port, RegionUse
from mcugrad.passes.loss_scaling import steps_of
from mcugrad.plan.place import MemoryPlan
from mcugrad.targets import Target

if TYPE_CHECKING:
    from mcugrad.build import BuildResult


def describe(
    training: TrainingGraph,
    plan: MemoryPlan,
    target: Target,
    built: BuildResult,
    *,
    model: str,
    update: str,
    fingerprint: int,
    stack_bytes: int,
) -> Manifest:
    """What a compiled folder says of itself.

    ``model`` and ``update`` are named as they were asked for; ``stack_bytes`` is the stack of one
    core.
    """
    program, tensors = plan.program, training.graph.tensors
    sample, wanted = (tensors[n] for n in program.inputs)
    table = tensor_table(plan)
    numbers = {e.name: i for i, e in enumerate(table)}
    static = built.sizes.static if built.sizes else 0
    stack = stack_bytes * target.cores if target.placement else 0
    weights = plan.constant_bytes
    # What the image has beside the weights: code, the runtime's constants, alignment.
    code = built.image.stat().st_size - weights if built.image else 0
    return Manifest(
        model=model,
        target=target.name,
        update=update,
        fingerprint=fingerprint,
        sample=Port.of(sample),
        wanted=Port.of(wanted),
        prediction=Port.of(tensors[program.outputs[0]]),
        classes=class_count(plan),
        batch=training.batch,
        learning={
            item.tensor: list(item.channels) if item.channels is not None else None
            for item in training.learning
        },
        tensors=tuple(
            LinkTensor(
                e.name, e.tensor.dtype, e.tensor.shape, e.writable, e.place.block, e.place.offset
            )
            for e in table
        ),
        hyper=numbers[program.hyper],
        scale_steps=numbers.get(steps_of(training) or ""),
        calls=tuple(
            CallInfo(c.name, c.op, c.phase, c.symbol, c.products, program.moved_bytes(c))
            for c in plan.schedule.calls
        ),
        sram={
            "arena": plan.arena_bytes,
            "lower_bound": plan.schedule.lower_bound,
            "parameters": plan.state_bytes,
            "static": static,
            "stack": stack,
            "total": plan.total_bytes + static + stack,
        },
        regions=_regions(plan, target, static, stack),
        flash={"weights": weights, "code": code, "total": weights + code},
    )


def _regions(plan: MemoryPlan, target: Target, static: int, stack: int) -> tuple[RegionUse, ...]:
    """What the firmware takes of each memory that is written; none of the host's."""
    placement = target.placement
    if placement is None:
        return ()
    blocks = {b.region.name: b for b in plan.blocks}
    return tuple(
        RegionUse(
            name=name,
            size=target.memory(name).size,
            arena=blocks[name].arena_bytes if name in blocks else 0,
            parameters=blocks[name].state_bytes if name in blocks else 0,
            static=static if placement.data == name else 0,
            stack=stack if placement.stack == name else 0,
        )
        for name in placement.written
    )
