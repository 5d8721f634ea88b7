"""The whole way from a model file to a folder with C sources and firmware."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from mcugrad.codegen.describe import describe
from mcugrad.codegen.emit import emit
from mcugrad.compilers import Toolchain, find_compiler
from mcugrad.errors import DoesNotFitError, MissingToolError, UsageError
from mcugrad.ir.graph import Graph, TrainingGraph
from mcugrad.ir.verify import verify
from mcugrad.lower.lower import lower
from mcugrad.manifest import FILE as MANIFEST
from mcugrad.manifest import Manifest
from mcugrad.passes.fused import fused
from mcugrad.passes.layers import layers
from mcugrad.passes.scheme import parse_scheme, resolve_scheme
from mcugrad.passes.split_channels import with_splits
from mcugrad.passes.training import Precision, TrainingOptions, training_graph
from mcugrad.plan.check import check
from mcugrad.plan.explain import Alternative, explain_flash, explain_sram
from mcugrad.plan.narrow import Narrowed, narrow
from mcugrad.plan.order import order
from mcugrad.plan.place import MemoryPlan, Region, place
from mcugrad.plan.text import plan_text
from mcugrad.targets import Target, find_target

if TYPE_CHECKING:
    from mcugrad.build import BuildResult

SOURCES = "model"  # folder of the generated C in a compiled folder
GRAPH = "graph"  # folder of the training graph, for the golden model
SCHEME = "scheme.toml"  # the scheme, where it was found and not named
#: What a compiled folder may hold that compiling again replaces.
_MADE = {MANIFEST, SOURCES, GRAPH, SCHEME, "firmware.elf", "firmware.bin", "libmodel.so", "host"}
_LEAST_STACK = 1024  # bytes; 600 to 900 are used
STAGES = ("import", "fold", "train", "plan")


@dataclass(frozen=True)
class Request:
    """What to compile, and how. Limits in bytes; None: what the target has.

    ``scheme`` is the text of a scheme file to go by, which is kept in the result; ``update``
    then only says where it is from. ``portable``: whether portable kernels alone are used.
    """

    model: Path
    target: str
    update: str
    training: TrainingOptions = field(default_factory=TrainingOptions)
    sram: int | None = None
    flash: int | None = None
    stack: int = 4096
    toolchain: Toolchain = "zig"
    scheme: str | None = None
    portable: bool = False


#: Called with the name of a stage and its result as text.
Dump = Callable[[str, str], None]


def _no_dump(_stage: str, _text: str) -> None:
    return


def import_model(path: Path) -> Graph:
    """Reads a model file, by its suffix.

    Raises:
        UsageError: there is no such file, or it is of no known kind.
        ModelError: the file is malformed or holds something unsupported.
    """
    if not path.is_file():
        raise UsageError(f"there is no model file {path}")
    if path.suffix.lower() == ".tflite":
        from mcugrad.importers.tflite import import_tflite

        return import_tflite(path)
    raise UsageError(f"{path}: only .tflite models can be read")


def prepare(graph: Graph) -> Graph:
    """The graph as everything after the import sees it."""
    from mcugrad.passes.fold_pad import fold_pad
    from mcugrad.passes.fuse_activation import fuse_activation

    return fuse_activation(fold_pad(graph))


def plan_training(
    training: TrainingGraph, target: Target, regions: Sequence[Region] = (Region("memory"),)
) -> MemoryPlan:
    """Kernels, order and places for a training graph, checked.

    What the golden model computes operator by operator, kernels here do in one where they can.
    """
    from mcugrad.devices.scratch import scratch_size

    program = lower(fused(training), target.features, scratch_size, target.cores)
    plan = place(program, order(program), regions)
    check(plan)
    return plan


def regions_of(target: Target, sram: int | None, stack: int, static: int = 0) -> tuple[Region, ...]:
    """The memories for arena and state, with what the stack leaves of them.

    So do ``static`` data; what they take is not known before firmware is linked.
    """
    placement = target.placement
    if placement is None:
        return (Region("memory", sram),)
    return tuple(
        Region(
            name,
            target.memory(name).size
            - stack * (name == placement.stack)
            - static * (name == placement.data),
        )
        for name in placement.arena
    )


@dataclass(frozen=True)
class _Job:
    """One compilation: what was asked for, and what became of the model so far.

    ``splits`` are the feature maps that are computed in groups of channels, and in how many.
    """

    request: Request
    target: Target
    regions: tuple[Region, ...]
    splits: tuple[tuple[str, int], ...]
    graph: Graph
    training: TrainingGraph
    plan: MemoryPlan

    @property
    def overhead(self) -> int:
        """Bytes of SRAM that arena and state cannot have; 0 where there is no limit."""
        limit, capacities = self.sram_limit, [r.capacity for r in self.regions]
        return 0 if limit is None else limit - sum(c for c in capacities if c is not None)

    @property
    def sram_limit(self) -> int | None:
        """Bytes that may be written."""
        return self.request.sram if self.target.is_host else self.target.ram_bytes

    @property
    def flash_limit(self) -> int | None:
        """Bytes for code and constants."""
        return self.request.flash if self.target.is_host else self.target.flash_bytes

    def placed_in(self, regions: tuple[Region, ...]) -> _Job:
        """The same with places in other regions."""
        plan = place(self.plan.program, self.plan.schedule, regions)
        check(plan)
        return replace(self, regions=regions, plan=plan)


def _job(
    request: Request,
    target: Target,
    regions: tuple[Region, ...],
    splits: tuple[tuple[str, int], ...],
    graph: Graph,
) -> _Job:
    if request.scheme is None:
        scheme = resolve_scheme(graph, request.update)
    else:
        scheme = parse_scheme(graph, request.scheme, SCHEME)
    training = with_splits(training_graph(graph, scheme, request.training), splits)
    verify(training.graph)
    plan = plan_training(training, target, regions)
    return _Job(request, target, regions, splits, graph, training, plan)


def _narrowed(job: _Job) -> _Job:
    """The job, with wide feature maps split as long as it does not fit and that helps."""
    found = narrow(
        Narrowed(job.training, job.plan, job.splits),
        lambda training: plan_training(training, job.target, job.regions),
    )
    return replace(job, training=found.training, plan=found.plan, splits=found.splits)


def check_request(request: Request, out: Path) -> Target:
    """The target, if it is known, there is a compiler for it and ``out`` can be written.

    Raises:
        UsageError, MissingToolError: it is not so.
    """
    target = find_target(request.target).limited(request.sram, request.flash)
    target = target.portable if request.portable else target
    if request.stack < _LEAST_STACK:
        raise UsageError(f"--stack {request.stack}: at least {_LEAST_STACK} bytes are needed")
    if out.exists() and not (out / MANIFEST).is_file() and not _is_empty_folder(out):
        raise UsageError(f"{out} exists and is not a compiled model: choose another folder")
    around = next(p for p in out.absolute().parents if p.exists())
    if not around.is_dir() or not os.access(around, os.W_OK | os.X_OK):
        raise UsageError(f"{out}: nothing can be written to {around}: choose another folder")
    if any(c in str(out.resolve()) for c in ";\\"):
        raise UsageError(f"{out}: CMake takes no ';' and no '\\' in a path: choose another folder")
    compiler = find_compiler(target, request.toolchain)
    if request.training.precision is Precision.F16 and not compiler.half:
        raise MissingToolError(
            f"{compiler.command[0]} cannot compile half precision for {target.name}: take "
            "--toolchain zig or --precision f32 (GCC has it for RISC-V from version 13 on)"
        )
    return target


def compile_model(request: Request, out: Path, dump: Dump = _no_dump) -> Manifest:
    """Compiles a model into ``out``, which appears complete or not at all.

    Raises:
        UsageError, ModelError, DoesNotFitError, MissingToolError: see :mod:`mcugrad.errors`.
    """
    from mcugrad.ir.text import graph_text

    target = check_request(request, out)
    imported = import_model(request.model)
    dump("import", graph_text(imported))
    graph = prepare(imported)
    verify(graph)
    dump("fold", graph_text(graph))
    regions = regions_of(target, request.sram, request.stack * target.cores)
    job = _narrowed(_job(request, target, regions, (), graph))
    dump("train", graph_text(job.training.graph))
    dump("plan", plan_text(job.plan))
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".mcugrad-", dir=out.parent) as name:
        folder = Path(name) / "out"
        manifest = _write(folder, job)
        if out.exists():
            old = out.rename(Path(name) / "old")
            for kept in (p for p in old.iterdir() if p.name not in _MADE):
                kept.rename(folder / kept.name)  # what somebody else put there
        folder.rename(out)
    return manifest


def _is_empty_folder(path: Path) -> bool:
    return path.is_dir() and not any(path.iterdir())


def _write(folder: Path, job: _Job) -> Manifest:
    from mcugrad.ir.serial import save_graph

    folder.mkdir()
    job, fingerprint, result = _build(folder, job)
    save_graph(job.training, folder / GRAPH)
    if job.request.scheme is not None:
        (folder / SCHEME).write_text(job.request.scheme, encoding="utf-8")
    request = job.request
    manifest = describe(
        job.training,
        job.plan,
        job.target,
        result,
        model=request.model.name,
        update=request.update,
        fingerprint=fingerprint,
        stack_bytes=request.stack,
    )
    manifest.write(folder)
    return manifest


def _build(folder: Path, job: _Job) -> tuple[_Job, int, BuildResult]:
    """Builds the firmware; the job as it was built, and the model's fingerprint.

    The linker is the judge of what fits, for it knows code and static data. Where it finds a
    memory too small, it has told what that memory has left for arena and state: they are placed
    anew, as long as another memory holds what goes out.
    """
    from mcugrad.build import build

    request, plan = job.request, job.plan
    if job.target.is_host:
        if plan.missing_bytes:
            raise _does_not_fit(job, "SRAM", plan.missing_bytes)
        if request.flash is not None and plan.constant_bytes > request.flash:
            raise _does_not_fit(job, "flash", plan.constant_bytes - request.flash)
    sources = folder / SOURCES
    sources.mkdir()
    while True:
        emitted = emit(job.plan, request.model.name, job.target.cores)
        for file, text in emitted.files.items():
            (sources / file).write_text(text, encoding="ascii")
        try:
            result = build(
                sources, job.target, folder, stack_bytes=request.stack, toolchain=request.toolchain
            )
            return job, emitted.fingerprint, result
        except DoesNotFitError as error:
            if error.kind == "flash":
                raise _does_not_fit(job, "flash", error.excess) from error
            job = _narrowed(job.placed_in(_left(job, error.overflows)))
            if job.plan.missing_bytes:
                raise _does_not_fit(job, "SRAM", job.plan.missing_bytes) from error


def _left(job: _Job, overflows: Mapping[str, int]) -> tuple[Region, ...]:
    """The regions with the capacity that the linker found, by the bytes that did not fit."""
    used = {b.region.name: b.total_bytes for b in job.plan.blocks}
    return tuple(
        replace(r, capacity=used.get(r.name, 0) - overflows[r.name]) if r.name in overflows else r
        for r in job.regions
    )


def _does_not_fit(job: _Job, kind: str, excess: int) -> DoesNotFitError:
    """The error for ``excess`` bytes too many, with the peak and what would fit."""
    limit = job.sram_limit if kind == "SRAM" else job.flash_limit
    assert limit is not None
    if kind == "SRAM":
        cores = job.target.cores
        text = explain_sram(job.plan, limit, job.overhead, _smaller(job), cores=cores)
        text += _spared_stack(job)
    else:
        code = limit + excess - job.plan.constant_bytes
        text = explain_flash(job.plan, code, limit, _smaller(job))
    return DoesNotFitError(text, kind, excess)


def _spared_stack(job: _Job) -> str:
    """What a smaller stack would spare, where there is one."""
    spared = (job.request.stack - _LEAST_STACK) * job.target.cores
    if job.target.is_host or spared == 0:
        return ""
    return (
        f"\n--stack {_LEAST_STACK} would spare {spared} bytes; 'mcugrad emulate' says how much "
        "of the stack a model uses"
    )


def _smaller(job: _Job) -> Iterator[list[Alternative]]:
    """Smaller ways to train, those that give up least first; each list by falling size."""
    request, options = job.request, job.request.training

    def alternative(change: str, update: str, training: TrainingOptions) -> Alternative:
        scheme = request.scheme if update == request.update else None
        asked = replace(request, update=update, scheme=scheme, training=training)
        plan = cache(lambda: _job(asked, job.target, job.regions, job.splits, job.graph).plan)
        return Alternative(change, plan)

    if options.batch > 1:
        options = replace(options, batch=1)
        yield [alternative("--batch 1", request.update, options)]
    if options.momentum:
        options = replace(options, momentum=0.0)
        yield [alternative("--momentum 0", request.update, options)]
    kind, _, number = request.update.partition(":")
    start = int(number) if number.isdecimal() else len(layers(job.graph))
    if kind in ("all", "last"):
        specs = [f"last:{n}" for n in range(start - 1, 0, -1)]
        yield [alternative(f"--update {s}", s, options) for s in specs]
    if kind not in ("head", "none"):
        specs = [f"bias:{n}" for n in range(start - (kind == "bias"), 0, -1)]
        yield [alternative(f"--update {s}", s, options) for s in (*specs, "head")]
