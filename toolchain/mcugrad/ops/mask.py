"""One bit an element of a gradient, set where it passes; elsewhere the gradient is 0.

Bit i % 8 of byte i / 8 is element i's.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import OpCall, Spec, require


def mask_spec(size: int) -> Spec:
    """The mask of so many elements."""
    return Spec((-(-size // 8),), DType.U8)


def packed(passes: Array) -> Array:
    """The mask of these elements."""
    return np.packbits(passes, bitorder="little")


def masked(gradient: Array, mask: Sequence[Array]) -> Array:
    """What the mask, if one is given, lets through."""
    for bits in mask:
        passes = np.unpackbits(bits, count=gradient.size, bitorder="little")
        gradient = np.where(passes.reshape(gradient.shape), gradient, 0)
    return gradient


def check_mask(call: OpCall, index: int, specs: tuple[Spec, ...]) -> tuple[Spec, ...]:
    """``specs``, of which the first is masked by the optional input at ``index``."""
    if call.has_input(index):
        mask, size = call.input(index), int(np.prod(specs[0].shape))
        require(Spec(mask.shape, mask.dtype) == mask_spec(size), "a mask has a bit an element")
    return specs
