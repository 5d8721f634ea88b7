"""The host as a device: the same C, loaded as a shared library into this process."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from cffi import FFI

from mcugrad.devices.base import (
    C_TYPES,
    Device,
    DeviceInfo,
    Statistics,
    StepResult,
    Tally,
    prediction,
    sample_bytes,
    target_bytes,
)
from mcugrad.errors import InternalError, UsageError
from mcugrad.headers import declarations
from mcugrad.ir.tensor import Array

_ALIGN = 16
_OK, _NOT_FINITE = 0, 3  # mg_status


class HostDevice(Device):
    """A model in this process. Two devices of one library do not share state."""

    def __init__(self, library: Path) -> None:
        self._ffi = FFI()
        self._ffi.cdef(declarations("mcugrad.h", "mg_program.h"))
        try:
            self._c: Any = self._ffi.dlopen(str(library.resolve()))
        except OSError as error:
            raise UsageError(f"cannot load {library}: {error}") from error
        self._program = self._c.mg_the_program
        sizes = [self._program.block_bytes[i] for i in range(self._program.block_count)]
        self._memory = [self._ffi.new("uint8_t[]", size + _ALIGN) for size in sizes]
        self._blocks = self._ffi.new("mg_block[]", len(sizes))
        for block, memory, size in zip(self._blocks, self._memory, sizes, strict=True):
            padding = -int(self._ffi.cast("uintptr_t", memory)) % _ALIGN
            block.memory, block.bytes = memory + padding, size
        self._model = self._ffi.new("mg_model *")
        self._output = self._ffi.new("float[]", -(-self._program.output_bytes // 4))
        self._loss = self._ffi.new("float *")
        self._on_trace = self._ffi.callback("mg_trace_fn", self._record)
        self._traced: dict[int, bytes] = {}
        self._info = self._read_info()
        self.reset()

    def _read_info(self) -> DeviceInfo:
        p = self._program
        return DeviceInfo(
            fingerprint=p.fingerprint,
            arena_bytes=p.arena_bytes,
            state_bytes=p.state_bytes,
            input_bytes=p.input_bytes,
            output_bytes=p.output_bytes,
            target_bytes=p.target_bytes,
            classes=p.classes,
            batch=p.batch,
            tensor_count=p.tensor_count,
            input_type=C_TYPES[p.input_type],
            output_type=C_TYPES[p.output_type],
        )

    @property
    def info(self) -> DeviceInfo:
        """The model."""
        return self._info

    def infer(self, x: Array) -> Array:
        """The prediction for one sample, flat."""
        sample = self._ffi.from_buffer(sample_bytes(self._info, x))
        self._check(self._c.mg_infer(self._model, sample, self._output))
        return prediction(self._info, self._ffi.buffer(self._output, self._info.output_bytes)[:])

    def train_step(self, x: Array, target: int | Array, *, trace: bool = False) -> StepResult:
        """Learns from one sample; with ``trace`` reports every traced tensor."""
        self._traced = {}
        self._model.trace = self._on_trace if trace else self._ffi.NULL
        sample = self._ffi.from_buffer(sample_bytes(self._info, x))
        wanted = self._ffi.from_buffer(target_bytes(self._info, target))
        status = self._c.mg_train_step(self._model, sample, wanted, self._loss)
        self._model.trace = self._ffi.NULL
        if status != _NOT_FINITE:
            self._check(status)
        return StepResult(float(self._loss[0]), status == _OK, self._traced)

    def _record(self, _context: object, tensor: int) -> None:
        self._traced[tensor] = self.read_tensor(tensor)

    def evaluate(self, samples: Iterable[tuple[Array, int]]) -> Tally:
        """Classifies samples with known labels."""
        hits = [int(np.argmax(self.infer(x))) == label for x, label in samples]
        return Tally(len(hits), sum(hits))

    def read_tensor(self, tensor: int) -> bytes:
        """The bytes of the tensor of that number."""
        place, entry = self._tensor(tensor)
        return bytes(self._ffi.buffer(place, entry.bytes))

    def write_tensor(self, tensor: int, content: bytes) -> None:
        """Replaces a learning tensor, optimiser state or the hyper-parameters."""
        place, entry = self._tensor(tensor)
        if not entry.writable or len(content) != entry.bytes:
            raise UsageError(f"tensor {tensor} does not take {len(content)} bytes")
        self._ffi.memmove(place, content, entry.bytes)

    def _tensor(self, tensor: int) -> tuple[Any, Any]:
        if not 0 <= tensor < self._info.tensor_count:
            raise UsageError(f"there is no tensor {tensor}")
        entry = self._program.tensors[tensor]
        return self._c.mg_at(self._model, entry.place), entry

    def reset(self) -> None:
        """Takes the model back to its initial state."""
        self._check(self._c.mg_init_blocks(self._model, self._blocks, len(self._blocks)))

    def statistics(self) -> Statistics:
        """What was measured so far: on the host only the updates are counted."""
        return Statistics(updates=self._model.updates)

    def close(self) -> None:
        """Unloads the library; the device cannot be used after it."""
        if self._c is not None:
            self._ffi.dlclose(self._c)
            self._c = None

    def _check(self, status: int) -> None:
        if status != _OK:
            raise InternalError(f"the runtime answered with status {status}")
