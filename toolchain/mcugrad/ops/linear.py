"""What operators share that sum products of x and w: types, arithmetic, gradients.

Their inputs are x, w and optionally b, one bias for each output channel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import (
    CStruct,
    Floats,
    GradientContext,
    Kernel,
    Matches,
    NoAttrs,
    OpCall,
    Spec,
    StructOf,
    Variant,
    float_kernels,
    require,
    with_variants,
)
from mcugrad.ops.clamp_range import Clamp
from mcugrad.ops.requantize import (
    Requantization,
    Rescaling,
    affine,
    quant_of,
    real_values,
    scales,
)
from mcugrad.ops.shapes import given


def check_operands(call: OpCall, axis: int) -> None:
    """That x, w and b have types that go together; ``axis`` is the output channels of w."""
    x, w = call.input(0), call.input(1)
    require(x.dtype.is_float or x.dtype is DType.S8, f"input of type {x.dtype}")
    require(w.dtype is x.dtype, f"{w.dtype} weights with {x.dtype} input")
    if call.has_input(2):
        b = call.input(2)
        require(b.shape == (w.shape[axis],), f"bias {b.shape} for {w.shape[axis]} channels")
        wanted = x.dtype if x.dtype.is_float else DType.S32
        require(b.dtype is wanted, f"{b.dtype} bias with {x.dtype} input")
    if x.dtype is DType.S8:
        require(len(quant_of(x).scale) == 1, "the input is quantised per channel")
        quant = quant_of(w)
        require(not any(quant.zero_point), "int8 weights have a zero point other than 0")
        require(
            len(quant.scale) == 1 or (quant.axis == axis and len(quant.scale) == w.shape[axis]),
            "int8 weights are quantised along another axis than the output channels",
        )


def forward(
    call: OpCall,
    values: Sequence[Array | None],
    sums: Callable[[Floats, Floats], Floats],
    clamp: Clamp,
    requantization: Callable[[], Requantization | Rescaling],
) -> tuple[Array, ...]:
    """The output, from ``sums`` of products of x and w, float or int8."""
    x, w, b = [*values, None][:3]
    assert x is not None
    assert w is not None
    if call.dtype is DType.S8:
        quant = requantization()
        centred = x.astype(np.float64) - quant.input_zero_point
        return (quant.apply(sums(centred, w.astype(np.float64)), b),)
    y = sums(x, w)
    return (clamp.apply(y if b is None else y + b),)


def check_gathered(call: OpCall, index: int, spec: Spec) -> tuple[Spec, ...]:
    """A parameter's gradient; the optional input at ``index`` is what to add it to."""
    if call.has_input(index):
        gathered = call.input(index)
        require(Spec(gathered.shape, gathered.dtype) == spec, "gathered gradient of another type")
    return (spec,)


def gradient_operands(
    call: OpCall, values: Sequence[Array | None]
) -> tuple[Floats, Floats, Sequence[Array]]:
    """The two operands of a gradient, int8 ones as real numbers, and what it is added to."""
    first, second, *gathered = given(values)
    return real_values(call.input(0), first), real_values(call.input(1), second), gathered


def _never(_call: OpCall) -> bool:
    return False


def fwd_kernels(
    op: str,
    params: StructOf,
    int8: StructOf,
    *,
    scratch: bool = False,
    inplace_in: Matches = _never,
    variants: Sequence[Variant] = (),
) -> tuple[Kernel, ...]:
    """The rows of the forward pass.

    ``int8`` gives what rounds the sums of int8 products, ``scratch`` tells whether the int8
    kernel lays its inputs out anew, and ``inplace_in`` in which calls it may write y over x.
    """
    portable = Kernel(
        f"mg_{op}_s8_fwd",
        DType.S8,
        params=params,
        quant=int8,
        scratch=scratch,
        inplace=((0, 0),),
        inplace_in=inplace_in,
        arity=3,
        shared=True,
    )
    return (
        *with_variants(portable, variants),
        *float_kernels(
            f"mg_{op}_{{}}_fwd",
            variants,
            params=params,
            quant=lambda call: call.attrs.clamp.params(),
            arity=3,
            shared=True,
        ),
    )


def bwd_data_kernels(
    op: str, params: StructOf, axis: int, variants: Sequence[Variant] = ()
) -> tuple[Kernel, ...]:
    """The rows of ``<op>_bwd_data``.

    ``axis`` is the output channels of w, whose scales the kernel with int8 weights lays out.
    """

    def quant(call: OpCall) -> CStruct:
        w = call.input(1)
        return scales(quant_of(w), w.shape[axis])

    int8 = Kernel(
        f"mg_{op}_s8_bwd_data",
        None,
        params=params,
        quant=quant,
        matches=_reads_int8(1),
        scratch=True,
        shared=True,
    )
    return (
        *with_variants(int8, variants, DType.S8),
        *float_kernels(f"mg_{op}_{{}}_bwd_data", variants, params=params, shared=True),
    )


def bwd_weight_kernels(
    op: str, params: StructOf, variants: Sequence[Variant] = ()
) -> tuple[Kernel, ...]:
    """The rows of ``<op>_bwd_weight``."""
    int8 = Kernel(
        f"mg_{op}_s8_bwd_weight",
        None,
        params=params,
        quant=lambda call: affine(call.input(0)),
        matches=_reads_int8(0),
        inplace=((0, 2),),
        arity=3,
        shared=True,
    )
    return (
        *with_variants(int8, variants, DType.S8),
        *float_kernels(
            f"mg_{op}_{{}}_bwd_weight",
            variants,
            params=params,
            inplace=((0, 2),),
            arity=3,
            shared=True,
        ),
    )


def _reads_int8(index: int) -> Callable[[OpCall], bool]:
    """That the input at ``index`` is int8 and all others are floats."""

    def matches(call: OpCall) -> bool:
        types = [t.dtype for t in call.inputs if t is not None]
        return types[index] is DType.S8 and types.count(DType.F32) == len(types) - 1

    return matches


def add_gathered(gradient: Floats, gathered: Sequence[Array]) -> tuple[Array, ...]:
    """A parameter's gradient, added to the one gathered so far if there is any."""
    return (gradient + sum(gathered),)


def gradient(
    ctx: GradientContext,
    op: str,
    names: tuple[Sequence[str], str],
    data_attrs: Any,
    weight: Callable[[], tuple[Any, str, str]],
) -> Sequence[str | None]:
    """Emits ``<op>_bwd_data``, ``<op>_bwd_weight`` and the bias gradient, as needed.

    ``names`` are those of the inputs, and of the gradient before the activation.
    ``weight`` gives the attributes, x and dy of the weight's gradient, which may be that of
    some channels only.
    """
    (x, w, *b), dy = names
    dx = dw = db = None
    if ctx.needs(x):
        dx = ctx.emit(f"{op}_bwd_data", data_attrs, (dy, w), f"d.{x}")
    if ctx.needs(w):
        attrs, x_kept, dy_kept = weight()
        dw = ctx.emit(f"{op}_bwd_weight", attrs, (x_kept, dy_kept), f"d.{w}")
    if any(b) and ctx.needs(b[0]):
        db = ctx.emit("channel_sum", NoAttrs(), (dy,), f"d.{b[0]}")
    return (dx, dw, db)[: len(names[0])]
