"""Random numbers from a counter: the same here and on every device."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray


def mixed(x: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """A 32-bit integer hash: the finaliser of MurmurHash3 (Appleby)."""
    x = x ^ (x >> np.uint32(16))
    x = x * np.uint32(0x85EBCA6B)
    x = x ^ (x >> np.uint32(13))
    x = x * np.uint32(0xC2B2AE35)
    return np.asarray(x ^ (x >> np.uint32(16)), np.uint32)


def bits(salt: int, update: int, count: int) -> NDArray[np.uint32]:
    """``count`` integers in [0, 2^24)."""
    seed = mixed(np.array([(salt + update * 0x9E3779B9) & 0xFFFFFFFF], np.uint32))
    return mixed(np.arange(count, dtype=np.uint32) + seed) >> np.uint32(8)


def draws(salt: int, update: int, count: int) -> NDArray[np.float32]:
    """``count`` numbers in [0, 1), multiples of 2^-24."""
    return bits(salt, update, count).astype(np.float32) * np.float32(2.0**-24)


@dataclass(frozen=True)
class Draw:
    """Uniform random content: floats in [-limit, limit), or all integers from -limit to limit.

    ``salt`` is of int32 and tells one draw from another.
    """

    salt: int
    limit: float

    def floats(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """The content of a tensor of floats."""
        signed = bits(self.salt, 0, prod(shape)).astype(np.int32) - np.int32(1 << 23)
        return (signed.astype(np.float32) * np.float32(self.limit * 2.0**-23)).reshape(shape)

    def integers(self, shape: tuple[int, ...]) -> NDArray[np.int32]:
        """The content of a tensor of integers."""
        limit = int(self.limit)
        scaled = bits(self.salt, 0, prod(shape)) * np.uint32(2 * limit + 1) >> np.uint32(24)
        return (scaled.astype(np.int32) - np.int32(limit)).reshape(shape)
