"""LiteRT's int8 FULLY_CONNECTED rounds once, in double precision, unlike its convolutions.

Its result is round(sum * (x_scale * w_scale / y_scale)), halves away from zero, of doubles;
the Q31 multipliers of the convolutions, rounded once or twice, differ from it near halves.
The biases here put every sum as near to a half as an int32 can be.
"""

from __future__ import annotations

import numpy as np
import pytest

from mcugrad.ir.graph import Graph, Node
from mcugrad.ir.tensor import DType, QuantParams, Tensor, constant
from mcugrad.ops import lookup
from mcugrad.ops.base import OpCall
from mcugrad.ops.fully_connected import FullyConnectedAttrs
from tests.support.litert import LiteRT
from tests.support.tflite_writer import write_tflite

OUT, IN = 400, 4


@pytest.mark.parametrize("per_channel", [True, False], ids=["per_channel", "per_tensor"])
@pytest.mark.parametrize("seed", range(5))
def test_sums_near_halves(seed: int, per_channel: bool) -> None:
    rng = np.random.default_rng(seed)
    x_scale, y_scale = (float(np.float32(s)) for s in rng.uniform(0.05, 0.1, 2))
    drawn = np.exp(rng.uniform(np.log(1e-7), np.log(1e-5), OUT if per_channel else 1))
    scales = drawn.astype(np.float32).astype(np.float64)
    halves = rng.integers(-100, 100, OUT) + 0.5
    bias = np.clip(np.rint(halves / (x_scale * scales / y_scale)), -(2**30), 2**30)
    w_quant = QuantParams(tuple(map(float, scales)), (0,) * len(scales), 0 if per_channel else None)
    tensors = {
        "x": Tensor("x", (1, IN), DType.S8, QuantParams((x_scale,), (3,))),
        "w": constant("w", rng.integers(-127, 128, (OUT, IN)).astype(np.int8), w_quant),
        "b": constant("b", bias.astype(np.int32)),
        "y": Tensor("y", (1, OUT), DType.S8, QuantParams((y_scale,), (-2,))),
    }
    attrs = FullyConnectedAttrs()
    node = Node("node", "fully_connected", ("x", "w", "b"), ("y",), attrs)
    graph = Graph("one", tensors, (node,), ("x",), ("y",))
    x = np.full((1, IN), 3, np.int8)  # the zero point, so that the sum is the bias
    (theirs,) = LiteRT(write_tflite(graph)).run([x])
    call = OpCall(attrs, graph.operands(node), graph.results(node))
    values = [x, tensors["w"].data, tensors["b"].data]
    (mine,) = lookup("fully_connected").reference(call, values)
    np.testing.assert_array_equal(mine, theirs)
