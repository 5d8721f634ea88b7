"""Structural check of an untrusted FlatBuffer.

The accessors that FlatBuffers generates for Python trust every offset and every count. After
:func:`check_flatbuffer` they can be used: each table, vector and string that the schema names
lies inside the buffer, and following them takes time linear in its size.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

from mcugrad.errors import ModelError

#: More references to tables than this are refused: no model for a microcontroller comes near it.
MAX_TABLES = 1 << 15

#: A table with more fields than this is refused.
MAX_SLOTS = 64


@dataclass(frozen=True)
class Vector:
    """A field that refers to a vector of scalars, or a string, of ``itemsize`` bytes each."""

    itemsize: int


@dataclass(frozen=True)
class Child:
    """A field that refers to one table."""

    table: str


@dataclass(frozen=True)
class Children:
    """A field that refers to a vector of tables."""

    table: str


#: For each table, the fields that are followed, by slot. Scalars need no entry: they begin
#: inside their table, so that reading one goes less than 8 bytes beyond the buffer.
Schema = Mapping[str, Mapping[int, Vector | Child | Children]]


def check_flatbuffer(data: bytes, identifier: bytes, schema: Schema, root: str) -> None:
    """Raises ``ModelError`` unless ``data`` is a sound FlatBuffer of the schema."""
    if len(data) < 12:
        raise ModelError(f"{len(data)} bytes are too few")
    if data[4:8] != identifier:
        raise ModelError(f"the file identifier is not {identifier.decode()!r}")
    _Checker(data, schema).table(0, root)


class _Checker:
    def __init__(self, data: bytes, schema: Schema) -> None:
        self._data = data
        self._schema = schema
        self._seen: set[tuple[int, str]] = set()
        self._references = 0

    def table(self, reference: int, kind: str) -> None:
        """Checks the table that the offset at ``reference`` refers to, and all below it."""
        self._references += 1
        if self._references > MAX_TABLES:
            raise ModelError(f"more than {MAX_TABLES} tables")
        start = self._target(reference, kind)
        if (start, kind) in self._seen:
            return
        self._seen.add((start, kind))
        positions = self._positions(start, kind)
        for slot, field in self._schema[kind].items():
            if slot < len(positions) and positions[slot]:
                self._follow(field, start + positions[slot], kind)

    def _positions(self, start: int, kind: str) -> tuple[int, ...]:
        """Where each field stands in the table; 0 where it is absent."""
        vtable = start - self._read("<i", start, kind)
        vtable_size = self._read("<H", vtable, kind)
        size = self._read("<H", vtable + 2, kind)
        slots = vtable_size // 2 - 2
        if vtable_size % 2 or not 0 <= slots <= MAX_SLOTS or size < 4:
            raise ModelError(f"{kind} table with an impossible header")
        self._within(start, size, kind)
        self._within(vtable, vtable_size, kind)
        positions = struct.unpack_from(f"<{slots}H", self._data, vtable + 4)
        if any(p and not 4 <= p < size for p in positions):
            raise ModelError(f"a field of a {kind} table lies outside it")
        return positions

    def _follow(self, field: Vector | Child | Children, reference: int, kind: str) -> None:
        match field:
            case Vector(itemsize):
                self._vector(reference, itemsize, kind)
            case Child(table):
                self.table(reference, table)
            case Children(table):
                start, length = self._vector(reference, 4, kind)
                for item in range(start, start + 4 * length, 4):
                    self.table(item, table)

    def _vector(self, reference: int, itemsize: int, kind: str) -> tuple[int, int]:
        """Start and length of the vector that the offset at ``reference`` refers to."""
        start = self._target(reference, kind)
        length = self._read("<I", start, kind)
        self._within(start + 4, length * itemsize, kind)
        return start + 4, length

    def _target(self, reference: int, kind: str) -> int:
        return reference + self._read("<I", reference, kind)

    def _read(self, code: str, position: int, kind: str) -> int:
        self._within(position, struct.calcsize(code), kind)
        value: int = struct.unpack_from(code, self._data, position)[0]
        return value

    def _within(self, position: int, size: int, kind: str) -> None:
        if position < 0 or position + size > len(self._data):
            raise ModelError(f"{kind} table reaches outside the file, which may be truncated")
