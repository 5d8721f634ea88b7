"""Two-dimensional convolution, with groups, and its gradients.

Shapes: x [1, H, W, C], w [O, KH, KW, C / groups], b [O], y [1, OH, OW, O].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

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
    packed_or_not,
    register,
    require,
)
from mcugrad.ops.clamp import clamp_gradient
from mcugrad.ops.clamp_range import NONE, Clamp
from mcugrad.ops.integer_gradient import (
    bwd_data_rule,
    bwd_weight_rule,
    register_bwd_data,
    register_bwd_weight,
)
from mcugrad.ops.requantize import requantization
from mcugrad.ops.weight_layout import OutputsInnermost, OutputVectors
from mcugrad.ops.weight_step import register_weight_step
from mcugrad.ops.window import Window


@dataclass(frozen=True)
class Conv2dAttrs:
    """Geometry, groups and the fused activation."""

    window: Window
    groups: int = 1
    clamp: Clamp = NONE


@dataclass(frozen=True)
class Conv2dBwdDataAttrs:
    """The convolution, and the height and width of its input."""

    conv: Conv2dAttrs
    height: int
    width: int


def _infer(call: OpCall) -> tuple[Spec, ...]:
    x, w = call.input(0), call.input(1)
    attrs: Conv2dAttrs = call.attrs
    require(len(x.shape) == 4 and x.shape[0] == 1, f"input must be [1, H, W, C], not {x.shape}")
    require(len(w.shape) == 4, f"weights must have four dimensions, not {w.shape}")
    require(w.shape[1:3] == attrs.window.kernel, "weights do not have the window's size")
    require(
        attrs.groups >= 1
        and w.shape[3] * attrs.groups == x.shape[3]
        and w.shape[0] % attrs.groups == 0,
        f"{attrs.groups} groups do not divide {x.shape[3]} channels into {w.shape}",
    )
    linear.check_operands(call, axis=0)
    oh, ow = attrs.window.output_size(x.shape[1], x.shape[2])
    return (Spec((1, oh, ow, w.shape[0]), x.dtype),)


def _correlate(x: Floats, w: Floats, attrs: Conv2dAttrs) -> Floats:
    """The plain sum of products, [OH, OW, O]; exact for integers of int8 range."""
    taps = attrs.window.taps(x)
    oc, ic = w.shape[0] // attrs.groups, w.shape[3]
    parts = [
        np.tensordot(
            taps[..., g * ic : (g + 1) * ic], w[g * oc : (g + 1) * oc], ([2, 3, 4], [1, 2, 3])
        )
        for g in range(attrs.groups)
    ]
    return np.concatenate(parts, axis=-1)


def _reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    attrs: Conv2dAttrs = call.attrs
    return linear.forward(
        call,
        values,
        lambda x, w: _correlate(x[0], w, attrs)[None],
        attrs.clamp,
        lambda: requantization(call, attrs.clamp),
    )


def _bwd_data_infer(call: OpCall) -> tuple[Spec, ...]:
    attrs: Conv2dBwdDataAttrs = call.attrs
    channels = call.input(1).shape[3] * attrs.conv.groups
    return (Spec((1, attrs.height, attrs.width, channels), call.dtype),)


def _bwd_data_sums(attrs: Conv2dBwdDataAttrs, dy: Floats, w: Floats) -> Floats:
    oc = w.shape[0] // attrs.conv.groups
    parts = [
        np.tensordot(dy[0][..., g * oc : (g + 1) * oc], w[g * oc : (g + 1) * oc], (2, 0))
        for g in range(attrs.conv.groups)
    ]
    dtaps = np.concatenate(parts, axis=-1)
    return attrs.conv.window.scatter(dtaps, attrs.height, attrs.width)[None]


def _bwd_data_reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    dy, w, _ = linear.gradient_operands(call, values)
    return (_bwd_data_sums(call.attrs, dy, w),)


def _bwd_weight_infer(call: OpCall) -> tuple[Spec, ...]:
    x, dy = call.input(0), call.input(1)
    attrs: Conv2dAttrs = call.attrs
    shape = (dy.shape[3], *attrs.window.kernel, x.shape[3] // attrs.groups)
    return linear.check_gathered(call, 2, Spec(shape, call.input(1).dtype))


def _bwd_weight_sums(attrs: Conv2dAttrs, x: Floats, dy: Floats) -> Floats:
    taps = attrs.window.taps(x[0])
    oc, ic = dy.shape[3] // attrs.groups, x.shape[3] // attrs.groups
    parts = [
        np.tensordot(
            dy[0][..., g * oc : (g + 1) * oc],
            taps[..., g * ic : (g + 1) * ic],
            ([0, 1], [0, 1]),
        )
        for g in range(attrs.groups)
    ]
    return np.concatenate(parts, axis=0)


def _bwd_weight_reference(call: OpCall, values: Sequence[Array | None]) -> tuple[Array, ...]:
    x, dy, gathered = linear.gradient_operands(call, values)
    return linear.add_gathered(_bwd_weight_sums(call.attrs, x, dy), gathered)


def _gradient(
    ctx: GradientContext,
    attrs: Conv2dAttrs,
    inputs: Sequence[str],
    outputs: Sequence[str],
    dys: Sequence[str],
) -> Sequence[str | None]:
    _, height, width, depth = ctx.tensor(inputs[0]).shape
    dy = clamp_gradient(ctx, attrs.clamp, outputs[0], dys[0])

    def weight() -> tuple[Conv2dAttrs, str, str]:
        channels = ctx.channels(inputs[1])
        if channels is not None:  # those of every group
            starts = range(0, depth, depth // attrs.groups)
            channels = tuple(start + c for start in starts for c in channels)
        return attrs, ctx.keep(inputs[0], channels), dy

    data_attrs = Conv2dBwdDataAttrs(attrs, height, width)
    return linear.gradient(ctx, "conv2d", (inputs, dy), data_attrs, weight)


def _fwd_params(call: OpCall) -> CStruct:
    attrs: Conv2dAttrs = call.attrs
    return attrs.window.conv_params(call.input(0).shape, call.outputs[0].shape, attrs.groups)


def _bwd_data_params(call: OpCall) -> CStruct:
    attrs: Conv2dAttrs = call.attrs.conv
    return attrs.window.conv_params(call.outputs[0].shape, call.input(0).shape, attrs.groups)


def _bwd_weight_params(call: OpCall) -> CStruct:
    attrs: Conv2dAttrs = call.attrs
    return attrs.window.conv_params(call.input(0).shape, call.input(1).shape, attrs.groups)


def _deep(w: Tensor) -> bool:
    """Whether what kernels of gradients lay out serves enough input channels."""
    return w.shape[3] >= 4


def _pointwise(attrs: Conv2dAttrs, height: int, width: int) -> bool:
    """Whether the convolution, and so each of its gradients, is a product of matrices."""
    single = attrs.window.kernel == (1, 1) and attrs.window.stride == (1, 1)
    same = attrs.window.output_size(height, width) == (height, width)
    return single and same and attrs.groups == 1


def _pointwise_data(call: OpCall) -> bool:
    attrs: Conv2dBwdDataAttrs = call.attrs
    enough = call.input(1).shape[3] >= 8  # are taken at a time
    return enough and _pointwise(attrs.conv, attrs.height, attrs.width)


def _pointwise_weight(call: OpCall) -> bool:
    x, dy = call.input(0), call.input(1)
    enough = min(x.shape[3], dy.shape[3]) >= 4  # are taken at a time
    return enough and _pointwise(call.attrs, *x.shape[1:3])


def _shifts_right(call: OpCall) -> bool:
    """Whether the int8 kernel of Helium serves it, which shifts no sum to the left."""
    return max(requantization(call, call.attrs.clamp).shift) <= 0


def _deep_or_wide(call: OpCall) -> bool:
    """Whether what the DSP kernel lays out serves enough input or output channels."""
    w = call.input(1)
    return _deep(w) or w.shape[0] // call.attrs.groups >= 16


def _in_halves(attrs: Conv2dAttrs, taps: int, summed: int, results: int) -> bool:
    """Whether the packed-half kernels gain: windows are words, or serve enough channels.

    A window has ``taps`` of ``summed`` channels each, and ``results`` channels come of it.
    """
    words = summed % 2 == 0 and (attrs.window.dilation[1] == 1 or attrs.window.kernel[1] == 1)
    return attrs.groups == 1 and (words or (results >= 16 and taps * summed >= 16))


def _fwd_in_halves(call: OpCall) -> bool:
    out, *taps, depth = call.input(1).shape
    return _in_halves(call.attrs, prod(taps), depth, out)


def _bwd_data_in_halves(call: OpCall) -> bool:
    out, *taps, depth = call.input(1).shape
    return _in_halves(call.attrs.conv, prod(taps), out, depth)


def _bwd_weight_in_halves(call: OpCall) -> bool:
    """Whether the rows that are turned are long enough, and serve enough channels."""
    _, height, width, out = call.input(1).shape
    pointwise = call.outputs[0].shape[1:3] == (1, 1) and call.input(0).shape[1:3] == (height, width)
    row = height * width if pointwise else width
    return call.attrs.groups == 1 and out >= 3 and row >= (5 if out >= 16 else 6)


#: Lanes of the RISC-V kernels' vectors, where these have 128 bits, and vectors of sums.
_RVV_LANES = {DType.F16: 32, DType.F32: 16}
_RVV_RESULTS = 3


def _rvv_sums(dtype: DType, across: int, others: int) -> int:
    """How often their registers are filled with sums, which have lanes ``across`` one dimension."""
    return -(-across // _RVV_LANES[dtype]) * -(-others // _RVV_RESULTS)


def _as_planes(call: OpCall, attrs: Conv2dAttrs, positions: int, results: int) -> bool:
    """Whether lanes of positions are filled better than those of ``results`` channels are."""
    by_position = _rvv_sums(call.dtype, positions, results)
    by_channel = _rvv_sums(call.dtype, results, positions)
    return attrs.groups == 1 and by_position < by_channel


def _fwd_as_planes(call: OpCall) -> bool:
    _, height, width, out = call.outputs[0].shape
    return _as_planes(call, call.attrs, height * width, out)


def _bwd_data_as_planes(call: OpCall) -> bool:
    attrs: Conv2dBwdDataAttrs = call.attrs
    unit, positions = attrs.conv.window.stride == (1, 1), attrs.height * attrs.width
    return unit and _as_planes(call, attrs.conv, positions, call.input(1).shape[3])


def _as_windows(call: OpCall) -> bool:
    """Whether lanes of the products of a window are filled better than those of channels are.

    By so much that laying windows out, which is for rows of some length, takes less.
    """
    attrs: Conv2dAttrs = call.attrs
    out, *taps, depth = call.outputs[0].shape
    by_window = _rvv_sums(call.dtype, prod(taps) * depth, out)
    by_channel = prod(taps) * _rvv_sums(call.dtype, max(out, depth), min(out, depth))
    dense = attrs.groups == 1 and attrs.window.dilation[1] == 1
    return dense and call.input(1).shape[2] >= 6 and 3 * by_window < 2 * by_channel


#: Channels from which on vectors of eight are quicker than single ones.
_LANES = 3


#: Products of an output whose weights are within reach of those of seven others.
_NEAR = 65535 // 7


def _near(w: Tensor) -> bool:
    return w.size // w.shape[0] <= _NEAR


def _output_lanes(call: OpCall) -> bool:
    """Whether a group's output channels make vectors."""
    attrs: Conv2dAttrs = call.attrs
    w = call.input(1)
    return w.shape[0] // attrs.groups >= _LANES and _near(w)


def _input_lanes(call: OpCall) -> bool:
    """Whether a group's input channels make vectors."""
    return call.input(1).shape[3] >= _LANES


def _vectors(call: OpCall) -> OutputVectors:
    return OutputVectors(call.attrs.groups, lanes=8)


def _vectors_back(call: OpCall) -> OutputVectors:
    return OutputVectors(call.attrs.conv.groups, lanes=8)


def _outputs(call: OpCall) -> OutputsInnermost:
    return OutputsInnermost(call.attrs.groups)


def _outputs_back(call: OpCall) -> OutputsInnermost:
    return OutputsInnermost(call.attrs.conv.groups)


_FWD_MVE = Variant("mve", _output_lanes, (DType.F16,), scratch=True, half_sums=True)
_BWD_DATA_MVE = Variant("mve", _input_lanes, (DType.F16,), scratch=True, half_sums=True)
_FWD_PLANES = Variant("rvv", _fwd_as_planes, FLOATS, scratch=True, form="planes")
_BWD_DATA_PLANES = Variant("rvv", _bwd_data_as_planes, FLOATS, scratch=True, form="planes")


def _products(call: OpCall) -> int:
    return call.outputs[0].size * (call.input(1).size // call.input(1).shape[0])


def _bwd_data_products(call: OpCall) -> int:
    return call.input(0).size * (call.input(1).size // call.input(1).shape[0])


def _bwd_weight_products(call: OpCall) -> int:
    return call.input(1).size * (call.outputs[0].size // call.outputs[0].shape[0])


register(
    Op(
        "conv2d",
        Conv2dAttrs,
        _infer,
        _reference,
        kernels=linear.fwd_kernels(
            "conv2d",
            _fwd_params,
            lambda call: requantization(call, call.attrs.clamp).struct(),
            scratch=True,
            variants=(
                Variant("mve", _shifts_right, (DType.S8,), scratch=True),
                *packed_or_not(_FWD_MVE, _vectors),
                Variant("dsp", _deep_or_wide, (DType.S8,), scratch=True),
                *packed_or_not(_FWD_PLANES, _outputs),
                *packed_or_not(Variant("rvv", scratch=True), _outputs, scratch=False),
                Variant("xfvec", _fwd_in_halves, (DType.F16,), scratch=True),
            ),
        ),
        gradient=_gradient,
        products=_products,
        weights=Weights(weight=1, bias=2, channel_axis=3),
    )
)
register(
    Op(
        "conv2d_bwd_data",
        Conv2dBwdDataAttrs,
        _bwd_data_infer,
        _bwd_data_reference,
        kernels=linear.bwd_data_kernels(
            "conv2d",
            _bwd_data_params,
            axis=0,
            variants=(
                Variant("pointwise", _pointwise_data, (DType.S8,), scratch=True, portable=True),
                *packed_or_not(_BWD_DATA_MVE, _vectors_back),
                *packed_or_not(_BWD_DATA_PLANES, _outputs_back),
                *packed_or_not(Variant("rvv", types=FLOATS), _outputs_back, scratch=True),
                Variant("xfvec", _bwd_data_in_halves, (DType.F16,), scratch=True),
            ),
        ),
        products=_bwd_data_products,
        integer=bwd_data_rule("conv2d", lambda attrs, w: w.size // w.shape[3] // attrs.conv.groups),
    )
)
register_bwd_data(
    "conv2d",
    Conv2dBwdDataAttrs,
    infer=_bwd_data_infer,
    sums=_bwd_data_sums,
    params=_bwd_data_params,
    products=_bwd_data_products,
    variants=(
        Variant("dsp", lambda call: _deep(call.input(1)), scratch=True),
        Variant("pointwise", _pointwise_data, scratch=True, portable=True),
    ),
)
register(
    Op(
        "conv2d_bwd_weight",
        Conv2dAttrs,
        _bwd_weight_infer,
        _bwd_weight_reference,
        kernels=linear.bwd_weight_kernels(
            "conv2d",
            _bwd_weight_params,
            (
                Variant("pointwise", _pointwise_weight, (DType.S8,), portable=True),
                Variant("mve", lambda c: _near(c.outputs[0]), (DType.F16,), half_sums=True),
                Variant("rvv", _as_windows, FLOATS, scratch=True, form="windows"),
                Variant("rvv", types=FLOATS),
                Variant("xfvec", _bwd_weight_in_halves, (DType.F16,), scratch=True),
            ),
        ),
        products=_bwd_weight_products,
        gathers=True,
        integer=bwd_weight_rule("conv2d"),
    )
)
register_bwd_weight(
    "conv2d",
    Conv2dAttrs,
    infer=_bwd_weight_infer,
    sums=_bwd_weight_sums,
    products=_bwd_weight_products,
)
register_weight_step(
    "conv2d",
    params=_bwd_weight_params,
    products=_bwd_weight_products,
    variants=(
        Variant("dsp", scratch=True),
        Variant("deep", lambda gradient: _deep(gradient.outputs[0]), scratch=True, portable=True),
    ),
)
