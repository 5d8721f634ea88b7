"""Fused nodes: the same step, bit for bit, in the golden model."""

from __future__ import annotations

import numpy as np
import pytest

from mcugrad.golden.interpreter import Trainer
from mcugrad.ir.graph import TrainingGraph
from mcugrad.passes.fuse_sums import fuse_sums
from mcugrad.passes.fused import fused
from mcugrad.passes.layers import layers
from mcugrad.passes.scheme import UpdateScheme, resolve_scheme
from mcugrad.passes.training import Gradients, Precision, TrainingOptions, training_graph
from tests.support.networks import random_network
from tests.support.quantised import quantised


def _training(seed: int, spec: str, gradients: Gradients, batch: int = 1) -> TrainingGraph:
    graph = random_network(seed)
    x = np.random.default_rng(seed).normal(size=graph.tensors["x"].shape)
    options = TrainingOptions(precision=Precision.INT8, gradients=gradients, batch=batch)
    graph = quantised(graph, [x.astype(np.float32)])
    return training_graph(graph, resolve_scheme(graph, spec), options)


@pytest.mark.parametrize("spec", ["all", "bias:4"])
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("gradients", "batch"), [("f32", 1), ("f32", 2), ("s16", 1)])
def test_no_result_changes(spec: str, seed: int, gradients: str, batch: int) -> None:
    training = _training(seed, spec, Gradients(gradients), batch)
    fewer = fused(training)
    assert len(fewer.graph.nodes) < len(training.graph.nodes)
    steps = Trainer(training), Trainer(fewer)
    rng = np.random.default_rng(seed)
    sample, target = (training.graph.tensors[n] for n in training.graph.inputs)
    for _ in range(3):
        x = rng.integers(-128, 128, sample.shape, np.int8)
        y = rng.integers(0, 2, target.shape, np.int32)
        losses = [t.step(x, y).loss for t in steps]
        assert losses[0] == losses[1]
        for name, value in steps[0].state.items():
            np.testing.assert_array_equal(steps[1].state[name], value)


def test_a_mask_without_a_sum_stays() -> None:
    """Where no bias learns."""
    graph = random_network(0)
    x = np.random.default_rng(0).normal(size=graph.tensors["x"].shape)
    graph = quantised(graph, [x.astype(np.float32)])
    weights = UpdateScheme({layer.weight: None for layer in layers(graph)[-3:]})
    training = training_graph(graph, weights, TrainingOptions(precision=Precision.INT8))
    assert "saturation_mask_bwd" in {n.op for n in training.graph.nodes}
    assert fuse_sums(training) == training
