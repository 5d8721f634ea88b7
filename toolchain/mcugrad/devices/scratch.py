"""Asks the kernels themselves how much scratch they need."""

from __future__ import annotations

from functools import cache
from typing import Any

from cffi import FFI

from mcugrad.build import kernel_library
from mcugrad.headers import KERNELS, declarations
from mcugrad.ops.base import CArray, CStruct, CValue


@cache
def _kernels() -> tuple[FFI, Any]:
    ffi = FFI()
    ffi.cdef(declarations(*KERNELS))
    return ffi, ffi.dlopen(str(kernel_library()))


def scratch_size(symbol: str, params: CStruct | None) -> int:
    """The bytes of scratch that the kernel ``symbol`` needs with ``params``."""
    ffi, library = _kernels()
    keep: list[Any] = []

    def initialiser(value: CValue) -> Any:
        if isinstance(value, CArray):
            keep.append(ffi.new(f"{value.dtype}[]", list(value.values)))
            return keep[-1]
        if isinstance(value, CStruct):
            return {name: initialiser(field) for name, field in value.fields.items()}
        return list(value) if isinstance(value, tuple) else value

    function = getattr(library, f"{symbol}_scratch_size")
    if params is None:
        return int(function())
    return int(function(ffi.new(f"{params.ctype} *", initialiser(params))))
