"""The whole way from a model file to a folder with C sources and firmware."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from mcugrad.codegen.emit import class_count, emit, tensor_table
from mcugrad.compilers import Toolchain
from mcugrad.errors import DoesNotFitError, UsageError
from mcugrad.ir.graph import Graph, TrainingGraph
from mcugrad.ir.verify import verify
from mcugrad.lower.lower import lower
from mcugrad.manifest import FILE as MANIFEST
from mcugrad.manifest import CallInfo, LinkTensor, Manifest, Port
from mcugrad.passes.layers import layers
from mcugrad.passes.scheme import parse_scheme, resolve_scheme
from mcugrad.passes.training import TrainingOptions, training_graph
from mcugrad.plan.check import check
from mcugrad.plan.explain import Alternative, explain_flash, explain_sram
from mcugrad.plan.order import order
from mcugrad.plan.place import MemoryPlan, place
from mcugrad.targets import Target, find_target

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
    then only says where it is from.
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


def plan_training(training: TrainingGraph, target: Target) -> MemoryPlan:
    """Kernels, order and places for a training graph, checked."""
    from mcugrad.devices.scratch import scratch_size

    program = lower(training, target.features, scratch_size)
    plan = place(program, order(program))
    check(plan)
    return plan


@dataclass(frozen=True)
class _Job:
    """One compilation: what was asked for, and what became of the model so far."""

    request: Request
    target: Target
    graph: Graph
    training: TrainingGraph
    plan: MemoryPlan


def _job(request: Request, target: Target, graph: Graph) -> _Job:
    if request.scheme is None:
        scheme = resolve_scheme(graph, request.update)
    else:
        scheme = parse_scheme(graph, request.scheme, SCHEME)
    training = training_graph(graph, scheme, request.training)
    verify(training.graph)
    return _Job(request, target, graph, training, plan_training(training, target))


def check_request(request: Request, out: Path) -> Target:
    """The target, if it is known and ``out`` can be written.

    Raises:
        UsageError: it is not so.
    """
    target = find_target(request.target)
    if request.stack < _LEAST_STACK:
        raise UsageError(f"--stack {request.stack}: at least {_LEAST_STACK} bytes are needed")
    if out.exists() and not (out / MANIFEST).is_file() and not _is_empty_folder(out):
        raise UsageError(f"{out} exists and is not a compiled model: choose another folder")
    if any(c in str(out.resolve()) for c in ";\\"):
        raise UsageError(f"{out}: CMake takes no ';' and no '\\' in a path: choose another folder")
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
    job = _job(request, target, graph)
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

    save_graph(job.training, folder / GRAPH)
    if job.request.scheme is not None:
        (folder / SCHEME).write_text(job.request.scheme, encoding="utf-8")
    sources = folder / SOURCES
    sources.mkdir()
    emitted = emit(job.plan, job.request.model.name)
    for file, text in emitted.files.items():
        (sources / file).write_text(text, encoding="ascii")
    sram, flash = _build(folder, job)
    manifest = _manifest(job, emitted.fingerprint, sram, flash)
    manifest.write(folder)
    return manifest


def _build(folder: Path, job: _Job) -> tuple[dict[str, int], dict[str, int]]:
    """Builds the firmware; returns what it takes of SRAM and flash."""
    from mcugrad.build import build

    request, target, plan = job.request, job.target, job.plan
    sram_limit = _least(request.sram, target.ram_bytes)
    flash_limit = _least(request.flash, target.flash_bytes)
    stack = 0 if target.is_host else request.stack
    if target.is_host:  # elsewhere the linker judges, who knows code and static data too
        if sram_limit is not None and plan.total_bytes > sram_limit:
            raise _does_not_fit(job, "SRAM", sram_limit, plan.total_bytes - sram_limit)
        if flash_limit is not None and plan.constant_bytes > flash_limit:
            raise _does_not_fit(job, "flash", flash_limit, plan.constant_bytes - flash_limit)
    try:
        result = build(
            folder / SOURCES,
            target,
            folder,
            sram_limit=request.sram,
            flash_limit=request.flash,
            stack_bytes=request.stack,
            toolchain=request.toolchain,
        )
    except DoesNotFitError as error:
        limit = sram_limit if error.kind == "SRAM" else flash_limit
        assert limit is not None
        raise _does_not_fit(job, error.kind, limit, error.excess) from error
    static = result.sizes.static if result.sizes else 0
    # What the image has beside the weights: code, the runtime's constants, alignment.
    code = result.image.stat().st_size - plan.constant_bytes if result.image else 0
    sram = {
        "arena": plan.arena_bytes,
        "lower_bound": plan.schedule.lower_bound,
        "parameters": plan.state_bytes,
        "static": static,
        "stack": stack,
        "total": plan.total_bytes + static + stack,
    }
    weights = plan.constant_bytes
    return sram, {"weights": weights, "code": code, "total": weights + code}


def _least(*limits: int | None) -> int | None:
    return min((v for v in limits if v is not None), default=None)


def _does_not_fit(job: _Job, kind: str, limit: int, excess: int) -> DoesNotFitError:
    """The error for ``excess`` bytes too many, with the peak and what would fit."""
    if kind == "SRAM":
        overhead = limit + excess - job.plan.total_bytes
        text = explain_sram(job.plan, limit, overhead, _smaller(job))
    else:
        code = limit + excess - job.plan.constant_bytes
        text = explain_flash(job.plan, code, limit, _smaller(job))
    return DoesNotFitError(text, kind, excess)


def _smaller(job: _Job) -> Iterator[list[Alternative]]:
    """Smaller ways to train, those that give up least first; each list by falling size."""
    request, options = job.request, job.request.training

    def alternative(change: str, update: str, training: TrainingOptions) -> Alternative:
        scheme = request.scheme if update == request.update else None
        asked = replace(request, update=update, scheme=scheme, training=training)
        return Alternative(change, cache(lambda: _job(asked, job.target, job.graph).plan))

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


def _manifest(job: _Job, fingerprint: int, sram: dict[str, int], flash: dict[str, int]) -> Manifest:
    plan, training, request = job.plan, job.training, job.request
    tensors = training.graph.tensors
    sample, wanted = (tensors[n] for n in plan.program.inputs)
    prediction = tensors[plan.program.outputs[0]]
    table = tensor_table(plan)
    return Manifest(
        model=request.model.name,
        target=request.target,
        update=request.update,
        fingerprint=fingerprint,
        sample=Port.of(sample),
        wanted=Port.of(wanted),
        prediction=Port.of(prediction),
        classes=class_count(plan),
        batch=training.batch,
        learning={
            item.tensor: list(item.channels) if item.channels is not None else None
            for item in training.learning
        },
        tensors=tuple(
            LinkTensor(e.name, e.tensor.dtype, e.tensor.shape, e.offset, e.writable) for e in table
        ),
        hyper=next(i for i, e in enumerate(table) if e.name == plan.program.hyper),
        calls=tuple(
            CallInfo(c.name, c.op, c.phase, c.symbol, c.products) for c in plan.schedule.calls
        ),
        sram=sram,
        flash=flash,
    )


def plan_text(plan: MemoryPlan) -> str:
    """The plan, one line a call: when it runs, what is alive, where its results lie."""
    schedule = plan.schedule
    lines = [
        f"state {plan.state_bytes} bytes, arena {plan.arena_bytes} bytes, "
        f"lower bound {schedule.lower_bound} bytes at call {schedule.peak_step}"
    ]
    for step, call in enumerate(schedule.calls):
        alive = sum(b.nbytes for b in schedule.alive_at(step))
        places = ", ".join(f"{n} @{plan.offset_of(n)}" for n in call.outputs)
        lines.append(f"{step:4} {call.phase:8} {alive:9} B  {call.symbol} -> {places}")
    return "\n".join(lines) + "\n"
