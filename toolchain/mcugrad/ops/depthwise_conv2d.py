"""Depthwise convolution: each channel has its own filters, ``multiplier`` of them.

Shapes: x [1, H, W, C], w [KH, KW, C * multiplier], b [O], y [1, OH, OW, O], where
O = C * multiplier and output channel c * multiplier + m reads channel c.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mcugrad.ir.tensor import Array, DType, Tensor
from mcugrad.ops import linear
from mcugrad.ops.base import (
    FLOATS,
    CStruct,
    Floats,
    GradientContext,
    Op,
    OpCall,
    Spec,
    Variant,
    Weights,
    register,
    require,
)
from mcugrad.ops.clamp import clamp_gradient
from mcugrad.ops.clamp_range import NONE, Clamp
from mcugrad.ops.gather_channels import GatherAttrs
from mcugrad.ops.integer_gradient import (
    bwd_data_rule,
    bwd_weight_rule,
    register_bwd_data,
    register_bwd_weight,
    weight_shift,
)
from mcugrad.ops.requantize import requantization
from mcugrad.ops.weight_step import register_weight_step
from mcugrad.ops.window import Window


@dataclass(frozen=True)
class DepthwiseConv2dAttrs:
    """Geometry, filters a channel, and the fused activation."""

    window: Window
    multiplier: int = 1
    clamp: Clamp = NONE


@dataclass(frozen=True)
class DepthwiseConv2dBwdDataAttrs:
    """The convolution, and the height and width of its input."""

    conv: DepthwiseConv2dAttrs
    height: int
    width: int


def _infer(call: OpCall) -> tuple[Spec, ...]:
    x, w = call.input(0), call.input(1)
    attrs: DepthwiseConv2dAttrs = call.attrs
    require(len(x.shape) == 4 and x.shape[0] == 1, f"input must be [1, H, W, C], not {x.shape}")
    wanted = (*attrs.window.kernel, x.shape[3] * attrs.multiplier)
    require(attrs.multiplier >= 1 and w.shape == wanted, f"weights {w.shape} instead of {wanted}")
    linear.check_operands(call, axis=2)
    oh, ow = attrs.window.output_size(x.shape[1], x.shape[2])
    return (Spec((1, oh, ow, wanted[2]), x.dtype),)


def _repeated_taps(x: Array, attrs: DepthwiseConv2dAttrs) -> Array:
    """What each output channel reads, [OH, OW, KH, KW, O], of x [1, H, W, C]."""
    return np.repeat(attrs.window.taps(x[0]), attrs.multiplier, axis=-1)


def _reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    attrs: DepthwiseConv2dAttrs = call.attrs

    def sums(x: Floats, w: Floats) -> Floats:
        return np.asarray(np.einsum("yxklc,klc->yxc", _repeated_taps(x, attrs), w))[None]

    return linear.forward(
        call, values, sums, attrs.clamp, lambda: requantization(call, attrs.clamp)
    )


def _bwd_data_infer(call: OpCall) -> tuple[Spec, ...]:
    attrs: DepthwiseConv2dBwdDataAttrs = call.attrs
    channels = call.input(1).shape[2] // attrs.conv.multiplier
    return (Spec((1, attrs.height, attrs.width, channels), call.dtype),)


def _bwd_data_sums(attrs: DepthwiseConv2dBwdDataAttrs, dy: Floats, w: Floats) -> Floats:
    dtaps = np.einsum("yxc,klc->yxklc", dy[0], w)
    per_channel = dtaps.reshape(*dtaps.shape[:4], -1, attrs.conv.multiplier).sum(axis=-1)
    return attrs.conv.window.scatter(per_channel, attrs.height, attrs.width)[None]


def _bwd_data_reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    dy, w, _ = linear.gradient_operands(call, values)
    return (_bwd_data_sums(call.attrs, dy, w),)


def _bwd_weight_infer(call: OpCall) -> tuple[Spec, ...]:
    attrs: DepthwiseConv2dAttrs = call.attrs
    shape = (*attrs.window.kernel, call.input(1).shape[3])
    return linear.check_gathered(call, 2, Spec(shape, call.input(1).dtype))


def _bwd_weight_sums(attrs: DepthwiseConv2dAttrs, x: Floats, dy: Floats) -> Floats:
    return np.asarray(np.einsum("yxklc,yxc->klc", _repeated_taps(x, attrs), dy[0]))


def _bwd_weight_reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    x, dy, gathered = linear.gradient_operands(call, values)
    return linear.add_gathered(_bwd_weight_sums(call.attrs, x, dy), gathered)


def _gradient(
    ctx: GradientContext,
    attrs: DepthwiseConv2dAttrs,
    inputs: Sequence[str],
    outputs: Sequence[str],
    dys: Sequence[str],
) -> Sequence[str | None]:
    _, height, width, _ = ctx.tensor(inputs[0]).shape
    dy = clamp_gradient(ctx, attrs.clamp, outputs[0], dys[0])

    def weight() -> tuple[DepthwiseConv2dAttrs, str, str]:
        channels = ctx.channels(inputs[1])
        if channels is None:
            return attrs, inputs[0], dy
        # Pairs of the channels read and written: a depthwise convolution without multiplier.
        read = tuple(c // attrs.multiplier for c in channels)
        dy_kept = ctx.emit("gather_channels", GatherAttrs(channels), (dy,), f"kept.{dy}")
        return replace(attrs, multiplier=1), ctx.keep(inputs[0], read), dy_kept

    data_attrs = DepthwiseConv2dBwdDataAttrs(attrs, height, width)
    return linear.gradient(ctx, "depthwise_conv2d", (inputs, dy), data_attrs, weight)


def _params(window: Window, x: tuple[int, ...], y: tuple[int, ...]) -> CStruct:
    return window.conv_params(x, y, groups=x[3])


def _fwd_params(call: OpCall) -> CStruct:
    return _params(call.attrs.window, call.input(0).shape, call.outputs[0].shape)


def _bwd_data_params(call: OpCall) -> CStruct:
    return _params(call.attrs.conv.window, call.outputs[0].shape, call.input(0).shape)


def _bwd_weight_params(call: OpCall) -> CStruct:
    return _params(call.attrs.window, call.input(0).shape, call.input(1).shape)


def _side_by_side(window: Window) -> bool:
    """Whether neighbouring taps meet neighbouring inputs, as the DSP kernels want."""
    return window.dilation[1] == 1


def _patches(call: OpCall) -> bool:
    """Whether the int8 kernel of Helium serves it: patches are pairs of pixels.

    Pairs begin at even columns, within the 16 bits of a gathering load's offsets, and no sum is
    shifted to the left.
    """
    attrs: DepthwiseConv2dAttrs = call.attrs
    window = attrs.window
    _, _, width, channels = call.outputs[0].shape
    single = (*window.stride, *window.dilation) == (1, 1, 1, 1)
    row = 16 * ((width + 4) * window.stride[1] + window.kernel[1])
    patch = row * (window.kernel[0] + 1) * window.dilation[0]
    return (
        _one_each(call)
        and (single or (window.stride[1] % 2 == 0 and window.dilation[1] == 1))
        and max(patch, (width + 4) * channels) < 1 << 16
        and max(requantization(call, attrs.clamp).shift) <= 0
    )


def _one_each(call: OpCall) -> bool:
    """Whether each input channel has one of the output, as vectors of channels want."""
    return call.input(0).shape[3] == call.outputs[0].shape[3]


def _many(call: OpCall) -> bool:
    """The same, with so many channels that sweeps with two of them are slower."""
    return _one_each(call) and call.input(0).shape[3] >= 4


def _pairs(call: OpCall) -> bool:
    """Whether each channel of x has one of dy."""
    return call.input(0).shape[3] == call.input(1).shape[3]


def _slides(call: OpCall) -> bool:
    return _side_by_side(call.attrs.window)


def _slides_back(call: OpCall) -> bool:
    conv: DepthwiseConv2dAttrs = call.attrs.conv
    return conv.multiplier == 1 and _side_by_side(conv.window)


def _slides_over_weight(gradient: OpCall) -> bool:
    """Whether the DSP kernel serves the gradient of a weight that an update follows."""
    attrs: DepthwiseConv2dAttrs = gradient.attrs
    return (
        attrs.multiplier == 1
        and attrs.window.stride[1] == 1
        and weight_shift(gradient.input(1)) == 0
    )


def _in_halves(attrs: DepthwiseConv2dAttrs, image: Tensor) -> bool:
    """Whether the packed-half kernels serve it: three by three taps, one step at a time."""
    window = attrs.window
    steps = {*window.stride, *window.dilation}
    even = image.shape[3] % 2 == 0
    small = window.kernel == (3, 3) and steps == {1} and max(window.pad) < 3
    return small and even and attrs.multiplier == 1


def _products(call: OpCall) -> int:
    attrs: DepthwiseConv2dAttrs = call.attrs
    kh, kw = attrs.window.kernel
    return call.outputs[0].size * kh * kw


def _bwd_data_products(call: OpCall) -> int:
    attrs: DepthwiseConv2dBwdDataAttrs = call.attrs
    kh, kw = attrs.conv.window.kernel
    return call.input(0).size * kh * kw


def _bwd_weight_products(call: OpCall) -> int:
    attrs: DepthwiseConv2dAttrs = call.attrs
    kh, kw = attrs.window.kernel
    return call.input(1).size * kh * kw


register(
    Op(
        "depthwise_conv2d",
        DepthwiseConv2dAttrs,
        _infer,
        _reference,
        kernels=linear.fwd_kernels(
            "depthwise_conv2d",
            _fwd_params,
            lambda call: requantization(call, call.attrs.clamp).struct(),
            scratch=True,
            inplace_in=lambda call: (
                call.input(0).shape == call.outputs[0].shape and call.attrs.window.stride == (1, 1)
            ),
            variants=(
                Variant("mve", _patches, (DType.S8,), scratch=True),
                Variant("dsp", _slides, (DType.S8,), scratch=True),
                Variant("rvv", _one_each, (DType.S8,), inplace=False),
                Variant("rvv", _many, FLOATS),
                Variant("mve", _many, (DType.F16,), half_sums=True),
                Variant("xfvec", lambda call: _in_halves(call.attrs, call.input(0)), (DType.F16,)),
            ),
        ),
        gradient=_gradient,
        products=_products,
        weights=Weights(weight=1, bias=2, channel_axis=2),
    )
)
register(
    Op(
        "depthwise_conv2d_bwd_data",
        DepthwiseConv2dBwdDataAttrs,
        _bwd_data_infer,
        _bwd_data_reference,
        kernels=linear.bwd_data_kernels(
            "depthwise_conv2d",
            _bwd_data_params,
            axis=2,
            variants=(
                Variant("rvv", _many, FLOATS),
                Variant("mve", _many, (DType.F16,), half_sums=True),
                Variant(
                    "xfvec", lambda call: _in_halves(call.attrs.conv, call.input(0)), (DType.F16,)
                ),
            ),
        ),
        products=_bwd_data_products,
        integer=bwd_data_rule(
            "depthwise_conv2d",
            lambda attrs, w: w.shape[0] * w.shape[1] * attrs.conv.multiplier,
        ),
    )
)
register_bwd_data(
    "depthwise_conv2d",
    DepthwiseConv2dBwdDataAttrs,
    infer=_bwd_data_infer,
    sums=_bwd_data_sums,
    params=_bwd_data_params,
    products=_bwd_data_products,
    variants=(Variant("dsp", _slides_back, scratch=True),),
)
register(
    Op(
        "depthwise_conv2d_bwd_weight",
        DepthwiseConv2dAttrs,
        _bwd_weight_infer,
        _bwd_weight_reference,
        kernels=linear.bwd_weight_kernels(
            "depthwise_conv2d",
            _bwd_weight_params,
            (
                Variant("rvv", _pairs, FLOATS),
                Variant("mve", _pairs, (DType.F16,), half_sums=True),
                Variant("xfvec", lambda call: _in_halves(call.attrs, call.input(0)), (DType.F16,)),
            ),
        ),
        products=_bwd_weight_products,
        gathers=True,
        integer=bwd_weight_rule("depthwise_conv2d"),
    )
)
register_bwd_weight(
    "depthwise_conv2d",
    DepthwiseConv2dAttrs,
    infer=_bwd_weight_infer,
    sums=_bwd_weight_sums,
    products=_bwd_weight_products,
)
register_weight_step(
    "depthwise_conv2d",
    params=_bwd_weight_params,
    products=_bwd_weight_products,
    variants=(Variant("dsp", _slides_over_weight, scratch=True),),
)
