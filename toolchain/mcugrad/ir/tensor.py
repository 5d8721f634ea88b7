"""What a tensor is: shape, element type, quantisation, and where its bytes live."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mcugrad.ir.draw import Draw

Array = NDArray[Any]


class DType(StrEnum):
    """Element types, spelled as in the names of the C kernels."""

    S8 = "s8"
    U8 = "u8"  # eight one-bit marks a byte
    S16 = "s16"
    S32 = "s32"
    F16 = "f16"
    F32 = "f32"

    @property
    def numpy(self) -> np.dtype[Any]:
        """The NumPy type that stores one element."""
        return _NUMPY[self]

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return self.numpy.itemsize

    @property
    def is_float(self) -> bool:
        """Whether arithmetic on it is floating point."""
        return self in (DType.F16, DType.F32)


_NUMPY: dict[DType, np.dtype[Any]] = {
    DType.S8: np.dtype(np.int8),
    DType.U8: np.dtype(np.uint8),
    DType.S16: np.dtype(np.int16),
    DType.S32: np.dtype(np.int32),
    DType.F16: np.dtype(np.float16),
    DType.F32: np.dtype(np.float32),
}


class Storage(StrEnum):
    """Where a tensor's bytes live, which follows from who writes them and when."""

    VALUE = "value"  # computed in a step, lives in the arena
    CONSTANT = "constant"  # never written, lives in flash
    STATE = "state"  # written by one step and read by the next: SRAM, outside the arena


@dataclass(frozen=True)
class QuantParams:
    """Affine quantisation ``real = scale * (q - zero_point)``.

    One scale and zero point for the whole tensor (``axis is None``), or one for
    each index along ``axis``. Scales are float32 values held as Python floats.
    ``unit`` is what gradients and updates take them as multiples of; None: the largest.
    """

    scale: tuple[float, ...]
    zero_point: tuple[int, ...]
    axis: int | None = None
    unit: float | None = None

    @property
    def per_tensor(self) -> tuple[float, int]:
        """Scale and zero point of a tensor that has just one of each."""
        if len(self.scale) != 1:
            raise ValueError("quantisation is per channel, not per tensor")
        return self.scale[0], self.zero_point[0]


@dataclass(frozen=True, eq=False)
class Tensor:
    """One value of the graph. Shapes are static; images are NHWC with N = 1.

    ``data`` is the content of a CONSTANT, the initial content of a STATE, and None for a VALUE.
    A STATE without it starts as what ``draw`` draws, so that it need not be stored; or as zeros.
    """

    name: str
    shape: tuple[int, ...]
    dtype: DType
    quant: QuantParams | None = None
    storage: Storage = Storage.VALUE
    data: Array | None = None
    draw: Draw | None = None

    @property
    def size(self) -> int:
        """Number of elements."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Number of bytes."""
        return self.size * self.dtype.itemsize

    def renamed(self, name: str) -> Tensor:
        """The same tensor under another name."""
        return replace(self, name=name)

    def initial(self) -> Array:
        """The content of a CONSTANT, or what a STATE starts with."""
        if self.data is not None:
            return self.data
        if self.draw is None:
            return np.zeros(self.shape, self.dtype.numpy)
        content = self.draw.floats if self.dtype.is_float else self.draw.integers
        return content(self.shape).astype(self.dtype.numpy)


def constant(
    name: str, data: Array, quant: QuantParams | None = None, storage: Storage = Storage.CONSTANT
) -> Tensor:
    """A tensor holding ``data``; the element type follows from the array."""
    dtype = next((d for d in DType if d.numpy == data.dtype), None)
    if dtype is None:
        raise ValueError(f"{name}: no element type for {data.dtype}")
    return Tensor(name, tuple(data.shape), dtype, quant, storage, np.ascontiguousarray(data))
