"""One use of an operator, from which every test of it is derived."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import Any
from zlib import crc32

import numpy as np

from mcugrad.ir.tensor import Array, DType, QuantParams, Storage, Tensor
from mcugrad.ops import OpCall, lookup
from mcugrad.ops.base import NoAttrs
from mcugrad.ops.mask import mask_spec

NO_ATTRS = NoAttrs()

_HALF = np.finfo(np.float16)

_RANGES = {
    DType.F16: (-1.0, 1.0),
    DType.F32: (-1.0, 1.0),
    DType.S8: (-128, 127),
    DType.U8: (0, 255),
    DType.S32: (-1000, 1000),
}


@dataclass(frozen=True)
class Operand:
    """An input: its type, and the closed range from which its content is drawn.

    The range is in stored values; None is [-1, 1] for floats, all of int8, and
    [-1000, 1000] for int32. A ``constant`` is known to the compiler.
    """

    shape: tuple[int, ...]
    dtype: DType = DType.F32
    quant: QuantParams | None = None
    range: tuple[float, float] | None = None
    constant: bool = False

    def draw(self, rng: np.random.Generator) -> Array:
        """Content as it is stored."""
        low, high = self.range or _RANGES[self.dtype]
        if self.dtype.is_float:
            with np.errstate(over="ignore"):  # beyond the range of half is infinite
                return rng.uniform(low, high, self.shape).astype(self.dtype.numpy)
        return rng.integers(int(low), int(high), self.shape, self.dtype.numpy, endpoint=True)


def mask(*shape: int) -> Operand:
    """The mask of a gradient of that shape."""
    spec = mask_spec(prod(shape))
    return Operand(spec.shape, spec.dtype)


@dataclass(frozen=True)
class Case:
    """An operator with its attributes and operands (None: absent).

    ``outputs`` holds the quantisation of each result, None for one that has none.
    The content of the operands is random, and the same in every run.
    """

    op: str
    label: str
    inputs: tuple[Operand | None, ...]
    attrs: Any = NO_ATTRS
    outputs: tuple[QuantParams | None, ...] = (None,)

    def __str__(self) -> str:
        return f"{self.op}-{self.label}"

    @cached_property
    def stored(self) -> list[Array | None]:
        """The content of the inputs as devices hold it."""
        rng = np.random.default_rng(crc32(str(self).encode()))
        return [None if operand is None else operand.draw(rng) for operand in self.inputs]

    @cached_property
    def call(self) -> OpCall:
        """The operator's call, its results' types inferred."""
        inputs = [
            None
            if operand is None
            else Tensor(
                f"in{i}",
                operand.shape,
                operand.dtype,
                operand.quant,
                Storage.CONSTANT if operand.constant else Storage.VALUE,
                data if operand.constant else None,
            )
            for i, (operand, data) in enumerate(zip(self.inputs, self.stored, strict=True))
        ]
        specs = lookup(self.op).infer(OpCall(self.attrs, inputs, ()))
        outputs = [
            Tensor(f"out{i}", spec.shape, spec.dtype, quant)
            for i, (spec, quant) in enumerate(zip(specs, self.outputs, strict=True))
        ]
        return OpCall(self.attrs, inputs, outputs)

    @property
    def is_float(self) -> bool:
        """Whether every operand and every result is floating point."""
        operands = [t for t in (*self.call.inputs, *self.call.outputs) if t is not None]
        return all(t.dtype.is_float for t in operands)

    def expected(self) -> tuple[Array, ...]:
        """What the operator's reference makes of the inputs."""
        return lookup(self.op).reference(self.call, golden(self.stored))


def in_half(case: Case) -> Case | None:
    """The same case with its float32 operands in half; None where no kernel serves it."""
    inputs = tuple(
        replace(o, dtype=DType.F16) if o is not None and o.dtype is DType.F32 else o
        for o in case.inputs
    )
    half = replace(case, label=f"{case.label}-f16", inputs=inputs)
    ends = (end for o in inputs if o is not None for end in o.range or ())
    if inputs == case.inputs or any(abs(end) > float(_HALF.max) for end in ends):
        return None
    try:
        call = half.call
    except ValueError:  # an operator of float32 alone
        return None
    kernel = lookup(case.op).kernel(call, frozenset())
    return half if kernel is not None and "_f16_" in kernel.symbol else None


def golden(stored: list[Array | None]) -> list[Array | None]:
    """Stored values as a reference takes them: floats as float64, integers as they are."""
    return [v.astype(np.float64) if v is not None and v.dtype.kind == "f" else v for v in stored]
