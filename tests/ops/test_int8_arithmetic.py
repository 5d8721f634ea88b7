"""int8 operators against LiteRT's reference kernels for many random quantisations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mcugrad.ir.graph import Graph, Node
from mcugrad.ir.tensor import Array, DType, QuantParams, Tensor
from mcugrad.ops import OpCall, lookup
from mcugrad.ops.base import NoAttrs
from mcugrad.ops.clamp_range import Clamp
from mcugrad.ops.elementwise import ElementwiseAttrs
from mcugrad.ops.leaky_relu import LeakyReluAttrs
from mcugrad.ops.mean import MeanAttrs
from mcugrad.ops.softmax import SoftmaxAttrs
from tests.ops.quant import per_tensor
from tests.support.litert import LiteRT
from tests.support.tflite_writer import write_tflite

_EVERY_CODE = np.arange(-128, 128).astype(np.int8)
_SIGMOID, _TANH = per_tensor(1 / 256, -128), per_tensor(1 / 128)


def _random_quant(rng: np.random.Generator) -> QuantParams:
    scale = np.exp(rng.uniform(np.log(1e-3), np.log(0.5)))
    return per_tensor(scale, int(rng.integers(-128, 128)))


def _random_codes(rng: np.random.Generator, *shape: int) -> Array:
    return rng.integers(-128, 127, shape, np.int8, endpoint=True)


def _compare(
    op: str, attrs: Any, codes: list[Array], quants: list[QuantParams], result: QuantParams
) -> None:
    inputs = [
        Tensor(f"x{i}", c.shape, DType.S8, q)
        for i, (c, q) in enumerate(zip(codes, quants, strict=True))
    ]
    (spec,) = lookup(op).infer(OpCall(attrs, inputs, ()))
    y = Tensor("y", spec.shape, spec.dtype, result)
    names = tuple(x.name for x in inputs)
    node = Node("node", op, names, ("y",), attrs)
    graph = Graph("one", {t.name: t for t in (*inputs, y)}, (node,), names, ("y",))
    (theirs,) = LiteRT(write_tflite(graph)).run(codes)
    (mine,) = lookup(op).reference(OpCall(attrs, inputs, [y]), codes)
    np.testing.assert_array_equal(mine, theirs, err_msg=f"{quants} {result}")


@pytest.mark.parametrize(
    ("op", "attrs", "result"),
    [
        ("clamp", Clamp(low=0.0), None),
        ("clamp", Clamp(0.0, 6.0), None),
        ("clamp", Clamp(-1.0, 1.0), None),
        ("leaky_relu", LeakyReluAttrs(0.2), None),
        ("leaky_relu", LeakyReluAttrs(1.3), None),
        ("hard_swish", NoAttrs(), None),
        ("logistic", NoAttrs(), _SIGMOID),
        ("tanh", NoAttrs(), _TANH),
        ("quantize", NoAttrs(), None),
    ],
    ids=str,
)
def test_one_operand(op: str, attrs: Any, result: QuantParams | None) -> None:
    rng = np.random.default_rng(7)
    for _ in range(40):
        x, y = _random_quant(rng), result or _random_quant(rng)
        if op == "hard_swish":  # LiteRT wants a result not much finer than its operand
            y = per_tensor(max(y.scale[0], x.scale[0] / 64), y.zero_point[0])
        _compare(op, attrs, [_EVERY_CODE], [x], y)


@pytest.mark.parametrize("op", ["add", "sub", "mul"])
@pytest.mark.parametrize("clamp", [Clamp(), Clamp(low=0.0), Clamp(0.0, 6.0)], ids=str)
def test_two_operands(op: str, clamp: Clamp) -> None:
    rng = np.random.default_rng(7)
    for _ in range(20):
        a, b = _random_quant(rng), _random_quant(rng)
        factor = a.scale[0] * b.scale[0] if op == "mul" else max(a.scale[0], b.scale[0])
        y = per_tensor(factor * rng.uniform(0.5, 60), int(rng.integers(-128, 128)))
        codes = [_random_codes(rng, 40, 50), _random_codes(rng, 40, 50)]
        _compare(op, ElementwiseAttrs(clamp), codes, [a, b], y)


def test_mean() -> None:
    rng = np.random.default_rng(7)
    for _ in range(40):
        height, width = (int(n) for n in rng.integers(1, 12, 2))
        codes = _random_codes(rng, 1, height, width, 60)
        _compare("mean", MeanAttrs((1, 2)), [codes], [_random_quant(rng)], _random_quant(rng))


@pytest.mark.parametrize("columns", [1, 2, 10, 500])
def test_softmax(columns: int) -> None:
    rng = np.random.default_rng(7)
    for _ in range(20):
        attrs = SoftmaxAttrs(float(np.float32(rng.uniform(0.3, 3))))
        codes = _random_codes(rng, 30, columns)
        codes[0] = codes[0, 0]  # all alike
        _compare("softmax", attrs, [codes], [_random_quant(rng)], _SIGMOID)
