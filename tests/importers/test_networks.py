"""Whole networks of our own, written as .tflite: what is imported computes what LiteRT does."""

from __future__ import annotations

import numpy as np
import pytest

from mcugrad.golden.interpreter import run
from mcugrad.importers.tflite import parse_tflite
from mcugrad.ir.graph import Graph
from mcugrad.passes.fold_pad import fold_pad
from mcugrad.passes.fuse_activation import fuse_activation
from tests.support.litert import LiteRT
from tests.support.networks import random_network, residual_network
from tests.support.quantised import codes, quantised
from tests.support.tflite_writer import write_tflite

SEEDS = range(12)


def _samples(graph: Graph, count: int = 4) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    shape = graph.tensors[graph.inputs[0]].shape
    return [rng.normal(size=shape).astype(np.float32) for _ in range(count)]


def _check(y: np.ndarray, expected: np.ndarray, where: str) -> None:
    if y.dtype == np.float32:
        np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-5, err_msg=where)
    else:
        np.testing.assert_array_equal(y, expected, where)


def _compare(graph: Graph, samples: list[np.ndarray]) -> None:
    """Every tensor of the imported file against LiteRT's reference kernels."""
    content = write_tflite(graph)
    imported = parse_tflite(content, "network.tflite")
    cleaned = fuse_activation(fold_pad(imported))
    judge = LiteRT(content, keep=True)
    for x in samples:
        (expected,) = judge.run([x])
        tensors = judge.tensors()
        values = run(imported, {imported.inputs[0]: x})
        for node in imported.nodes:
            for name in node.outputs:
                _check(values[name], tensors[name], f"{node.name}, {name}")
        (y,) = run(cleaned, {cleaned.inputs[0]: x}, keep=False).values()
        _check(y, expected, "after the clean-ups")


@pytest.mark.parametrize("seed", SEEDS)
def test_float_network(seed: int) -> None:
    graph = random_network(seed)
    _compare(graph, _samples(graph))


@pytest.mark.parametrize("per_channel", [True, False], ids=["per_channel", "per_tensor"])
@pytest.mark.parametrize("seed", SEEDS)
def test_int8_network(seed: int, per_channel: bool) -> None:
    graph = random_network(seed)
    samples = _samples(graph)
    int8 = quantised(graph, samples, per_channel)
    quant = int8.tensors[int8.inputs[0]].quant
    assert quant is not None
    _compare(int8, [codes(x, quant) for x in samples])


def test_int8_residual_network() -> None:
    graph = residual_network()
    samples = _samples(graph, 8)
    int8 = quantised(graph, samples)
    quant = int8.tensors[int8.inputs[0]].quant
    assert quant is not None
    _compare(int8, [codes(x, quant) for x in samples])
