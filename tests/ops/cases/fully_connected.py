"""Cases of fully_connected and its gradients."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from mcugrad.ops.clamp_range import NONE, Clamp
from mcugrad.ops.fully_connected import FullyConnectedAttrs, FullyConnectedBwdDataAttrs
from tests.ops.case import NO_ATTRS, Case, Operand
from tests.ops.convolutions import CLAMPS, backward_operands, float_operands, quantised

#: x, I, O
_SHAPES = (
    ((1, 1), 1, 1),
    ((1, 64), 64, 10),
    ((1, 17), 17, 5),
    ((1, 3), 3, 1),
    ((5, 12), 12, 7),
    ((1, 2, 3, 4), 24, 3),
    ((1, 4, 2, 8), 8, 5),
)


def _label(x: tuple[int, ...], out: int, more: str = "") -> str:
    return f"{'x'.join(map(str, x))}-{out}{more}"


def _float(
    x: tuple[int, ...], i: int, o: int, clamp: Clamp = NONE, more: str = "", *, bias: bool = True
) -> Case:
    operands = float_operands(x, (o, i), o if bias else None)
    return Case("fully_connected", _label(x, o, more), operands, FullyConnectedAttrs(clamp))


def _int8(
    x: tuple[int, ...],
    i: int,
    o: int,
    clamp: Clamp = NONE,
    more: str = "",
    *,
    per_channel: bool = False,
    bias: bool = True,
) -> Case:
    layer = quantised(x, (o, i), axis=0, per_channel=per_channel, bias=bias, products=i)
    label, attrs = _label(x, o, f"{more}-s8"), FullyConnectedAttrs(clamp)
    return Case("fully_connected", label, layer.operands, attrs, (layer.output,))


def _backward(x: tuple[int, ...], i: int, o: int) -> Iterator[Case]:
    shape, dy = (o, i), Operand((prod(x) // i, o))
    attrs = FullyConnectedBwdDataAttrs(x)
    for more, source, w in backward_operands(x, shape, axis=0):
        label = _label(x, o, more)
        yield Case("fully_connected_bwd_data", label, (dy, w), attrs)
        yield Case("fully_connected_bwd_weight", label, (source, dy), NO_ATTRS)
        gathered = (source, dy, Operand(shape))
        yield Case("fully_connected_bwd_weight", f"{label}-gathered", gathered, NO_ATTRS)


CASES = [
    *(_float(*shape) for shape in _SHAPES),
    _float((1, 9), 9, 4, more="-no-bias", bias=False),
    *(_float((1, 9), 9, 6, c, f"-{name}") for name, c in CLAMPS.items()),
    *(_int8(*shape) for shape in _SHAPES),
    *(_int8(*shape, more="-per-channel", per_channel=True) for shape in _SHAPES[:3]),
    _int8((1, 9), 9, 4, more="-no-bias", bias=False),
    *(_int8((1, 9), 9, 6, c, f"-{name}") for name, c in CLAMPS.items()),
    *(case for shape in _SHAPES for case in _backward(*shape)),
]


def layer_cases(inputs: int, outputs: int) -> Iterator[Case]:
    """One layer and its gradients, float and int8, for measurements."""
    shape = ((1, inputs), inputs, outputs)
    yield _float(*shape)
    yield _int8(*shape)
    yield from _backward(*shape)
