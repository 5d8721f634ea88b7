"""What every device can do, whether it is this computer, an emulator or a board."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Protocol, Self

import numpy as np

from mcugrad.errors import UsageError
from mcugrad.ir.tensor import Array, DType

#: ``mg_type`` of mcugrad.h, by value.
C_TYPES = (DType.S8, DType.S32, DType.F32)


class Unit(StrEnum):
    """What a device's counter counts."""

    NOTHING = "nothing"
    INSTRUCTIONS = "instructions"
    CYCLES = "cycles"


#: ``mg_counter_unit`` of mg_port.h, by value.
C_UNITS = (Unit.NOTHING, Unit.INSTRUCTIONS, Unit.CYCLES)


@dataclass(frozen=True)
class DeviceInfo:
    """The model that a device runs, and how the device counts."""

    fingerprint: int
    arena_bytes: int
    state_bytes: int
    input_bytes: int
    output_bytes: int
    target_bytes: int
    classes: int  # 0: the target is a vector
    batch: int
    tensor_count: int
    input_type: DType
    output_type: DType
    unit: Unit = Unit.NOTHING
    resolution: int = 1  # counts are multiples of it, or nearly


@dataclass(frozen=True)
class StepResult:
    """A training step: the loss before it, and the traced tensors' bytes by number.

    ``applied`` is False when the loss or a gradient was not finite: then nothing was changed,
    save that without a mini-batch gradients that were complete before it were applied.
    """

    loss: float
    applied: bool = True
    traced: Mapping[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Tally:
    """An evaluation: how many samples, and how many of them were classified rightly."""

    count: int
    correct: int

    @property
    def accuracy(self) -> float:
        """The share of right answers."""
        return self.correct / self.count if self.count else 0.0


@dataclass(frozen=True)
class Statistics:
    """What a device measured; None where it cannot."""

    infer: int | None = None  # instructions or cycles of the last inference
    step: int | None = None  # and of the last training step
    stack_bytes: int | None = None
    stack_used: int | None = None  # high-water mark
    frames_refused: int = 0
    updates: int = 0  # since the last reset


class Device(Protocol):
    """A model that runs somewhere, ready to infer and to learn."""

    @property
    def info(self) -> DeviceInfo:
        """The model and the device."""

    def infer(self, x: Array) -> Array:
        """The prediction for one sample, flat."""

    def train_step(self, x: Array, target: int | Array, *, trace: bool = False) -> StepResult:
        """Learns from one sample; with ``trace`` reports every traced tensor."""

    def evaluate(self, samples: Iterable[tuple[Array, int]]) -> Tally:
        """Classifies samples with known labels."""

    def read_tensor(self, tensor: int) -> bytes:
        """The bytes of the tensor of that number."""

    def write_tensor(self, tensor: int, content: bytes) -> None:
        """Replaces a learning tensor, optimiser state or the hyper-parameters."""

    def reset(self) -> None:
        """Takes the model back to its initial state."""

    def statistics(self) -> Statistics:
        """What was measured so far."""

    def close(self) -> None:
        """Lets go of the device."""

    def __enter__(self) -> Self:
        """The device itself; it is closed at the end of the ``with`` block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Closes the device."""
        self.close()


def sample_bytes(info: DeviceInfo, x: Array) -> bytes:
    """One sample as the device takes it."""
    if x.dtype != info.input_type.numpy or x.nbytes != info.input_bytes:
        raise UsageError(
            f"a sample must be {info.input_bytes // info.input_type.itemsize} elements of "
            f"{info.input_type.numpy}, not {x.size} of {x.dtype}"
        )
    return x.tobytes()


def target_bytes(info: DeviceInfo, target: int | Array) -> bytes:
    """One target as the device takes it: a class index, or the values wanted of the output."""
    if info.classes:
        label = int(target)
        if not 0 <= label < info.classes:
            raise UsageError(f"the label {label} is not one of {info.classes} classes")
        return np.int32(label).tobytes()
    content = np.asarray(target, np.float32).tobytes()
    if len(content) != info.target_bytes:
        raise UsageError(
            f"a target must be {info.target_bytes // 4} numbers, not {len(content) // 4}"
        )
    return content


def prediction(info: DeviceInfo, content: bytes) -> Array:
    """The output's bytes as an array."""
    return np.frombuffer(content, info.output_type.numpy).copy()
