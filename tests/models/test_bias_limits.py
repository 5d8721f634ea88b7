"""Biases that learn never take a layer's int32 sum over its end."""

from __future__ import annotations

import numpy as np
import pytest

from mcugrad.golden.interpreter import Trainer
from mcugrad.ops.sgd_quantized import bias_limit
from mcugrad.passes.layers import layers
from mcugrad.passes.scheme import resolve_scheme
from mcugrad.passes.training import Precision, TrainingOptions, training_graph
from tests.models.test_slices import network, pairs

INT32_MAX = (1 << 31) - 1


@pytest.mark.parametrize("products", [1, 27, 1152, 65_793])
def test_the_limit_is_the_largest_that_fits(products: int) -> None:
    worst = 255 * 128 * products
    assert bias_limit(products) + worst <= INT32_MAX
    assert bias_limit(products) + 1 + worst > INT32_MAX


def test_no_bias_where_the_products_overflow_alone() -> None:
    assert bias_limit(65_794) == 0


@pytest.mark.parametrize("sign", [1, -1])
def test_an_update_leaves_room_for_the_products(sign: int) -> None:
    graph = network("int8")
    options = TrainingOptions(precision=Precision.INT8, learning_rate=0.0)
    trainer = Trainer(training_graph(graph, resolve_scheme(graph, "all"), options))
    biases = [layer.bias for layer in layers(graph) if layer.bias]
    for name in biases:
        trainer.state[name] = np.full_like(trainer.state[name], sign * INT32_MAX)
    assert trainer.step(*pairs("int8")[0]).accepted
    for layer in layers(graph):
        shape = graph.tensors[layer.weight].shape
        depthwise = layer.node.op == "depthwise_conv2d"
        products = int(np.prod(shape[:2] if depthwise else shape[1:]))
        assert layer.bias is not None
        limit = INT32_MAX - 255 * 128 * products
        np.testing.assert_array_equal(trainer.state[layer.bias], sign * limit)
