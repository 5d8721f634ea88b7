"""Which fast kernels serve convolutions, and in which layout they would have constant weights."""

from __future__ import annotations

from math import prod

from mcugrad.ir.tensor import DType, Tensor
from mcugrad.ops.base import FLOATS, OpCall, Variant, packed_or_not
from mcugrad.ops.conv2d_attrs import Conv2dAttrs, Conv2dBwdDataAttrs
from mcugrad.ops.requantize import requantization
from mcugrad.ops.weight_layout import OutputsInnermost, OutputVectors


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


#: Halves in a vector of Helium, and channels from which on it is quicker than single ones.
_VECTOR = 8
_LANES = 3

#: Products of an output at most, where Helium finds the weights of eight by offsets of 16 bits.
_NEAR = 65535 // 7


def _near(w: Tensor) -> bool:
    """Whether weights as the model has them are within reach of those of the next outputs."""
    return w.size // w.shape[0] <= _NEAR


def _output_lanes(call: OpCall) -> bool:
    """Whether a group's output channels make vectors."""
    attrs: Conv2dAttrs = call.attrs
    return call.input(1).shape[0] // attrs.groups >= _LANES


def _packed_output_lanes(call: OpCall) -> bool:
    """The same, and where there are groups, few zeros fill vectors up: flash holds them."""
    attrs: Conv2dAttrs = call.attrs
    channels = call.input(1).shape[0] // attrs.groups
    few = -channels % _VECTOR <= channels // 3
    return _output_lanes(call) and (attrs.groups == 1 or few)


def _near_output_lanes(call: OpCall) -> bool:
    return _output_lanes(call) and _near(call.input(1))


def _input_lanes(call: OpCall) -> bool:
    """Whether a group's input channels make vectors."""
    return call.input(1).shape[3] >= _LANES


def _vectors(call: OpCall) -> OutputVectors:
    return OutputVectors(call.attrs.groups, _VECTOR)


def _vectors_back(call: OpCall) -> OutputVectors:
    return OutputVectors(call.attrs.conv.groups, _VECTOR)


def _outputs(call: OpCall) -> OutputsInnermost:
    return OutputsInnermost(call.attrs.groups)


def _outputs_back(call: OpCall) -> OutputsInnermost:
    return OutputsInnermost(call.attrs.conv.groups)


FWD = (
    Variant("mve", _shifts_right, (DType.S8,), scratch=True),
    *packed_or_not(
        Variant("mve", _near_output_lanes, (DType.F16,), scratch=True, half_sums=True),
        _vectors,
        _packed_output_lanes,
    ),
    Variant("dsp", _deep_or_wide, (DType.S8,), scratch=True),
    *packed_or_not(Variant("rvv", _fwd_as_planes, FLOATS, scratch=True, form="planes"), _outputs),
    *packed_or_not(Variant("rvv", scratch=True), _outputs, scratch=False),
    Variant("xfvec", _fwd_in_halves, (DType.F16,), scratch=True),
)

BWD_DATA = (
    Variant("pointwise", _pointwise_data, (DType.S8,), scratch=True, portable=True),
    *packed_or_not(
        Variant("mve", _input_lanes, (DType.F16,), scratch=True, half_sums=True), _vectors_back
    ),
    *packed_or_not(
        Variant("rvv", _bwd_data_as_planes, FLOATS, scratch=True, form="planes"), _outputs_back
    ),
    *packed_or_not(Variant("rvv", types=FLOATS), _outputs_back, scratch=True),
    Variant("xfvec", _bwd_data_in_halves, (DType.F16,), scratch=True),
)

BWD_WEIGHT = (
    Variant("pointwise", _pointwise_weight, (DType.S8,), portable=True),
    Variant("mve", lambda call: _near(call.outputs[0]), (DType.F16,), half_sums=True),
    Variant("rvv", _as_windows, FLOATS, scratch=True, form="windows"),
    Variant("rvv", types=FLOATS),
    Variant("xfvec", _bwd_weight_in_halves, (DType.F16,), scratch=True),
)

#: Of int16 gradients, with int8 weights.
BWD_DATA_S16 = (
    Variant("dsp", lambda call: _deep(call.input(1)), scratch=True),
    Variant("pointwise", _pointwise_data, scratch=True, portable=True),
)

WEIGHT_STEP = (
    Variant("dsp", scratch=True),
    Variant("deep", lambda gradient: _deep(gradient.outputs[0]), scratch=True, portable=True),
)
