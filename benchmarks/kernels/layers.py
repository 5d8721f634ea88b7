"""The layers that are measured: those of peers, two with more channels, and twenty odd ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from tests.ops.case import Case, in_half
from tests.ops.cases import conv2d, depthwise_conv2d, fully_connected, integer_gradients
from tests.ops.convolutions import Image

from mcugrad.ops.window import Window


class Types(StrEnum):
    """The types of a layer's forward pass and gradients."""

    F32 = "f32"
    F16 = "f16"
    INT8_F32 = "int8, f32 gradients"
    INT8_S16 = "int8, s16 gradients"


class Pass(StrEnum):
    """What is computed."""

    FORWARD = "forward"
    WEIGHT = "weight gradient"
    INPUT = "input gradient"


@dataclass(frozen=True)
class Layer:
    """A layer, and the case of each of its kernels. Passes of several types can share one."""

    name: str
    cases: Mapping[tuple[Types, Pass], Case]


def _layer(name: str, op: str, labels: tuple[str, str], cases: Iterable[Case]) -> Layer:
    """The layer of these cases; its float and integer ones begin with these ``labels``."""
    known = {str(case): case for case in cases}
    known |= {str(half): half for half in map(in_half, known.values()) if half is not None}
    label, integer = labels
    forward, weight, data = op, f"{op}_bwd_weight", f"{op}_bwd_data"
    names = {
        Types.F32: (f"{forward}-{label}", f"{weight}-{label}", f"{data}-{label}"),
        Types.F16: tuple(f"{name}-{label}-f16" for name in (forward, weight, data)),
        Types.INT8_F32: (f"{forward}-{label}-s8", f"{weight}-{label}-s8", f"{data}-{label}-s8"),
        Types.INT8_S16: (
            f"{forward}-{label}-s8",
            f"{op}_weight_step-{integer}",  # the update included
            f"{data}_integer-{integer}-gain9",
        ),
    }
    return Layer(
        name,
        {
            (types, what): known[n]
            for types, row in names.items()
            for what, n in zip(Pass, row, strict=True)
        },
    )


def _conv(name: str, shape: tuple[int, int, int], out: int, window: Window) -> Layer:
    image = Image(name, shape, window)
    cases = (*conv2d.layer_cases(image, out), *integer_gradients.layer_cases(image, out))
    return _layer(name, "conv2d", (name, f"{name}-1"), cases)


def _depthwise(name: str, shape: tuple[int, int, int], window: Window) -> Layer:
    image = Image(name, shape, window)
    cases = (*depthwise_conv2d.layer_cases(image), *integer_gradients.depthwise_cases(image))
    return _layer(name, "depthwise_conv2d", (name, f"{name}-1"), cases)


def _fully_connected(name: str, inputs: int, outputs: int) -> Layer:
    cases = (
        *fully_connected.layer_cases(inputs, outputs),
        *integer_gradients.fully_connected_cases(inputs, outputs),
    )
    labels = f"1x{inputs}-{outputs}", f"1x{inputs}x{outputs}"
    return _layer(name, "fully_connected", labels, cases)


def _square(size: int, stride: int = 1, pad: int = 0, dilation: int = 1) -> Window:
    return Window((size, size), (stride, stride), (pad,) * 4, (dilation, dilation))


#: Those of the peers' figures.
COMMON = (
    _conv("conv 3x3 16->16, 16x16", (16, 16, 16), 16, _square(3, pad=1)),
    _conv("conv 1x1 32->64, 16x16", (16, 16, 32), 64, _square(1)),
    _conv("conv 1x1 64->64, 8x8", (8, 8, 64), 64, _square(1)),
    _depthwise("depthwise 3x3 64, 16x16", (16, 16, 64), _square(3, pad=1)),
    _fully_connected("fully connected 256->10", 256, 10),
)

ODD = (
    _conv("conv 3x3 1->3, 9x9", (9, 9, 1), 3, _square(3, pad=1)),
    _conv("conv 3x3 5->17, 7x7", (7, 7, 5), 17, _square(3, pad=1)),
    _conv("conv 3x3 17->1, 6x5", (6, 5, 17), 1, _square(3, pad=1)),
    _conv("conv 3x3 stride 2 3->16, 16x16", (16, 16, 3), 16, Window((3, 3), (2, 2), (0, 1, 0, 1))),
    _conv("conv 3x3 stride 3 8->8, 13x13", (13, 13, 8), 8, _square(3, stride=3, pad=1)),
    _conv("conv 1x1 17->5, 9x7", (9, 7, 17), 5, _square(1)),
    _conv("conv 1x1 stride 2 16->16, 12x12", (12, 12, 16), 16, _square(1, stride=2)),
    _conv("conv 2x2 5->8, 8x8", (8, 8, 5), 8, _square(2)),
    _conv("conv 4x4 3->4, 9x9", (9, 9, 3), 4, Window((4, 4), pad=(1, 2, 1, 2))),
    _conv("conv 5x5 4->6, 10x10", (10, 10, 4), 6, _square(5, pad=2)),
    _conv("conv 6x6 stride 2 1->8, 14x14", (14, 14, 1), 8, _square(6, stride=2, pad=2)),
    _conv("conv 7x7 stride 2 3->8, 16x16", (16, 16, 3), 8, _square(7, stride=2, pad=3)),
    _conv("conv 3x1 8->8, width 1", (32, 1, 8), 8, Window((3, 1), pad=(1, 1, 0, 0))),
    _conv("conv 3x3 dilation 2 5->8, 10x10", (10, 10, 5), 8, _square(3, pad=2, dilation=2)),
    _depthwise("depthwise 3x3 stride 2 17, 12x12", (12, 12, 17), _square(3, stride=2, pad=1)),
    _depthwise("depthwise 5x5 5, 9x9", (9, 9, 5), _square(5, pad=2)),
    _depthwise("depthwise 3x3 dilation 2 8, 10x10", (10, 10, 8), _square(3, pad=2, dilation=2)),
    _depthwise("depthwise 3x1 16, width 1", (24, 1, 16), Window((3, 1), pad=(1, 1, 0, 0))),
    _depthwise("depthwise 7x7 stride 3 1, 16x16", (16, 16, 1), _square(7, stride=3, pad=3)),
    _depthwise("depthwise 3x3 3, 8x8", (8, 8, 3), _square(3, pad=1)),
)

#: Those of ResNet8 whose channels fill vectors of half.
WIDE = (
    _conv("conv 3x3 32->32, 16x16", (16, 16, 32), 32, _square(3, pad=1)),
    _conv("conv 3x3 64->64, 8x8", (8, 8, 64), 64, _square(3, pad=1)),
)

LAYERS = (*COMMON, *WIDE, *ODD)
