"""Cases of conv2d and its gradients."""

from __future__ import annotations

from collections.abc import Iterator

from mcugrad.ops.clamp_range import NONE, Clamp
from mcugrad.ops.conv2d_attrs import Conv2dAttrs, Conv2dBwdDataAttrs
from mcugrad.ops.window import Window
from tests.ops.case import Case, Operand
from tests.ops.convolutions import (
    CLAMPS,
    DEEP,
    IMAGES,
    Image,
    backward_operands,
    float_operands,
    in_halves,
    labelled,
    quantised,
)

#: image, output channels, groups
_SHAPES = (
    *(
        (image, channels, 1)
        for image, channels in zip(IMAGES, [5, 17, 4, 6, 1, 3] * 3, strict=False)
    ),
    (labelled("3x3-stride3"), 6, 2),
    (labelled("dilation2-stride2"), 8, 4),
    (labelled("3x3-same"), 10, 5),
)


def _label(image: Image, groups: int, more: str = "") -> str:
    return image.label + (f"-groups{groups}" if groups > 1 else "") + more


def _weights(image: Image, channels: int, groups: int) -> tuple[int, ...]:
    return (channels, *image.window.kernel, image.shape[2] // groups)


def _float(
    image: Image, channels: int, groups: int = 1, clamp: Clamp = NONE, more: str = "", *, bias: bool
) -> Case:
    operands = float_operands(
        image.input, _weights(image, channels, groups), channels if bias else None
    )
    attrs = Conv2dAttrs(image.window, groups, clamp)
    return Case("conv2d", _label(image, groups, more), operands, attrs)


def _int8(
    image: Image,
    channels: int,
    groups: int = 1,
    clamp: Clamp = NONE,
    more: str = "",
    *,
    per_channel: bool = True,
    bias: bool = True,
    span: float = 1.0,
) -> Case:
    w = _weights(image, channels, groups)
    products = w[1] * w[2] * w[3]
    layer = quantised(
        image.input, w, axis=0, per_channel=per_channel, bias=bias, products=products, span=span
    )
    attrs = Conv2dAttrs(image.window, groups, clamp)
    label = _label(image, groups, f"{more}-s8")
    return Case("conv2d", label, layer.operands, attrs, (layer.output,))


def _in_halves(image: Image, channels: int) -> Case:
    layer = in_halves(image.input, _weights(image, channels, 1), axis=0)
    attrs = Conv2dAttrs(image.window)
    return Case("conv2d", f"{image.label}-halves-s8", layer.operands, attrs, (layer.output,))


def _backward(image: Image, channels: int, groups: int) -> Iterator[Case]:
    attrs = Conv2dAttrs(image.window, groups)
    shape, dy = _weights(image, channels, groups), Operand((1, *image.output, channels))
    data_attrs = Conv2dBwdDataAttrs(attrs, *image.shape[:2])
    for more, x, w in backward_operands(image.input, shape, axis=0):
        label = _label(image, groups, more)
        yield Case("conv2d_bwd_data", label, (dy, w), data_attrs)
        yield Case("conv2d_bwd_weight", label, (x, dy), attrs)
        yield Case("conv2d_bwd_weight", f"{label}-gathered", (x, dy, Operand(shape)), attrs)


_SAME = labelled("3x3-same")
_POINTWISE = labelled("pointwise").window
#: Rows and channels of which kernels take several tiles, of every size.
_TILES = Image("3x3-tiles", (6, 17, 6), Window((3, 3), pad=(1, 1, 1, 1)))
#: More channels on both sides of each group than kernels take, and lay out, at a time.
_WIDE_GROUPS = (Image("3x3-many-channels", (3, 4, 80), Window((3, 3), pad=(1, 1, 1, 1))), 74, 2)
_MANY_POSITIONS = Image("many-positions", (48, 48, 4), _POINTWISE)

CASES = [
    *(_float(*shape, bias=True) for shape in _SHAPES),
    _float(_SAME, 4, more="-no-bias", bias=False),
    *(_float(_SAME, 9, clamp=c, more=f"-{name}", bias=True) for name, c in CLAMPS.items()),
    *(_int8(*shape) for shape in _SHAPES),
    *(_int8(image, channels) for image in DEEP for channels in (16, 37)),
    _in_halves(_SAME, 13),
    _int8(_SAME, 6, more="-per-tensor", per_channel=False),
    _int8(_SAME, 4, more="-no-bias", bias=False),
    _int8(_SAME, 4, more="-saturating", span=0.2),
    *(_int8(_SAME, 9, clamp=c, more=f"-{name}") for name, c in CLAMPS.items()),
    *(case for shape in _SHAPES for case in _backward(*shape)),
    _float(_TILES, 18, clamp=CLAMPS["relu6"], bias=True),
    *_backward(_TILES, 18, 1),
    _float(*_WIDE_GROUPS, bias=True),
    _int8(*_WIDE_GROUPS),
    *_backward(*_WIDE_GROUPS),
    *_backward(_MANY_POSITIONS, 4, 1),
    *_backward(Image("pointwise-few", (1, 3, 8), _POINTWISE), 5, 1),
    *_backward(Image("pointwise-parts", (17, 19, 13), _POINTWISE), 7, 1),
]


def layer_cases(image: Image, channels: int) -> Iterator[Case]:
    """One layer and its gradients, float and int8, for measurements."""
    yield _float(image, channels, bias=True)
    yield _int8(image, channels)
    yield from _backward(image, channels, 1)
