"""Deterministic mutations of a file, for fuzzing whatever reads it."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence

import numpy as np

_EXTREMES = (0, 1, 2, 3, 7, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 1 << 16, 1 << 24)
_EXTREMES_32 = (*_EXTREMES, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFE, 0x40000000)

Mutation = Callable[[bytearray, np.random.Generator, Sequence[bytes]], bytearray]


def mutations(seeds: Sequence[bytes], count: int, seed: int = 0) -> Iterator[bytes]:
    """``count`` files, each one of ``seeds`` with one to four mutations, mostly one."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        data = bytearray(seeds[int(rng.integers(len(seeds)))])
        for _ in range(int(rng.choice((1, 1, 1, 2, 4)))):
            data = _MUTATIONS[rng.integers(len(_MUTATIONS))](data, rng, seeds)
            if not data:
                break
        yield bytes(data)


def _position(data: bytearray, rng: np.random.Generator, size: int = 1) -> int:
    """Anywhere, or near the start, where the structure is."""
    limit = max(1, len(data) - size + 1)
    if rng.integers(2):
        limit = min(limit, 2048)
    return int(rng.integers(limit))


def _flip_bits(data: bytearray, rng: np.random.Generator, _seeds: Sequence[bytes]) -> bytearray:
    for _ in range(int(rng.integers(1, 9))):
        data[_position(data, rng)] ^= 1 << int(rng.integers(8))
    return data


def _set_bytes(data: bytearray, rng: np.random.Generator, _seeds: Sequence[bytes]) -> bytearray:
    for _ in range(int(rng.integers(1, 9))):
        data[_position(data, rng)] = int(rng.integers(256))
    return data


def _truncate(data: bytearray, rng: np.random.Generator, _seeds: Sequence[bytes]) -> bytearray:
    return data[: int(rng.integers(len(data)))]


def _extreme_word(data: bytearray, rng: np.random.Generator, _seeds: Sequence[bytes]) -> bytearray:
    """An offset, a length or an index that is one of the usual suspects."""
    if len(data) < 4:
        return data
    at = _position(data, rng, 4) & ~3
    struct.pack_into("<I", data, at, int(rng.choice(_EXTREMES_32)))
    return data


def _extreme_half(data: bytearray, rng: np.random.Generator, _seeds: Sequence[bytes]) -> bytearray:
    """The same for the 16-bit words of a vtable."""
    if len(data) < 4:
        return data
    at = _position(data, rng, 2) & ~1
    struct.pack_into("<H", data, at, int(rng.choice(_EXTREMES)) & 0xFFFF)
    return data


def _nudge_word(data: bytearray, rng: np.random.Generator, _seeds: Sequence[bytes]) -> bytearray:
    """A word a little larger or smaller than it was."""
    if len(data) < 4:
        return data
    at = _position(data, rng, 4) & ~3
    (word,) = struct.unpack_from("<I", data, at)
    struct.pack_into("<I", data, at, (word + int(rng.integers(-8, 9))) & 0xFFFFFFFF)
    return data


def _splice(data: bytearray, rng: np.random.Generator, seeds: Sequence[bytes]) -> bytearray:
    """A piece of this or another file over this one."""
    other = seeds[int(rng.integers(len(seeds)))]
    size = int(rng.integers(1, 65))
    start = int(rng.integers(max(1, len(other) - size)))
    at = _position(data, rng)
    data[at : at + size] = other[start : start + size]
    return data


def _move(data: bytearray, rng: np.random.Generator, _seeds: Sequence[bytes]) -> bytearray:
    """Bytes put in or taken out, so that everything behind them moves."""
    at, size = _position(data, rng), int(rng.integers(1, 33))
    if rng.integers(2):
        data[at:at] = bytes(size)
    else:
        del data[at : at + size]
    return data


_MUTATIONS: tuple[Mutation, ...] = (
    _flip_bits,
    _set_bytes,
    _truncate,
    _extreme_word,
    _extreme_word,
    _extreme_half,
    _nudge_word,
    _splice,
    _move,
)
