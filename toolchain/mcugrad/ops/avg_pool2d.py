"""The mean of each window; padding does not count."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mcugrad.ir.graph import Node
from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import IntegerContext, OpCall
from mcugrad.ops.pool import PoolAttrs, PoolBwdAttrs, code_range, register_pool
from mcugrad.ops.shapes import given
from mcugrad.ops.window import Window


def _counts(window: Window, height: int, width: int) -> Array:
    """Pixels of the image in each window, [OH, OW, 1]."""
    ones = np.ones((height, width, 1), np.int64)
    return np.asarray(window.taps(ones).sum(axis=(2, 3)))


def _reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    (x,) = given(values)
    attrs: PoolAttrs = call.attrs
    counts = _counts(attrs.window, x.shape[1], x.shape[2])
    if call.dtype is DType.S8:
        sums = attrs.window.taps(x[0].astype(np.int64)).sum(axis=(2, 3))
        # To nearest, halves away from zero, as LiteRT.
        means = np.sign(sums) * ((np.abs(sums) + counts // 2) // counts)
        return (np.clip(means, *code_range(call)).astype(np.int8)[None],)
    sums = attrs.window.taps(x[0]).sum(axis=(2, 3))
    return (attrs.clamp.apply(sums / counts)[None],)


def _bwd_reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    (dy,) = given(values)
    attrs: PoolBwdAttrs = call.attrs
    if call.dtype is DType.S16:  # windows side by side, their share is in the scale
        kh, kw = attrs.window.kernel
        dx = np.zeros((1, attrs.height, attrs.width, dy.shape[3]), np.int16)
        spread = dy[0].repeat(kh, axis=0).repeat(kw, axis=1)
        dx[0, : spread.shape[0], : spread.shape[1]] = spread
        return (dx,)
    share = dy[0] / _counts(attrs.window, attrs.height, attrs.width)
    kh, kw = attrs.window.kernel
    taps = np.broadcast_to(share[:, :, None, None], (*share.shape[:2], kh, kw, share.shape[2]))
    return (attrs.window.scatter(taps, attrs.height, attrs.width)[None],)


def _integer(ctx: IntegerContext, node: Node) -> bool:
    """Where no input lies in two windows, its codes are those of its window's mean."""
    window: Window = node.attrs.window
    if window.stride != window.kernel or any(window.pad):
        return False
    ctx.carry(node, 1.0 / (window.kernel[0] * window.kernel[1]))
    return True


register_pool("avg_pool2d", _reference, _bwd_reference, bwd_reads_input=False, integer=_integer)
