"""The arithmetic of integer gradients, and the rules that layers share.

A gradient is ``code * 2^exponent * scale``. Codes are int16; the exponent is computed in each
step and the scale is known to the compiler. The codes of an input gradient are its int32 sums
shifted right. By how much is decided from earlier steps, so no second pass over them is needed;
FP8 training calls that delayed scaling (Micikevicius et al., "FP8 Formats for Deep Learning",
2022). Here it is steadier: the loss's gradient fills the codes in every step, the bits of each
gradient's largest code are handed on, and only a layer's gain is taken from the past.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, log2, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mcugrad.ir.graph import Node
from mcugrad.ir.tensor import Array, DType, QuantParams, Tensor
from mcugrad.ops.base import (
    CStruct,
    Floats,
    IntegerContext,
    IntegerRule,
    Kernel,
    Op,
    OpCall,
    Spec,
    StructOf,
    Variant,
    register,
    require,
    with_variants,
)
from mcugrad.ops.requantize import quant_of
from mcugrad.ops.scale_channels import ScaleChannelsAttrs
from mcugrad.ops.shapes import given

Ints = NDArray[np.int64]

#: Largest code; bits of the largest that a step aims at; steps whose gains decide the next.
LIMIT, CODE_BITS, WINDOW = 32767, 14, 8

#: Positions whose products an int32 surely holds.
_SAFE_POSITIONS = 256

_INT32_MAX = (1 << 31) - 1


def rounded_shift(x: Any, shift: int) -> Ints:
    """``x / 2^shift`` to nearest, halves up."""
    x = np.asarray(x, np.int64)
    return np.asarray(x if shift == 0 else ((x >> (shift - 1)) + 1) >> 1)


def codes(x: Any) -> Ints:
    """Held to the range of codes."""
    return np.clip(np.asarray(x, np.int64), -LIMIT, LIMIT)


def bits(x: Ints) -> int:
    """Bits of the largest magnitude, as C has it: of a negative x, those of -x - 1."""
    return int(np.bitwise_or.reduce((x ^ (x >> 63)).reshape(-1))).bit_length()


def narrowed(sums: Ints, dy: Array, state: Array) -> tuple[Ints, Array, Array]:
    """Codes of dx, what goes with them, and the next range.

    ``dy`` is the gradient's [exponent, bits of the largest code]. ``state`` is [gain, steps,
    largest gain]: by how many bits sums exceed codes. The gain grows at once, and shrinks to the
    largest of a window of steps; steps below 0 say that it was only guessed.
    """
    (exponent, dy_bits), (gain, steps, most) = ([int(v) for v in a] for a in (dy, state))
    shift = max(dy_bits + gain - CODE_BITS, 0)
    found = bits(sums)
    seen, steps = found - dy_bits, steps + 1
    largest = max(most, seen) if steps > 1 else seen
    if found == 0:
        following = np.asarray(state)
    elif steps <= 0 or steps >= WINDOW or seen > gain:
        following = np.array([largest, 0, largest])
    else:
        following = np.array([gain, steps, largest])
    fits = min(max(found - shift, 0), 15)
    return codes(rounded_shift(sums, shift)), np.array([exponent + shift, fits]), following


def scale_of(tensor: Tensor) -> float:
    """The scale of a gradient."""
    return quant_of(tensor).per_tensor[0]


def gradient_tensor(name: str, shape: tuple[int, ...], scale: float, dtype: DType) -> Tensor:
    """A gradient's codes."""
    return Tensor(name, shape, dtype, QuantParams((scale,), (0,)))


def exponent_tensor(gradient: str) -> Tensor:
    """What goes with a gradient's codes: their exponent, and the bits of the largest."""
    return Tensor(f"{gradient}/exponent", (2,), DType.S32)


def register_bwd_data(
    op: str,
    attrs: type,
    *,
    infer: Callable[[OpCall], tuple[Spec, ...]],
    sums: Callable[[Any, Floats, Floats], Floats],
    params: StructOf,
    products: Callable[[OpCall], int],
    variants: Sequence[Variant] = (),
) -> None:
    """Registers ``<op>_bwd_data_integer``.

    Inputs: dy codes, w int8, dy's exponent, the range. Outputs: dx codes, dx's exponent, the
    next range; see :func:`narrowed`. ``sums(attrs, dy, w)`` is the plain sum of products.
    """

    def infer_all(call: OpCall) -> tuple[Spec, ...]:
        dy, w, exponent, state = (call.input(i) for i in range(4))
        require(dy.dtype is DType.S16 and w.dtype is DType.S8, "int16 codes and int8 weights")
        require(exponent.shape == (2,) and state.shape == (3,), "an exponent and a range")
        return (*infer(call), Spec((2,), DType.S32), Spec((3,), DType.S32))

    def reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
        dy, w, exponent, state = given(values)
        exact = sums(call.attrs, dy.astype(np.float64), w.astype(np.float64))
        return narrowed(np.rint(exact).astype(np.int64), exponent, state)

    kernel = Kernel(
        f"mg_{op}_s16_bwd_data",
        None,
        params=params,
        inplace=((1, 2), (2, 3)),
        arity=4,
        shared=True,
    )
    register(
        Op(
            f"{op}_bwd_data_integer",
            attrs,
            infer_all,
            reference,
            kernels=with_variants(kernel, variants),
            products=products,
        )
    )


def bwd_data_rule(op: str, terms: Callable[[Any, Tensor], int]) -> IntegerRule:
    """Turns ``<op>_bwd_data``; ``terms(attrs, w)`` is how many products a sum has at most.

    Per-channel scales of w are worked into dy first, relative to the largest.
    """

    def rule(ctx: IntegerContext, node: Node) -> bool:
        dy, w = (ctx.tensor(n) for n in node.inputs)
        if w.dtype is not DType.S8:
            return False
        scales, count = quant_of(w).scale, terms(node.attrs, w)
        extra = max(0, ceil(log2(count * 127 * LIMIT / _INT32_MAX)))
        scale, codes_name = scale_of(dy) * max(scales), dy.name
        if len(scales) > 1 or extra:
            quant, to_most = quant_of(w), (1 << 15) / max(scales)
            unit = None if quant.unit is None else quant.unit * to_most
            factors = QuantParams(tuple(s * to_most for s in scales), quant.zero_point, unit=unit)
            scaled = gradient_tensor(
                f"{dy.name}/scaled", dy.shape, scale_of(dy) * 2.0**extra, DType.S16
            )
            ctx.emit(
                "scale_channels", ScaleChannelsAttrs(factors, 15 + extra), (dy.name,), (scaled,)
            )
            codes_name, scale = scaled.name, scale * 2.0**extra
        (name,) = node.outputs
        state, following = ctx.range(name, _likely_gain(w, count))
        exponent = exponent_tensor(name)
        results = (
            gradient_tensor(name, ctx.tensor(name).shape, scale, DType.S16),
            exponent,
            Tensor(following, (3,), DType.S32),
        )
        inputs = (codes_name, w.name, ctx.exponent(dy.name), state)
        ctx.emit(f"{op}_bwd_data_integer", node.attrs, inputs, results)
        ctx.give(name, exponent.name)
        return True

    return rule


def _likely_gain(w: Tensor, count: int) -> int:
    """About what random signs need: a sum of ``count`` products grows with the square root.

    Half of that, for many codes are zero; a step that saturates is worse than one bit less.
    """
    deviation = 32.0 if w.data is None else float(np.sqrt(np.mean(np.square(w.data, dtype=float))))
    return max(0, ceil(log2(max(1.0, deviation * sqrt(count) / 2))))


def register_bwd_weight(
    op: str,
    attrs: type,
    *,
    infer: Callable[[OpCall], tuple[Spec, ...]],
    sums: Callable[[Any, Floats, Floats], Floats],
    products: Callable[[OpCall], int],
) -> None:
    """Registers ``<op>_bwd_weight_integer``: x int8, dy codes -> int32 codes of dw.

    ``sums(attrs, x, dy)`` is the plain sum over the positions. It has no kernel of its own, but
    one together with the update; see :mod:`mcugrad.ops.weight_step`.
    """

    def infer_all(call: OpCall) -> tuple[Spec, ...]:
        x, dy = call.input(0), call.input(1)
        require(x.dtype is DType.S8 and dy.dtype is DType.S16, "int8 input and int16 codes")
        (spec,) = infer(call)
        return (Spec(spec.shape, DType.S32),)

    def reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
        x, dy = given(values)
        centred = x.astype(np.float64) - quant_of(call.input(0)).per_tensor[1]
        total = np.rint(sums(call.attrs, centred, dy.astype(np.float64))).astype(np.int64)
        return (rounded_shift(total, weight_shift(call.input(1))),)

    register(Op(f"{op}_bwd_weight_integer", attrs, infer_all, reference, products=products))


def weight_struct(x: Tensor, dy: Tensor) -> CStruct:
    """What kernels take of x and dy for the sums over the positions."""
    zero_point = quant_of(x).per_tensor[1]
    return CStruct("mg_weight_s16", {"zero_point": zero_point, "shift": weight_shift(dy)})


def weight_scale(x: Tensor, dy: Tensor) -> float:
    """The scale of the weights' gradient."""
    return scale_of(dy) * quant_of(x).per_tensor[0] * 2.0 ** weight_shift(dy)


def weight_shift(dy: Tensor) -> int:
    """By how much a sum over the positions of dy [..., C] is shifted to fit an int32."""
    positions = dy.size // dy.shape[-1]
    return max(0, ceil(log2(positions / _SAFE_POSITIONS)))


def bwd_weight_rule(op: str) -> IntegerRule:
    """Turns ``<op>_bwd_weight``."""

    def rule(ctx: IntegerContext, node: Node) -> bool:
        x, dy = (ctx.tensor(n) for n in node.inputs[:2])
        if x.dtype is not DType.S8 or len(node.inputs) > 2:
            return False
        (name,) = node.outputs
        result = gradient_tensor(name, ctx.tensor(name).shape, weight_scale(x, dy), DType.S32)
        ctx.emit(f"{op}_bwd_weight_integer", node.attrs, (x.name, dy.name), (result,))
        ctx.give(name, ctx.exponent(dy.name))
        return True

    return rule


def carried(ctx: IntegerContext, node: Node) -> bool:
    """The rule of operators that move codes and change none but to zero."""
    ctx.carry(node)
    return True
