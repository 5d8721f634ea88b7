"""Cases of integer gradients: layers, losses, sums, scalings, conversions and the update."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mcugrad.ir.tensor import DType, QuantParams
from mcugrad.ops.base import NoAttrs
from mcugrad.ops.clamp_range import Clamp
from mcugrad.ops.conv2d_attrs import Conv2dAttrs, Conv2dBwdDataAttrs
from mcugrad.ops.depthwise_conv2d import DepthwiseConv2dAttrs, DepthwiseConv2dBwdDataAttrs
from mcugrad.ops.fully_connected import FullyConnectedAttrs, FullyConnectedBwdDataAttrs
from mcugrad.ops.gather_channels import GatherAttrs
from mcugrad.ops.mean import MeanAttrs, MeanBwdAttrs
from mcugrad.ops.pool import PoolBwdAttrs
from mcugrad.ops.scale_channels import ScaleChannelsAttrs
from mcugrad.ops.sgd_quantized import SgdQuantizedAttrs
from mcugrad.ops.weight_step import WeightStepAttrs
from mcugrad.ops.window import Window
from tests.ops.case import Case, Operand, mask
from tests.ops.convolutions import DEEP, IMAGES, LARGE, WINDOWS, Image, labelled
from tests.ops.quant import per_tensor

_X = per_tensor(0.0231, -11)
_W = QuantParams((0.01,), (0,))
_SCALE = QuantParams((0.5,), (0,))
_EXPONENT = Operand((2,), DType.S32, range=(13, 15))


def _codes(*shape: int, most: int = 16000) -> Operand:
    return Operand(shape, DType.S16, _SCALE, range=(-most, most))


def _weights(*shape: int) -> Operand:
    return Operand(shape, DType.S8, _W, range=(-127, 127))


def _range(gain: int) -> Operand:
    """A gain and steps of the window, both drawn."""
    return Operand((3,), DType.S32, range=(gain, gain + 2))


def _factors(count: int) -> QuantParams:
    """The largest factors of channels."""
    return QuantParams(tuple(float((1 << 15) - k) for k in range(count)), (0,) * count)


def _step(
    op: str,
    label: str,
    operands: tuple[Operand, Operand, Operand],
    layer: object,
    *,
    exponent: int = -20,
    limit: int = 127,
    qas: bool = True,
    rate: float = 0.75,
    kept: bool = False,
) -> Case:
    """The weights' gradient and update, by default with steps of a few units."""
    remainders = (Operand(operands[2].shape, DType.S8),) if kept else ()
    more = (
        Operand((2,), DType.S32, range=(exponent, exponent)),
        Operand((1,), DType.S32),
        Operand((3,), range=(0, 0.5)),
    )
    attrs = WeightStepAttrs(layer, SgdQuantizedAttrs(limit, 77, qas, rate=rate))
    results = (operands[2].quant, *(None for _ in remainders))
    return Case(f"{op}_weight_step", label, (*operands, *more, *remainders), attrs, results)


def _layer(
    op: str, label: str, attrs: tuple[object, object], dy: Operand, x: Operand, w: Operand
) -> Iterator[Case]:
    data, weight = attrs
    for gain in (-2, 3, 9, 15):  # just guessed; too small, about right, too large
        yield Case(
            f"{op}_bwd_data_integer",
            f"{label}-gain{gain}",
            (dy, w, _EXPONENT, _range(gain)),
            data,
            (None, None, None),
        )
    yield _step(op, label, (x, dy, w), weight)


def _convolution(image: Image, channels: int, groups: int = 1) -> Iterator[Case]:
    attrs = Conv2dAttrs(image.window, groups)
    w = _weights(channels, *image.window.kernel, image.shape[2] // groups)
    dy, x = _codes(1, *image.output, channels), Operand(image.input, DType.S8, _X)
    both = (Conv2dBwdDataAttrs(attrs, *image.shape[:2]), attrs)
    yield from _layer("conv2d", f"{image.label}-{groups}", both, dy, x, w)


def _depthwise(image: Image, multiplier: int) -> Iterator[Case]:
    attrs = DepthwiseConv2dAttrs(image.window, multiplier)
    channels = image.shape[2] * multiplier
    w = _weights(*image.window.kernel, channels)
    dy, x = _codes(1, *image.output, channels), Operand(image.input, DType.S8, _X)
    both = (DepthwiseConv2dBwdDataAttrs(attrs, *image.shape[:2]), attrs)
    yield from _layer("depthwise_conv2d", f"{image.label}-{multiplier}", both, dy, x, w)


def _fully_connected(rows: int, inputs: int, outputs: int) -> Iterator[Case]:
    x, dy = Operand((rows, inputs), DType.S8, _X), _codes(rows, outputs)
    w = _weights(outputs, inputs)
    both = (FullyConnectedBwdDataAttrs((rows, inputs)), NoAttrs())
    yield from _layer("fully_connected", f"{rows}x{inputs}x{outputs}", both, dy, x, w)
    sums = FullyConnectedAttrs(wide=True)
    bias = Operand((outputs,), DType.S32)
    yield Case("fully_connected", f"wide-{rows}x{inputs}x{outputs}", (x, w, bias), sums)
    yield Case("fully_connected", f"wide-{rows}x{inputs}x{outputs}-no-bias", (x, w), sums)


_WIDE = Image("wide-row", (3, 700, 2), labelled("pointwise").window)
_MANY = Image("many-positions", (48, 48, 3), labelled("pointwise").window)


def _loss(label: str, size: int, scale: float, dtype: DType, span: float) -> Case:
    logits = Operand((1, size), dtype, per_tensor(scale, 0), range=(-span, span))
    target = Operand((1,), DType.S32, range=(size - 1, size - 1))
    return Case("integer_cross_entropy", label, (logits, target), outputs=(None, None, None))


def _update(label: str, w: Operand, *, limit: int, exponent: int, qas: bool = True) -> Case:
    gradient = Operand(w.shape, DType.S32, QuantParams((3e-7,), (0,)), range=(-1e8, 1e8))
    return Case(
        "sgd_integer",
        label,
        (
            w,
            gradient,
            Operand((2,), DType.S32, range=(exponent, exponent)),
            Operand((1,), DType.S32),
            Operand((3,), range=(0, 0.5)),
        ),
        SgdQuantizedAttrs(limit, 77, qas, rate=1.5 if qas else 1.0),
        (w.quant,),
    )


def _along(axis: int, count: int) -> QuantParams:
    return QuantParams(tuple(0.01 * (k + 1) for k in range(count)), (0,) * count, axis)


_KERNEL = Operand((5, 2, 3, 3), DType.S8, _along(0, 5))
_TAPS = Operand((3, 3, 6), DType.S8, _along(2, 6))
_BIAS = Operand((7,), DType.S32, _along(0, 7))
_LEARNING = (
    (Operand((1, 4, 5, 3), DType.S8, _X), _codes(1, 3, 3, 5), _KERNEL),
    Conv2dAttrs(Window((2, 3))),
)

_CODED: dict[str, Any] = {"outputs": (_SCALE, None)}
_MEAN = MeanBwdAttrs(MeanAttrs((2,)), (1, 3, 4, 5))
_POOL = PoolBwdAttrs(Window((2, 3), (2, 3)), 5, 9)

#: x, dy and w of a fully connected layer.
_HEAD = (Operand((2, 19), DType.S8, _X), _codes(2, 5), _weights(5, 19))

CASES = [
    *(case for image in IMAGES for case in _convolution(image, 6)),
    *_convolution(labelled("3x3-stride3"), 6, 2),
    *(case for image in DEEP for case in _convolution(image, 37)),
    *_convolution(Image("pointwise-parts", (3, 3, 39), Window((1, 1))), 150),
    *_convolution(Image("pointwise-few", (1, 3, 9), Window((1, 1))), 5),
    *(case for image in LARGE for case in _convolution(image, 6)),
    *_convolution(_WIDE, 3),
    *_convolution(_MANY, 2),
    *(case for image in IMAGES for case in _depthwise(image, 1)),
    *_depthwise(labelled("3x3-same"), 3),
    *(case for image in (*WINDOWS, *LARGE) for case in _depthwise(image, 1)),
    *_depthwise(_WIDE, 1),
    *_depthwise(_MANY, 1),
    *_fully_connected(1, 13, 10),
    *_fully_connected(3, 8, 5),
    *_fully_connected(300, 3, 2),
    _loss("s32", 10, 1e-3, DType.S32, 9000),
    _loss("s32-close", 17, 1e-5, DType.S32, 900),
    _loss("s32-confident", 5, 1e-2, DType.S32, 1e6),
    _loss("s32-extreme", 5, 1e-9, DType.S32, 2147483647),
    _loss("s8", 12, 0.17, DType.S8, 127),
    _loss("many-classes", 3000, 1e-3, DType.S32, 1000),
    _loss("two-equal", 2, 0.1, DType.S32, 0),
    *(
        Case(
            "sum_gradients",
            f"exponents{a},{b}-scale{scale}",
            (
                _codes(1, 3, 4, 5, most=32767),
                Operand((2,), DType.S32, range=(a, 15)),
                Operand(
                    (1, 3, 4, 5), DType.S16, QuantParams((scale,), (0,)), range=(-32767, 32767)
                ),
                Operand((2,), DType.S32, range=(b, 15)),
            ),
            outputs=(_SCALE, None),
        )
        for a, b, scale in ((12, 12, 0.5), (14, 9, 0.3), (-9, 4, 1.7), (15, 0, 0.5), (0, 15, 8.0))
    ),
    *(
        Case(
            "scaled_sum",
            f"{'x'.join(map(str, shape))}-shift{shift}{'-masked' * masks}",
            (_codes(*shape, most=32767), *([mask(*shape)] * masks)),
            ScaleChannelsAttrs(_factors(shape[-1]), shift),
            (None, None),
        )
        for shape, shift in (((1, 5, 7, 3), 15), ((2, 17), 17), ((1, 3, 3, 8), 31), ((1,), 15))
        for masks in (False, True)
    ),
    Case(
        "scale_channels",
        "up-to-one",
        (_codes(1, 3, 2, 4, most=32767),),
        ScaleChannelsAttrs(QuantParams((0, 1, 20001, 1 << 15), (0,) * 4), 15),
    ),
    Case(
        "scale_channels",
        "halved",
        (_codes(2, 3, most=32767),),
        ScaleChannelsAttrs(QuantParams((9.4, 1 << 15, 5.6), (0,) * 3, unit=77.0), 17),
    ),
    Case(
        "quantize_gradient", "f32", (Operand((3, 7), range=(-3e-5, 3e-5)),), outputs=(_SCALE, None)
    ),
    Case(
        "quantize_gradient", "tiny", (Operand((9,), range=(-1e-38, 1e-38)),), outputs=(_SCALE, None)
    ),
    *(
        Case("quantize_gradient", f"most{most}", (Operand((3, 7), range=(-most, most)),), **_CODED)
        for most in (3e-5, 1e-38, 0.0, 1e30)
    ),
    Case("dequantize_gradient", "s16", (_codes(3, 7), _EXPONENT)),
    Case("dequantize", "s32", (Operand((1, 10), DType.S32, per_tensor(1e-3, 0)),)),
    Case("channel_sum", "s16", (_codes(1, 5, 7, 3, most=32767),)),
    Case("gather_channels", "s16", (_codes(1, 2, 3, 5),), GatherAttrs((0, 3))),
    Case(
        "clamp_bwd",
        "s16",
        (_codes(1, 3, 3, 5), Operand((1, 3, 3, 5), DType.S8, _X)),
        Clamp(0.0, 1.5),
    ),
    Case("saturation_mask_bwd", "s16", (_codes(1, 3, 3, 5), mask(45))),
    Case("mean_bwd", "s16", (_codes(1, 5),), MeanBwdAttrs(MeanAttrs((1, 2)), (1, 3, 4, 5))),
    Case("mean_bwd", "s16-one-axis", (_codes(1, 3, 5),), _MEAN),
    Case(
        "avg_pool2d_bwd", "s16", (_codes(1, 2, 3, 5),), PoolBwdAttrs(Window((2, 3), (2, 3)), 5, 9)
    ),
    _step("conv2d", "per-channel", *_LEARNING),
    _step("conv2d", "not-scaled", *_LEARNING, exponent=-9, qas=False),
    _step("conv2d", "saturates", *_LEARNING, exponent=70),
    _step("conv2d", "vanishes", *_LEARNING, exponent=-120),
    *(
        _step("conv2d", f"exponent{exponent}", *_LEARNING, exponent=exponent)
        for exponent in (-40, -26, -25, -24, -23, -22, -10, -2, -1, 0, 1)
    ),
    _step("conv2d", "large-decay", *_LEARNING, rate=20.0),
    _step(
        "depthwise_conv2d",
        "per-channel",
        (Operand((1, 5, 4, 6), DType.S8, _X), _codes(1, 3, 2, 6), _TAPS),
        DepthwiseConv2dAttrs(Window((3, 3))),
    ),
    *(
        _step("fully_connected", f"kept{exponent}", _HEAD, NoAttrs(), exponent=exponent, kept=True)
        for exponent in (-120, -28, -25, -24, -23, -20, -12, -11, -10, -9, -8, 70)
    ),
    _step("fully_connected", "kept-limited", _HEAD, NoAttrs(), limit=9, kept=True),
    _update("s32-bias", _BIAS, limit=(1 << 31) - 1, exponent=-10),
    _update("s32-bias-limited", _BIAS, limit=500, exponent=20),
]


def layer_cases(image: Image, channels: int) -> Iterator[Case]:
    """The integer gradients of a convolution, for measurements."""
    yield from _convolution(image, channels)


def depthwise_cases(image: Image) -> Iterator[Case]:
    """Those of a depthwise convolution."""
    yield from _depthwise(image, 1)


def fully_connected_cases(inputs: int, outputs: int) -> Iterator[Case]:
    """Those of a fully connected layer."""
    yield from _fully_connected(1, inputs, outputs)
