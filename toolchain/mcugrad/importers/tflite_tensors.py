"""Tensors of a .tflite file: types, shapes, quantisation and constants, each checked."""

from __future__ import annotations

from collections import Counter
from math import prod
from typing import Any

import numpy as np
import tflite

from mcugrad.errors import ModelError
from mcugrad.importers.tflite_file import ModelFile, integers, printable
from mcugrad.ir.tensor import Array, DType, QuantParams, Tensor, constant

MAX_RANK = 6
MIN_SCALE, MAX_SCALE = 1e-30, 1e30
MAX_TENSOR_BYTES = 1 << 26
MAX_CONSTANT_BYTES = 1 << 27

_DTYPES = {
    tflite.TensorType.FLOAT32: DType.F32,
    tflite.TensorType.INT8: DType.S8,
    tflite.TensorType.INT32: DType.S32,
}

#: Types that constants alone may have: half weights, and the integers that shape other tensors.
_STORED_ONLY: dict[int, np.dtype[Any]] = {
    tflite.TensorType.FLOAT16: np.dtype(np.float16),
    tflite.TensorType.INT64: np.dtype(np.int64),
}

_TYPE_NAMES = {
    value: name for name, value in vars(tflite.TensorType).items() if isinstance(value, int)
}


class TensorReader:
    """Reads the tensors of a model by index, each when it is first needed."""

    def __init__(self, file: ModelFile) -> None:
        self._file = file
        self._tensors: dict[int, Tensor] = {}
        self._names: list[str] = []
        self._taken: set[str] = set()
        self._repeats: Counter[str] = Counter()
        for index in range(file.tensor_count):
            name = printable(file.subgraph.Tensors(index).Name()) or f"tensor_{index}"
            self._names.append(self.fresh_name(name))
        self._constant_bytes = 0

    def name(self, index: int) -> str:
        """The tensor's unique name."""
        return self._names[index]

    def fresh_name(self, name: str) -> str:
        """``name``, made unique, for one more tensor."""
        unique = name
        while unique in self._taken:
            self._repeats[name] += 1
            unique = f"{name}.{self._repeats[name]}"
        self._taken.add(unique)
        return unique

    def shape(self, index: int) -> tuple[int, ...]:
        """The static shape; a dynamic batch is a batch of one."""
        table = self._file.subgraph.Tensors(index)
        shape = integers(table.ShapeAsNumpy())
        signature = integers(table.ShapeSignatureAsNumpy())
        if len(shape) > MAX_RANK:
            raise self._error(index, f"has {len(shape)} dimensions; at most {MAX_RANK} can be")
        if -1 in signature[1:]:
            raise self._error(
                index, f"has the dynamic shape {list(signature)}; export with a fixed shape"
            )
        if any(d < 1 for d in shape):
            raise self._error(index, f"has the impossible shape {list(shape)}")
        return shape

    def is_constant(self, index: int) -> bool:
        """Whether the file holds the tensor's content."""
        return self._buffer(index) is not None

    def tensor(self, index: int) -> Tensor:
        """The tensor, a CONSTANT where the file holds its content, a VALUE otherwise."""
        if index not in self._tensors:
            self._tensors[index] = self._read(index)
        return self._tensors[index]

    def content(self, index: int) -> Array:
        """The content of a constant, of any type that is read."""
        data = self._buffer(index)
        if data is None:
            raise self._error(index, "must be a constant")
        kind = self._file.subgraph.Tensors(index).Type()
        dtype = _DTYPES[kind].numpy if kind in _DTYPES else _STORED_ONLY.get(kind)
        if dtype is None:
            raise self._unsupported(index)
        shape = self.shape(index)
        if data.size != prod(shape) * dtype.itemsize:
            raise self._error(
                index,
                f"is {list(shape)} of {_type_name(kind)} but its buffer has {data.size} bytes",
            )
        self._constant_bytes += data.size
        if self._constant_bytes > MAX_CONSTANT_BYTES:
            raise ModelError(f"more than {MAX_CONSTANT_BYTES} bytes of constants")
        values: Array = np.frombuffer(data.tobytes(), dtype.newbyteorder("<")).reshape(shape)
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise self._error(index, "holds a value that is not finite")
        return values

    def replace(self, index: int, tensor: Tensor) -> None:
        """Makes the tensor at ``index`` another one from here on."""
        self._tensors[index] = tensor

    def quant(self, index: int) -> QuantParams | None:
        """The tensor's quantisation, None where it has none."""
        table = self._file.subgraph.Tensors(index).Quantization()
        if table is None or table.ScaleLength() == 0:
            return None
        shape = self.shape(index)
        scale = tuple(float(s) for s in table.ScaleAsNumpy())
        zero_point = integers(table.ZeroPointAsNumpy()) or (0,) * len(scale)
        axis = table.QuantizedDimension() if len(scale) > 1 else None
        if axis is not None and not (0 <= axis < len(shape) and len(scale) == shape[axis]):
            raise self._error(index, f"has {len(scale)} scales, which do not fit its shape")
        if len(zero_point) != len(scale):
            raise self._error(index, "does not have one zero point for each scale")
        if not all(MIN_SCALE <= s <= MAX_SCALE for s in scale):
            raise self._error(index, "has a quantisation scale that no tensor can have")
        if not all(-128 <= z <= 127 for z in zero_point):
            raise self._error(index, "has a zero point that is not an int8 value")
        if axis is not None and any(zero_point):
            raise self._error(index, "has scales per channel and zero points that are not 0")
        return QuantParams(scale, zero_point, axis)

    def _read(self, index: int) -> Tensor:
        table = self._file.subgraph.Tensors(index)
        if table.IsVariable():
            raise self._error(index, "is a variable; models with state are not supported")
        if table.Sparsity() is not None:
            raise self._error(index, "is sparse; export the model with dense weights")
        dtype = _DTYPES.get(table.Type())
        if dtype is None or (dtype is DType.S32 and not self.is_constant(index)):
            raise self._unsupported(index)
        shape = self.shape(index)
        if prod(shape) * dtype.itemsize > MAX_TENSOR_BYTES:
            raise self._error(index, f"of shape {list(shape)} is too large")
        quant = None if dtype.is_float else self.quant(index)
        if dtype is DType.S8 and quant is None:
            raise self._error(index, "is INT8 without quantisation parameters")
        if self.is_constant(index):
            content = self.content(index).astype(dtype.numpy, copy=False)
            return constant(self.name(index), content, quant)
        if quant is not None and quant.axis is not None:
            raise self._error(index, "is computed, but quantised per channel")
        return Tensor(self.name(index), shape, dtype, quant)

    def _buffer(self, index: int) -> Array | None:
        number = self._file.subgraph.Tensors(index).Buffer()
        if number >= self._file.model.BuffersLength():
            raise self._error(index, f"has buffer {number}, which does not exist")
        buffer = self._file.model.Buffers(number)
        if buffer.Offset() > 1:
            raise self._error(index, "is stored outside the FlatBuffer, which is not supported")
        data: Any = buffer.DataAsNumpy()
        return None if isinstance(data, int) or data.size == 0 else data

    def _unsupported(self, index: int) -> ModelError:
        kind = _type_name(self._file.subgraph.Tensors(index).Type())
        return self._error(index, f"is {kind}; tensors must be FLOAT32 or INT8 (and INT32 biases)")

    def _error(self, index: int, what: str) -> ModelError:
        return ModelError(f"tensor {self.name(index)!r} {what}")


def _type_name(kind: int) -> str:
    return str(_TYPE_NAMES.get(kind, f"type {kind}"))
