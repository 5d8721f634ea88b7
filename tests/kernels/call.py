"""Calls one C kernel for a case and judges what it did.

Every buffer is malloc's, exactly as large as its tensor or with guard bytes around it: the
first lets an address sanitizer see each access beyond it, the second finds stray writes
without one.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from cffi import FFI

from mcugrad.headers import KERNELS, declarations
from mcugrad.ir.tensor import Array, Tensor
from mcugrad.ops import lookup
from mcugrad.ops.base import CArray, CStruct, CValue, Kernel
from mcugrad.parity import operator_bound
from tests.ops.case import Case

_GUARD = 64
_FILL = 0xA5


class Buffer:
    """Memory for one tensor, followed and preceded by ``guard`` known bytes."""

    def __init__(self, ffi: FFI, libc: Any, size: int, guard: int) -> None:
        memory = ffi.gc(libc.malloc(size + 2 * guard), libc.free)
        self._all = np.frombuffer(ffi.buffer(memory, size + 2 * guard), np.uint8)
        self._all[:] = _FILL
        self._owner = memory
        self._guard = guard
        self._size = size
        self.pointer = ffi.cast("char *", memory) + guard

    @property
    def bytes(self) -> Array:
        """The tensor's own bytes."""
        return self._all[self._guard : self._guard + self._size]

    def intact(self) -> bool:
        """Whether the guard bytes are as they were."""
        inside = slice(self._guard, self._guard + self._size)
        return bool(np.all(np.delete(self._all, inside) == _FILL))


class Kernels:
    """A library of the kernels."""

    def __init__(self, library: Path, *, guard: int = _GUARD) -> None:
        self._ffi = FFI()
        self._ffi.cdef(declarations(*KERNELS))
        self._ffi.cdef("void *malloc(size_t size); void free(void *memory);")
        self._libc = self._ffi.dlopen(None)
        self._library = self._ffi.dlopen(str(library))
        self._guard = guard

    def check(self, case: Case) -> None:
        """Calls every kernel that serves it, once more for each in-place pair."""
        for kernel in serving(case):
            _compare(case, kernel, self._run(case, kernel, {}))
            for output, source in kernel.inplace_pairs(case.call):
                operand = case.call.inputs[source] if source < len(case.inputs) else None
                if operand is not None and operand.nbytes == case.call.outputs[output].nbytes:
                    _compare(case, kernel, self._run(case, kernel, {output: source}))

    def results(self, case: Case, family: str | None = None) -> list[Array]:
        """What the one of that family computes; None: the one of every target."""
        wanted = set() if family is None else {family}
        kernel = next(k for k in serving(case) if k.features == wanted)
        return self._run(case, kernel, {})

    def _buffer(self, size: int) -> Buffer:
        return Buffer(self._ffi, self._libc, size, self._guard)

    def _run(self, case: Case, kernel: Kernel, shared: dict[int, int]) -> list[Array]:
        stored = _stored(case, kernel)
        inputs = [None if v is None else self._holding(v) for v in stored]
        outputs: list[Buffer] = []
        for index, tensor in enumerate(case.call.outputs):
            source = inputs[shared[index]] if index in shared else None
            outputs.append(source if source is not None else self._buffer(tensor.nbytes))
        keep: list[Any] = []
        structs = [self._struct(of(case.call), keep) for of in (kernel.params, kernel.quant) if of]
        before: list[Buffer] = []
        if kernel.scratch:
            size_of: Callable[..., int] = getattr(self._library, f"{kernel.symbol}_scratch_size")
            before = [self._buffer(size_of(*structs[:1]))]
        absent = [None] * (kernel.arity - len(inputs))
        arguments = [*before, *structs, *inputs, *absent, *outputs]
        self._invoke(kernel.symbol, arguments)

        for index, buffer in enumerate((*before, *inputs, *outputs)):
            assert buffer is None or buffer.intact(), f"wrote outside buffer {index}"
        for index, (buffer, value) in enumerate(zip(inputs, stored, strict=True)):
            if buffer is not None and value is not None and buffer not in outputs:
                assert np.array_equal(buffer.bytes, _bytes(value)), f"changed input {index}"
        return [
            buffer.bytes.view(tensor.dtype.numpy).reshape(tensor.shape)
            for tensor, buffer in zip(case.call.outputs, outputs, strict=True)
        ]

    def _holding(self, value: Array) -> Buffer:
        buffer = self._buffer(value.nbytes)
        buffer.bytes[:] = _bytes(value)
        return buffer

    def _struct(self, struct: CStruct, keep: list[Any]) -> Any:
        def initialiser(value: CValue) -> Any:
            if isinstance(value, CArray):
                keep.append(self._ffi.new(f"{value.dtype}[]", list(value.values)))
                return keep[-1]
            if isinstance(value, CStruct):
                declared = [name for name, _ in self._ffi.typeof(value.ctype).fields]
                names = list(value.fields)
                assert names == declared, f"fields of {value.ctype} differ from the header"
                return {name: initialiser(field) for name, field in value.fields.items()}
            return list(value) if isinstance(value, tuple) else value

        return self._ffi.new(f"{struct.ctype} *", initialiser(struct))

    def _invoke(self, symbol: str, arguments: list[Any]) -> None:
        function = getattr(self._library, symbol)
        types = self._ffi.typeof(function).args
        assert len(types) == len(arguments), f"{symbol} takes {len(types)} arguments"
        function(
            *(
                self._ffi.cast(ctype, argument.pointer)
                if isinstance(argument, Buffer)
                else self._ffi.NULL
                if argument is None
                else argument
                for ctype, argument in zip(types, arguments, strict=True)
            )
        )


def _stored(case: Case, kernel: Kernel) -> list[Array | None]:
    """The content of the inputs, the weight in the kernel's layout."""
    stored = list(case.stored)
    if kernel.layout is not None:
        weight = stored[1]
        assert weight is not None
        stored[1] = kernel.layout(case.call).pack(weight)
    return stored


def serving(case: Case) -> list[Kernel]:
    """The rows that some target may use, to the first that every target can."""
    found = []
    for kernel in lookup(case.op).kernels:
        if kernel.suits(case.call, kernel.features):
            found.append(kernel)
            if not kernel.features:
                break
    return found


def has_kernel(case: Case) -> bool:
    """Whether the operator is more than a view."""
    return not lookup(case.op).view


def _bytes(value: Array) -> Array:
    return np.ascontiguousarray(value).reshape(-1).view(np.uint8)


def _compare(case: Case, kernel: Kernel, results: list[Array]) -> None:
    for tensor, got, wanted in zip(case.call.outputs, results, case.expected(), strict=True):
        _compare_tensor(tensor, got, wanted, kernel.half_sums)


def _compare_tensor(tensor: Tensor, got: Array, wanted: Array, half_sums: bool) -> None:
    if not tensor.dtype.is_float:
        np.testing.assert_array_equal(got, wanted)
        return
    assert np.all(np.isfinite(got)), "a result is not finite"
    error = float(np.max(np.abs(got.astype(np.float64) - wanted), initial=0.0))
    largest = float(np.max(np.abs(wanted), initial=0.0))
    relative = operator_bound(tensor.dtype, half_sums=half_sums)
    bound = max(relative * largest, float(np.finfo(tensor.dtype.numpy).tiny))
    assert error <= bound, f"error {error:.3g}, largest value {largest:.3g}"
