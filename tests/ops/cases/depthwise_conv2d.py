"""Cases of depthwise_conv2d and its gradients."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mcugrad.ops.clamp_range import NONE, Clamp
from mcugrad.ops.depthwise_conv2d import DepthwiseConv2dAttrs, DepthwiseConv2dBwdDataAttrs
from mcugrad.ops.window import Window
from tests.ops.case import Case, Operand
from tests.ops.convolutions import (
    CLAMPS,
    IMAGES,
    LARGE,
    WINDOWS,
    Image,
    backward_operands,
    float_operands,
    in_halves,
    labelled,
    quantised,
)

_SAME = labelled("3x3-same")
_WIDE = tuple(
    replace(image, label=f"{image.label}-{c}channels", shape=(*image.shape[:2], c))
    for image, c in (
        (_SAME, 8),
        (_SAME, 17),
        (labelled("3x3-stride2-uneven-pad"), 12),
        (labelled("dilation2"), 4),
        (labelled("3x3-stride3"), 1),
    )
)
_THIN = (
    Image("3x3-width1", (6, 1, 4), _SAME.window),
    Image("3x3-width1-pad-right", (2, 1, 3), replace(_SAME.window, pad=(0, 2, 0, 2))),
    Image("3x3-width2", (1, 2, 4), _SAME.window),
    Image("3x3-uneven-pad", (5, 6, 4), replace(_SAME.window, pad=(0, 2, 2, 1))),
    Image("3x3-wide-pad", (4, 4, 4), replace(_SAME.window, pad=(4, 3, 3, 4))),
)

#: The portable int8 kernel sums 128 products at a time; large images are laid out band after band.
_LARGE = (
    Image("13x12-window", (17, 14, 2), Window((13, 12), pad=(5, 6, 3, 3))),
    Image("3x3-valid-bands", (61, 47, 2), Window((3, 3))),
    Image("3x3-bands-18channels", (33, 24, 18), _SAME.window),
    Image("3x3-stride2-bands-18channels", (33, 42, 18), replace(_SAME.window, stride=(2, 2))),
    Image("5x5-33channels", (6, 7, 33), Window((5, 5), pad=(2, 2, 2, 2))),
    Image("7x7-bands", (22, 26, 17), Window((7, 7), pad=(3, 3, 3, 3))),
    *LARGE,
)

#: image, multiplier
_SHAPES = (
    *((image, 1) for image in (*IMAGES, *_WIDE, *_THIN)),
    (_SAME, 2),
    (labelled("3x3-stride2-uneven-pad"), 3),
    (labelled("6x4-stride2"), 8),
    (labelled("dilation2-stride2"), 2),
)


def _label(image: Image, multiplier: int, more: str = "") -> str:
    return image.label + (f"-multiplier{multiplier}" if multiplier > 1 else "") + more


def _weights(image: Image, multiplier: int) -> tuple[int, ...]:
    return (*image.window.kernel, image.shape[2] * multiplier)


def _float(
    image: Image, multiplier: int, clamp: Clamp = NONE, more: str = "", *, bias: bool = True
) -> Case:
    w = _weights(image, multiplier)
    operands = float_operands(image.input, w, w[2] if bias else None)
    attrs = DepthwiseConv2dAttrs(image.window, multiplier, clamp)
    return Case("depthwise_conv2d", _label(image, multiplier, more), operands, attrs)


def _int8(
    image: Image,
    multiplier: int,
    clamp: Clamp = NONE,
    more: str = "",
    *,
    per_channel: bool = True,
    bias: bool = True,
) -> Case:
    w = _weights(image, multiplier)
    layer = quantised(
        image.input, w, axis=2, per_channel=per_channel, bias=bias, products=w[0] * w[1]
    )
    attrs = DepthwiseConv2dAttrs(image.window, multiplier, clamp)
    label = _label(image, multiplier, f"{more}-s8")
    return Case("depthwise_conv2d", label, layer.operands, attrs, (layer.output,))


def _in_halves(image: Image) -> Case:
    layer = in_halves(image.input, _weights(image, 1), axis=2)
    attrs = DepthwiseConv2dAttrs(image.window)
    return Case(
        "depthwise_conv2d", f"{image.label}-halves-s8", layer.operands, attrs, (layer.output,)
    )


def _backward(image: Image, multiplier: int) -> Iterator[Case]:
    attrs = DepthwiseConv2dAttrs(image.window, multiplier)
    shape = _weights(image, multiplier)
    dy = Operand((1, *image.output, shape[2]))
    data_attrs = DepthwiseConv2dBwdDataAttrs(attrs, *image.shape[:2])
    for more, x, w in backward_operands(image.input, shape, axis=2):
        label = _label(image, multiplier, more)
        yield Case("depthwise_conv2d_bwd_data", label, (dy, w), data_attrs)
        yield Case("depthwise_conv2d_bwd_weight", label, (x, dy), attrs)
        gathered = (x, dy, Operand(shape))
        yield Case("depthwise_conv2d_bwd_weight", f"{label}-gathered", gathered, attrs)


CASES = [
    *(_float(*shape) for shape in _SHAPES),
    _float(_SAME, 1, more="-no-bias", bias=False),
    *(_float(_SAME, 1, c, f"-{name}") for name, c in CLAMPS.items()),
    *(_int8(*shape) for shape in _SHAPES),
    *(_int8(image, 1) for image in (*WINDOWS, *_LARGE)),
    _in_halves(_SAME),
    _in_halves(labelled("3x3-valid")),
    _int8(_SAME, 2, more="-per-tensor", per_channel=False),
    _int8(_SAME, 1, more="-no-bias", bias=False),
    *(_int8(_SAME, 1, c, f"-{name}") for name, c in CLAMPS.items()),
    *(case for shape in _SHAPES for case in _backward(*shape)),
]


def layer_cases(image: Image) -> Iterator[Case]:
    """One layer and its gradients, float and int8, for measurements."""
    yield _float(image, 1)
    yield _int8(image, 1)
    yield from _backward(image, 1)
