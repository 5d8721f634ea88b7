"""The sum of each channel of integer gradients, and the same codes scaled, in one pass.

Shapes: x [..., C] of int16 codes and optionally its mask; results y [..., C], of which each
channel has a factor as in ``scale_channels``, and the int32 sum [C] of what was not scaled yet.
"""

from __future__ import annotations

from collections.abc import Sequence

from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import Kernel, Op, OpCall, Spec, register
from mcugrad.ops.channel_sum import check_positions
from mcugrad.ops.mask import check_mask, masked
from mcugrad.ops.scale_channels import (
    ScaleChannelsAttrs,
    check_multipliers,
    multipliers,
    scaled,
)
from mcugrad.ops.shapes import channel_params, given


def _infer(call: OpCall) -> tuple[Spec, ...]:
    x = call.input(0)
    check_positions(x)
    return *check_mask(call, 1, check_multipliers(call)), Spec(x.shape[-1:], DType.S32)


def _reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    x, *mask = given(values)
    passed = masked(x, mask)
    return scaled(call.attrs, passed), passed.reshape(-1, x.shape[-1]).sum(axis=0)


register(
    Op(
        "scaled_sum",
        ScaleChannelsAttrs,
        _infer,
        _reference,
        kernels=(
            Kernel(
                "mg_scaled_sum_s16_fwd",
                None,
                params=channel_params,
                quant=multipliers,
                inplace=((0, 0),),
                arity=2,
                shared=True,
            ),
        ),
    )
)
