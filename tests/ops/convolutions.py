"""What the cases of convolutions and fully connected layers share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf, sqrt

import numpy as np

from mcugrad.ir.tensor import DType, QuantParams
from mcugrad.ops.clamp_range import NONE, Clamp
from mcugrad.ops.window import Window
from tests.ops.case import Operand
from tests.ops.quant import per_tensor

RELU, RELU6, RELU_N1_TO_1 = Clamp(0.0), Clamp(0.0, 6.0), Clamp(-1.0, 1.0)
CLAMPS = {"relu": RELU, "relu6": RELU6, "relu1": RELU_N1_TO_1, "upper": Clamp(-inf, 0.5)}


@dataclass(frozen=True)
class Image:
    """Height, width and channels of an input, and a window that moves over it."""

    label: str
    shape: tuple[int, int, int]
    window: Window

    @property
    def input(self) -> tuple[int, ...]:
        return (1, *self.shape)

    @property
    def output(self) -> tuple[int, int]:
        return self.window.output_size(*self.shape[:2])


IMAGES = (
    Image("pointwise", (4, 5, 3), Window((1, 1))),
    Image("pointwise-stride2", (5, 6, 5), Window((1, 1), (2, 2))),
    Image("3x3-same", (7, 9, 5), Window((3, 3), pad=(1, 1, 1, 1))),
    Image("3x3-valid", (5, 4, 17), Window((3, 3))),
    Image("3x3-stride2-uneven-pad", (8, 8, 3), Window((3, 3), (2, 2), (0, 1, 0, 1))),
    Image("3x3-stride3", (10, 8, 8), Window((3, 3), (3, 3), (1, 1, 1, 0))),
    Image("2x2-stride3", (7, 8, 4), Window((2, 2), (3, 3))),
    Image("5x5-stride2", (9, 7, 1), Window((5, 5), (2, 2), (2, 2, 1, 2))),
    Image("7x7", (8, 9, 1), Window((7, 7), (1, 2), (3, 3, 3, 3))),
    Image("6x4-stride2", (13, 10, 1), Window((6, 4), (2, 2), (2, 3, 1, 1))),
    Image("width1", (11, 1, 5), Window((3, 1), (2, 1), (1, 1, 0, 0))),
    Image("height1", (1, 9, 3), Window((1, 5), pad=(0, 0, 2, 2))),
    Image("dilation2", (9, 8, 5), Window((3, 3), pad=(2, 2, 2, 2), dilation=(2, 2))),
    Image("dilation2-stride2", (9, 9, 4), Window((3, 3), (2, 2), (2, 2, 2, 2), (2, 2))),
    Image("dilation3-stride2", (12, 11, 3), Window((2, 3), (2, 2), (1, 2, 3, 3), (3, 3))),
    Image("smaller-than-window", (2, 2, 5), Window((5, 5), pad=(2, 2, 2, 2))),
    Image("pad-beyond-window", (3, 4, 2), Window((2, 2), pad=(3, 3, 3, 3))),
    Image("width1-stride3", (10, 1, 17), Window((5, 1), (3, 3), (2, 2, 0, 0))),
    Image("7x7-dilation2", (9, 8, 3), Window((7, 7), pad=(6, 6, 6, 6), dilation=(2, 2))),
)

#: Kernels have code of their own for some rows of taps and steps.
WINDOWS = tuple(
    Image(f"{k}x{k}-stride{step}-windows", (10, 11, 5), Window((k, k), (step, step), (k // 2,) * 4))
    for k in range(1, 8)
    for step in (1, 2, 3)
)

#: More channels than kernels take at a time.
DEEP = (
    Image("deep-pointwise", (5, 7, 40), Window((1, 1))),
    Image("deep-3x3", (4, 5, 67), Window((3, 3), pad=(1, 1, 1, 1))),
)

#: More positions than kernels take at a time.
LARGE = (
    Image("3x3-bands", (61, 47, 5), Window((3, 3), pad=(1, 1, 1, 1))),
    Image("5x5-stride2-bands", (70, 65, 4), Window((5, 5), (2, 2), (2, 2, 1, 2))),
)


def labelled(label: str) -> Image:
    """The image of that label."""
    return next(image for image in IMAGES if image.label == label)


def float_operands(x: Sequence[int], w: Sequence[int], channels: int | None) -> tuple[Operand, ...]:
    """x, w and, unless ``channels`` is None, a bias."""
    operands = (Operand(tuple(x)), Operand(tuple(w), constant=True))
    return operands if channels is None else (*operands, Operand((channels,), constant=True))


@dataclass(frozen=True)
class Quantised:
    """Operands and result of an int8 layer, scaled so that most results do not saturate."""

    operands: tuple[Operand, ...]
    output: QuantParams


def quantised(
    x: Sequence[int],
    w: Sequence[int],
    *,
    axis: int,
    per_channel: bool = False,
    bias: bool = True,
    products: int,
    span: float = 1.0,
) -> Quantised:
    """A layer whose ``products`` of x and w are summed; ``axis`` is the output channels of w.

    ``span`` scales the result's range: small values make many results saturate.
    """
    channels = w[axis]
    x_quant = per_tensor(0.0231, -11)
    scales = 0.0047 * (1 + 0.37 * np.arange(channels if per_channel else 1) % 2.9)
    w_scales = tuple(float(s) for s in scales.astype(np.float32))
    w_axis = axis if per_channel else None
    w_quant = QuantParams(w_scales, (0,) * len(w_scales), w_axis)
    b_scales = tuple(float(np.float32(x_quant.scale[0]) * np.float32(s)) for s in w_scales)
    b_quant = QuantParams(b_scales, (0,) * len(b_scales), 0 if per_channel else None)
    # Uniform int8 values have a standard deviation of 74; results get one of about 50.
    deviation = 74.0**2 * sqrt(products)
    y_quant = per_tensor(x_quant.scale[0] * max(w_scales) * deviation / 50.0 * span, 7)
    operands = [
        Operand(tuple(x), DType.S8, x_quant),
        Operand(tuple(w), DType.S8, w_quant, range=(-127, 127), constant=True),
    ]
    if bias:
        limits = (-deviation, deviation)
        operands.append(Operand((channels,), DType.S32, b_quant, range=limits, constant=True))
    return Quantised(tuple(operands), y_quant)


def in_halves(x: Sequence[int], w: Sequence[int], *, axis: int) -> Quantised:
    """A layer of which many sums lie half-way between two results: scales are powers of two."""
    channels = w[axis]
    one = per_tensor(1.0)
    scales = tuple(2.0 ** -(1 + c % 6) for c in range(channels))  # shifts from 0 to -5
    zeros = (0,) * channels
    operands = (
        Operand(tuple(x), DType.S8, one),
        Operand(tuple(w), DType.S8, QuantParams(scales, zeros, axis), (-3, 3), constant=True),
        Operand((channels,), DType.S32, QuantParams(scales, zeros, 0), (-200, 200), constant=True),
    )
    return Quantised(operands, per_tensor(1.0, -9))


def backward_operands(
    x: Sequence[int], w: Sequence[int], *, axis: int
) -> Iterator[tuple[str, Operand, Operand]]:
    """What gradients read of a layer, by the end of a label: x and w, float and int8."""
    yield "", Operand(tuple(x)), Operand(tuple(w))
    for label, per_channel in (("-s8", True), ("-s8-per-tensor", False)):
        layer = quantised(x, w, axis=axis, per_channel=per_channel, bias=False, products=1)
        source, weights = layer.operands
        yield label, source, weights


__all__ = [
    "CLAMPS",
    "DEEP",
    "IMAGES",
    "LARGE",
    "NONE",
    "RELU6",
    "WINDOWS",
    "Image",
    "backward_operands",
    "float_operands",
    "in_halves",
    "labelled",
    "quantised",
]
