"""How many instructions a kernel call takes, by a model fitted to counts in an emulator.

A call takes ``a * products + b * read + c * written + d`` instructions: its multiply-accumulates,
the elements that it reads, those that it writes (the weights, where a kernel updates them), and
what every call takes. The four numbers of each kernel are in
``targets/<name>/instructions.toml``, which ``python -m benchmarks.instructions`` writes.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mcugrad.errors import UsageError
from mcugrad.ir.graph import Phase
from mcugrad.ir.tensor import Tensor
from mcugrad.lower.program import KernelCall
from mcugrad.plan.place import MemoryPlan
from mcugrad.resources import data_root
from mcugrad.targets import Target, targets

FILE = "instructions.toml"

#: The row that stands for kernels that were not counted.
OTHER = "other"

Row = tuple[float, float, float, float]


@dataclass(frozen=True)
class InstructionModel:
    """The rows by kernel, and the target that they were counted on."""

    counted_on: str
    kernels: Mapping[str, Row]

    def call(self, call: KernelCall, tensors: Mapping[str, Tensor]) -> float:
        """Instructions of one call."""
        row = self.kernels.get(call.symbol, self.kernels[OTHER])
        return sum(a * n for a, n in zip(row, terms(call, tensors), strict=True))

    def step(self, plan: MemoryPlan) -> float:
        """Instructions of a training step."""
        return sum(
            self.call(c, plan.program.tensors)
            for c in plan.schedule.calls
            if c.phase is not Phase.OUTPUT
        )


def terms(call: KernelCall, tensors: Mapping[str, Tensor]) -> Row:
    """What the numbers of a row count: products, elements read, elements written, the call."""
    read, written = (
        sum(tensors[n].size for n in names if n) for names in (call.inputs, call.outputs)
    )
    return call.products, read, written, 1


def instruction_model(target: Target) -> InstructionModel:
    """The model of ``target``, or of the nearest one that has been counted.

    Nearest: of the same family, then with as many cores, then with the fewest features that only
    one of the two has.

    Raises:
        UsageError: the file of the model cannot be read.
    """
    counted = [t for t in targets().values() if (_folder(t) / FILE).is_file()]

    def distance(other: Target) -> tuple[bool, bool, bool, int, str]:
        return (
            other.name != target.name,
            other.family is not target.family,
            other.cores != target.cores,
            len(other.features ^ target.features),
            other.name,
        )

    nearest = min(counted, key=distance)
    path = _folder(nearest) / FILE
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))["kernels"]
        kernels = {
            name: (float(a), float(b), float(c), float(d)) for name, (a, b, c, d) in table.items()
        }
        if OTHER not in kernels:
            raise ValueError(f"no row {OTHER!r}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"cannot read {path}: {error}") from error
    return InstructionModel(nearest.name, kernels)


def _folder(target: Target) -> Path:
    return data_root() / "targets" / target.name
