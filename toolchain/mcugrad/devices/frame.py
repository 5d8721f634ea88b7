"""Frames of the link: COBS ended by a zero, a CRC-32, as in runtime/core/frame.c."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

_LONGEST_BLOCK = 254
_HEADER = struct.Struct("<HB")
_CHECKSUM = struct.Struct("<I")


@dataclass(frozen=True)
class Frame:
    """One message: what it is numbered, what it is, what it carries."""

    sequence: int
    kind: int
    payload: bytes = b""

    def encode(self) -> bytes:
        """The bytes that go over the wire, the ending zero included."""
        content = _HEADER.pack(self.sequence, self.kind) + self.payload
        return cobs(content + _CHECKSUM.pack(zlib.crc32(content))) + b"\0"

    @classmethod
    def decode(cls, wire: bytes) -> Frame | None:
        """The frame in ``wire``, the bytes before a zero; None if it is damaged."""
        content = uncobs(wire)
        if content is None or len(content) < _HEADER.size + _CHECKSUM.size:
            return None
        body, checksum = content[: -_CHECKSUM.size], content[-_CHECKSUM.size :]
        if _CHECKSUM.pack(zlib.crc32(body)) != checksum:
            return None
        sequence, kind = _HEADER.unpack_from(body)
        return cls(sequence, kind, body[_HEADER.size :])


def cobs(content: bytes) -> bytes:
    """``content`` without zeros, by Consistent Overhead Byte Stuffing."""
    out = bytearray()
    for run in content.split(b"\0"):
        start = 0
        while len(run) - start >= _LONGEST_BLOCK:
            out.append(_LONGEST_BLOCK + 1)
            out += run[start : start + _LONGEST_BLOCK]
            start += _LONGEST_BLOCK
        out.append(len(run) - start + 1)
        out += run[start:]
    return bytes(out)


def uncobs(wire: bytes) -> bytes | None:
    """What :func:`cobs` was given; None if no content gives these bytes."""
    out = bytearray()
    start = 0
    while start < len(wire):
        code = wire[start]
        block = wire[start + 1 : start + code]
        if code == 0 or len(block) != code - 1:
            return None
        out += block
        start += code
        if code <= _LONGEST_BLOCK and start < len(wire):
            out.append(0)
    return bytes(out)


class Splitter:
    """Cuts a stream of bytes into frames."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, received: bytes) -> Iterator[Frame | None]:
        """The frames that ``received`` completes; None for a damaged one."""
        *whole, self._rest = (self._rest + received).split(b"\0")
        for wire in whole:
            if wire:
                yield Frame.decode(wire)
