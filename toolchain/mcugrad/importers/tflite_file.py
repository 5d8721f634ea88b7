"""A .tflite file opened, checked, and seen as tensors and operators.

What is read here is still TFLite's: indices, builtin names, options. Turning it into our
operators is the table in ``tflite_ops``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import tflite

from mcugrad.errors import ModelError
from mcugrad.importers.flatbuffer import Child, Children, Schema, Vector, check_flatbuffer

MAX_FILE_BYTES = 1 << 26

#: A table without fields, for options that the file leaves out: its vtable, then itself.
_EMPTY_TABLE = (b"\4\0\4\0\4\0\0\0", 4)

_SCHEMA: Schema = {
    "Model": {1: Children("OperatorCode"), 2: Children("SubGraph"), 4: Children("Buffer")},
    "OperatorCode": {1: Vector(1)},
    "SubGraph": {
        0: Children("Tensor"),
        1: Vector(4),
        2: Vector(4),
        3: Children("Operator"),
        4: Vector(1),
    },
    "Tensor": {
        0: Vector(4),
        3: Vector(1),
        4: Child("QuantizationParameters"),
        6: Child("Options"),
        7: Vector(4),
    },
    "QuantizationParameters": {2: Vector(4), 3: Vector(8)},
    "Operator": {1: Vector(4), 2: Vector(4), 4: Child("Options")},
    "Options": {},  # those that are read hold scalars alone
    "Buffer": {0: Vector(1)},
}


@dataclass(frozen=True)
class Operator:
    """One operator of the file; absent inputs have index -1."""

    position: int
    builtin: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    table: Any

    def options(self, kind: Any) -> Any:
        """Its options, as the accessor class ``kind``; the defaults where it has none."""
        accessor = kind()
        stored = self.table.BuiltinOptions()
        if stored is None:
            accessor.Init(*_EMPTY_TABLE)
        elif self.table.BuiltinOptionsType() == getattr(tflite.BuiltinOptions, kind.__name__):
            accessor.Init(stored.Bytes, stored.Pos)
        else:
            raise ModelError("its options are those of another operator")
        return accessor


class ModelFile:
    """The one subgraph of a .tflite file that has passed the structural check."""

    def __init__(self, data: bytes) -> None:
        if len(data) > MAX_FILE_BYTES:
            raise ModelError(f"it is larger than {MAX_FILE_BYTES} bytes")
        check_flatbuffer(data, b"TFL3", _SCHEMA, "Model")
        # The end is padded so that a scalar in the last bytes can be read whole.
        self.model = tflite.Model.GetRootAsModel(data + bytes(8), 0)
        if self.model.SubgraphsLength() != 1:
            raise ModelError(
                f"{self.model.SubgraphsLength()} subgraphs; only a model of one subgraph, "
                "without control flow, is supported"
            )
        self.subgraph = self.model.Subgraphs(0)
        self.tensor_count: int = self.subgraph.TensorsLength()
        self.inputs = integers(self.subgraph.InputsAsNumpy())
        self.outputs = integers(self.subgraph.OutputsAsNumpy())

    @cached_property
    def operators(self) -> tuple[Operator, ...]:
        """The operators in the order in which they run."""
        return tuple(self._read_operators())

    def _read_operators(self) -> Iterator[Operator]:
        builtins = [
            _builtin_name(self.model.OperatorCodes(i))
            for i in range(self.model.OperatorCodesLength())
        ]
        for position in range(self.subgraph.OperatorsLength()):
            table = self.subgraph.Operators(position)
            code = table.OpcodeIndex()
            if code >= len(builtins):
                raise ModelError(f"operator {position} has no operator code")
            inputs = integers(table.InputsAsNumpy())
            outputs = integers(table.OutputsAsNumpy())
            if not all(-1 <= i < self.tensor_count for i in inputs) or not all(
                0 <= i < self.tensor_count for i in outputs
            ):
                raise ModelError(f"operator {position} names a tensor that does not exist")
            yield Operator(position, builtins[code], inputs, outputs, table)


def integers(vector: Any) -> tuple[int, ...]:
    """A vector of integers; the accessors return 0 for one that is absent."""
    return () if isinstance(vector, int) else tuple(vector.tolist())


def printable(text: bytes | None) -> str:
    """A name from the file, fit to be shown."""
    name = (text or b"")[:256].decode("utf-8", "replace")
    return "".join(c if c.isprintable() else "_" for c in name)


def _builtin_name(code: Any) -> str:
    # Files older than the int32 field hold the code in a byte alone.
    number = max(code.DeprecatedBuiltinCode(), code.BuiltinCode())
    name = tflite.BUILTIN_OPCODE2NAME.get(number, f"builtin {number}")
    return f"CUSTOM {printable(code.CustomCode())!r}" if name == "CUSTOM" else name
