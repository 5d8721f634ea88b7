"""Values that random cases never hold, in the kernels of packed half precision."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import inf, nan

import numpy as np
import pytest

from mcugrad.build import kernel_library
from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import NoAttrs
from mcugrad.ops.clamp_range import Clamp
from mcugrad.ops.conv2d_attrs import Conv2dAttrs
from mcugrad.ops.depthwise_conv2d import DepthwiseConv2dAttrs
from mcugrad.ops.window import Window
from tests.kernels.call import Kernels
from tests.ops.case import Case, Operand

LARGE = 60000.0


@dataclass(frozen=True)
class Given(Case):
    """A case with these contents."""

    contents: tuple[tuple[float, ...], ...] = ()

    @cached_property
    def stored(self) -> list[Array | None]:
        """The contents as devices hold them."""
        return [
            np.array(values, np.float16).reshape(operand.shape)
            for operand, values in zip(self.inputs, self.contents, strict=True)
            if operand is not None
        ]


@pytest.fixture(scope="module")
def kernels() -> Kernels:
    return Kernels(kernel_library())


def given(op: str, attrs: object, *inputs: Array) -> Given:
    operands = tuple(Operand(x.shape, DType.F16) for x in inputs)
    contents = tuple(tuple(x.ravel().tolist()) for x in inputs)
    return Given(op, "given", operands, attrs, contents=contents)


def results(kernels: Kernels, case: Case) -> Array:
    return kernels.results(case, "xfvec")[0]


@pytest.mark.parametrize("channels", [4, 5])
@pytest.mark.parametrize("clamp", [Clamp(0.0, 6.0), Clamp(0.0)], ids=["relu6", "relu"])
def test_limits_hold_infinity_and_let_nan_through(
    kernels: Kernels, clamp: Clamp, channels: int
) -> None:
    """At each of seven positions: in tiles of four, and alone."""
    x = np.ones((1, 1, 7, 2))
    w = np.ones((channels, 1, 1, 2))
    x[0, 0, 1], x[0, 0, 3], x[0, 0, 5, 0], x[0, 0, 6] = LARGE, -LARGE, nan, LARGE
    y = results(kernels, given("conv2d", Conv2dAttrs(Window((1, 1)), clamp=clamp), x, w))
    top = clamp.high
    wanted = [min(2.0, top), top, min(2.0, top), 0.0, min(2.0, top), nan, top]
    for channel in range(channels):
        np.testing.assert_array_equal(y[0, 0, :, channel], wanted)


def test_depthwise_limits_do_too(kernels: Kernels) -> None:
    window = Window((3, 3), pad=(1, 1, 1, 1))
    x = np.zeros((1, 3, 9, 2))
    x[0, 1, 1], x[0, 1, 4, 0], x[0, 1, 7] = LARGE, nan, -LARGE
    w = np.full((3, 3, 2), 2.0)
    attrs = DepthwiseConv2dAttrs(window, clamp=Clamp(0.0, 6.0))
    y = results(kernels, given("depthwise_conv2d", attrs, x, w))
    wanted = [6.0, 6.0, 6.0, nan, nan, nan, 0.0, 0.0, 0.0]
    for row in range(3):
        np.testing.assert_array_equal(y[0, row, :, 0], wanted)
        np.testing.assert_array_equal(y[0, row, [0, 1, 2, 6, 7, 8], 1], [6, 6, 6, 0, 0, 0])


@pytest.mark.parametrize("clamp", [Clamp(0.0, 6.0), Clamp(0.0), Clamp(1.0, 2.0)], ids=str)
def test_a_gradient_passes_strictly_inside(kernels: Kernels, clamp: Clamp) -> None:
    """Every half beside every other one, as a carry from one would show in the other."""
    every = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    y = np.concatenate([every, np.roll(every, 1), every[::-1], every[:5]])
    dy = np.random.default_rng(0).normal(size=y.size)
    dy[::7] = inf
    case = given("clamp_bwd", clamp, dy, y)
    np.testing.assert_array_equal(results(kernels, case), case.expected()[0].astype(np.float16))


@pytest.mark.parametrize("special", [inf, -inf, nan])
def test_one_that_is_not_finite_is_found_wherever_it_is(kernels: Kernels, special: float) -> None:
    for size in range(1, 40):
        x = np.full(size, -65504.0)
        assert results(kernels, given("all_finite", NoAttrs(), x)) == 1
        for place in range(size):
            x[place] = special
            assert results(kernels, given("all_finite", NoAttrs(), x)) == 0
            x[place] = 1e-7
