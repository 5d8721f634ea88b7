"""The maximum of each window.

The gradient goes to the first maximum of the window, row by row; a NaN counts as the
greatest value, so that it shows in the loss.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import OpCall
from mcugrad.ops.pool import PoolAttrs, PoolBwdAttrs, code_range, register_pool
from mcugrad.ops.shapes import given


def _reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    (x,) = given(values)
    attrs: PoolAttrs = call.attrs
    if call.dtype is DType.S8:
        highest = attrs.window.taps(x[0], fill=-128).max(axis=(2, 3))
        return (np.clip(highest, *code_range(call)).astype(np.int8)[None],)
    highest = attrs.window.taps(x[0], fill=-np.inf).max(axis=(2, 3))
    return (attrs.clamp.apply(highest)[None],)


def _bwd_reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    dy, x = given(values)
    attrs: PoolBwdAttrs = call.attrs
    taps = attrs.window.taps(x[0], fill=-np.inf)
    oh, ow, kh, kw, channels = taps.shape
    first = taps.reshape(oh, ow, kh * kw, channels).argmax(axis=2)
    chosen = np.arange(kh * kw)[:, None] == first[:, :, None]
    dtaps = np.where(chosen, dy[0][:, :, None], 0.0).reshape(taps.shape)
    return (attrs.window.scatter(dtaps, attrs.height, attrs.width)[None],)


register_pool("max_pool2d", _reference, _bwd_reference, bwd_reads_input=True)
