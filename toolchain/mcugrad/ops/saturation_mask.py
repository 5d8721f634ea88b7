"""One bit an element for results at the ends of their int8 range, and the gradient it masks.

A result that is at a limit passes no gradient, so where nothing else of it is needed backward, a
bit is all that is kept ("On-Device Training Under 256KB Memory"; MobileTL keeps such bits of
ReLU6 and Hard-Swish). It is set where the element lies inside the range.
"""

from __future__ import annotations

from collections.abc import Sequence

from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import (
    FLOATS,
    CStruct,
    Kernel,
    NoAttrs,
    Op,
    OpCall,
    Spec,
    of_type,
    register,
    require,
)
from mcugrad.ops.clamp import int8_range, limits
from mcugrad.ops.clamp_range import Clamp
from mcugrad.ops.integer_gradient import carried
from mcugrad.ops.mask import check_mask, mask_spec, masked, packed
from mcugrad.ops.shapes import given, infer_same, size_params


def _infer(call: OpCall) -> tuple[Spec, ...]:
    y = call.input(0)
    require(y.dtype is DType.S8, f"marks of {y.dtype}")
    return (mask_spec(y.size),)


def _reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    (y,) = given(values)
    low, high = limits(call.attrs, call.input(0))
    return (packed((y > low) & (y < high)),)


def _quant(call: OpCall) -> CStruct:
    return int8_range(call.attrs, call.input(0))


def _infer_bwd(call: OpCall) -> tuple[Spec, ...]:
    return check_mask(call, 1, infer_same(call))


def _bwd_reference(_call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    dy, *mask = given(values)
    return (masked(dy, mask),)


register(
    Op(
        "saturation_mask",
        Clamp,
        _infer,
        _reference,
        kernels=(
            Kernel(
                "mg_saturation_mask_s8_fwd", DType.S8, params=size_params, quant=_quant, shared=True
            ),
        ),
    )
)
register(
    Op(
        "saturation_mask_bwd",
        NoAttrs,
        _infer_bwd,
        _bwd_reference,
        kernels=tuple(
            Kernel(
                f"mg_saturation_mask_{dtype}_bwd_data",
                None,
                params=size_params,
                matches=of_type(dtype),
                inplace=((0, 0),),
                shared=True,
            )
            for dtype in (*FLOATS, DType.S16)
        ),
        integer=carried,
    )
)
