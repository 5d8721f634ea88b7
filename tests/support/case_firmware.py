"""Cases of operators in one firmware: what each computes in the emulator, and what it costs.

The training step of the firmware is a call for each case. All operands are constants, the
results are traced like gradients, and the kernels are those that the compiler chooses.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mcugrad.build import build
from mcugrad.codegen.emit import emit, tensor_table
from mcugrad.compiler import regions_of
from mcugrad.devices.scratch import scratch_size
from mcugrad.errors import DoesNotFitError
from mcugrad.image import read_code
from mcugrad.ir.graph import Graph, Node, Phase, TrainingGraph
from mcugrad.ir.tensor import DType, Storage, Tensor, constant
from mcugrad.lower.lower import lower
from mcugrad.ops import lookup
from mcugrad.ops.loss import LossAttrs
from mcugrad.parity import Difference, difference
from mcugrad.plan.check import check
from mcugrad.plan.order import as_written
from mcugrad.plan.place import MemoryPlan, place
from mcugrad.profiling.calls import Entry, cut, marks
from mcugrad.profiling.counting import counting
from mcugrad.targets import Target
from tests.ops.case import NO_ATTRS, Case

_STACK = 2048


@dataclass(frozen=True)
class Measured:
    """What a case's kernel computed, the same against the reference, and its instructions."""

    symbol: str
    products: int
    instructions: int
    results: tuple[bytes, ...]
    worst: Difference


def measure(
    cases: Sequence[Case], target: Target, *, frozen: bool = False
) -> Iterator[tuple[Case, Measured | None]]:
    """Every case in the target's emulator, in order; None for one that does not fit.

    Cases share a firmware as far as they fit into it together. Weights are taken for such that
    learn, or that are ``frozen``, which some kernels read in a layout of their own.
    """
    try:
        found = _run(cases, target, frozen)
    except DoesNotFitError:
        if len(cases) == 1:
            yield cases[0], None
            return
        half = len(cases) // 2
        yield from measure(cases[:half], target, frozen=frozen)
        yield from measure(cases[half:], target, frozen=frozen)
        return
    yield from zip(cases, found, strict=True)


def _run(cases: Sequence[Case], target: Target, frozen: bool) -> list[Measured]:
    plan = _plan(cases, target, frozen)
    with tempfile.TemporaryDirectory() as name:
        sources = Path(name) / "model"
        sources.mkdir()
        emitted = emit(plan, "cases", target.cores)
        for file, text in emitted.files.items():
            (sources / file).write_text(text, encoding="ascii")
        firmware = build(sources, target.emulated, Path(name) / "out", stack_bytes=_STACK).elf
        assert firmware is not None
        code, calls = read_code(firmware), plan.schedule.calls
        sample = np.zeros(1, np.float32)
        with counting(target, firmware, emitted.fingerprint, marks(code, calls)) as counted:
            traced = counted.device.train_step(sample, sample, trace=True).traced
            work = cut(counted.segments(), code, Entry.STEP, calls)
    names = [e.name for e in tensor_table(plan)]
    contents = {names[number]: content for number, content in traced.items()}
    kernels = {code.functions[c.symbol].start for c in calls}  # tracing runs between them
    instructions = {
        call.name: sum(s.instructions for s in segments if s.address in kernels)
        for call, segments in zip(calls, work.calls, strict=True)
    }
    by_name = {c.name: c for c in calls}
    found = []
    for i, case in enumerate(cases):
        call = by_name[_node(i)]
        results = tuple(contents[f"{_node(i)}/{t.name}"] for t in case.call.outputs)
        worst = _worst(case, call.symbol, results)
        found.append(Measured(call.symbol, call.products, instructions[call.name], results, worst))
    return found


def _worst(case: Case, symbol: str, contents: Sequence[bytes]) -> Difference:
    found = []
    half = next(k.half_sums for k in lookup(case.op).kernels if k.symbol == symbol)
    for tensor, content, wanted in zip(case.call.outputs, contents, case.expected(), strict=True):
        stored = tensor.dtype.numpy
        name = f"{case}/{tensor.name}"
        got, expected = np.frombuffer(content, stored), wanted.astype(stored)
        found.append(difference(0, name, got, expected, half_sums=half))
    return max(found, key=lambda d: d.severity)


def _node(index: int) -> str:
    return f"case{index}"


def _plan(cases: Sequence[Case], target: Target, frozen: bool) -> MemoryPlan:
    """The plan of a program that calls every case's kernel."""
    tensors = {
        name: Tensor(name, (1,), DType.F32, storage=storage)
        for name, storage in (
            ("x", Storage.VALUE),
            ("target", Storage.VALUE),
            ("y", Storage.VALUE),
            ("loss", Storage.VALUE),
            ("dy", Storage.VALUE),
            ("hyper", Storage.STATE),
        )
    }
    nodes = [
        Node("predict", "neg", ("x",), ("y",), NO_ATTRS),
        Node("judge", "mean_squared_error", ("y", "target"), ("loss", "dy"), LossAttrs()),
    ]
    results: list[str] = []
    for i, case in enumerate(cases):
        names: list[str] = []
        for tensor, data in zip(case.call.inputs, case.stored, strict=True):
            name = f"{_node(i)}/{tensor.name}" if tensor is not None else ""
            names.append(name)
            if tensor is not None and data is not None:
                tensors[name] = constant(name, data, tensor.quant)
        outputs = [t.renamed(f"{_node(i)}/{t.name}") for t in case.call.outputs]
        tensors |= {t.name: t for t in outputs}
        results += [t.name for t in outputs]
        assert not lookup(case.op).view
        nodes.append(
            Node(_node(i), case.op, tuple(names), tuple(t.name for t in outputs), case.attrs)
        )
    graph = Graph("cases", tensors, tuple(nodes), ("x", "target"), ("y", "loss"))
    training = TrainingGraph(
        graph=graph,
        phases={n.name: Phase.FORWARD if n.name == "predict" else Phase.BACKWARD for n in nodes},
        learning=(),
        next_state={},
        gradients={name: name for name in results},
        batch=1,
        hyper="hyper",
    )
    program = lower(training, target.features, scratch_size, target.cores, pack=frozen)
    plan = place(program, as_written(program), regions_of(target, None, _STACK))
    check(plan)
    if plan.missing_bytes:
        raise DoesNotFitError("the cases do not fit", "SRAM", plan.missing_bytes)
    return plan
