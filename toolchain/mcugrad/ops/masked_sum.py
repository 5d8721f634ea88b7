"""A gradient under its mask, and its sum over all positions of each channel, in one pass.

Shapes: dy [..., C], its mask, and optionally the sum gathered so far [C]; results dx [..., C] and
the sum [C]. They are those of ``saturation_mask_bwd`` and then ``channel_sum``.
"""

from __future__ import annotations

from collections.abc import Sequence

from mcugrad.ir.tensor import Array
from mcugrad.ops import linear
from mcugrad.ops.base import FLOATS, Kernel, NoAttrs, Op, OpCall, Spec, of_type, register, require
from mcugrad.ops.mask import check_mask, masked
from mcugrad.ops.shapes import channel_params, given


def _infer(call: OpCall) -> tuple[Spec, ...]:
    dy = call.input(0)
    require(dy.dtype.is_float and dy.size > 0, "a float gradient with channels")
    (dx,) = check_mask(call, 1, (Spec(dy.shape, dy.dtype),))
    return dx, *linear.check_gathered(call, 2, Spec(dy.shape[-1:], dy.dtype))


def _reference(_call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    dy, mask, *gathered = given(values)
    dx = masked(dy, [mask])
    return dx, *linear.add_gathered(dx.reshape(-1, dx.shape[-1]).sum(axis=0), gathered)


register(
    Op(
        "masked_sum",
        NoAttrs,
        _infer,
        _reference,
        kernels=tuple(
            Kernel(
                f"mg_masked_sum_{dtype}_fwd",
                None,
                params=channel_params,
                matches=of_type(dtype),
                inplace=((0, 0), (1, 2)),
                arity=3,
                shared=True,
            )
            for dtype in FLOATS
        ),
    )
)
