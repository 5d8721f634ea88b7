"""Gradients of whole networks against autograd, an independent differentiator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from autograd import value_and_grad

from mcugrad.golden.interpreter import Trainer
from mcugrad.ir.graph import Graph, Phase
from mcugrad.ops.depthwise_conv2d import DepthwiseConv2dAttrs
from mcugrad.ops.window import Window
from mcugrad.passes.scheme import UpdateScheme, resolve_scheme
from mcugrad.passes.training import TrainingOptions, training_graph
from tests.support.autograd_forward import cross_entropy, forward
from tests.support.networks import NetworkBuilder, random_network, residual_network
from tests.support.straight_through import cosine


def check_gradients(graph: Graph, x: np.ndarray, label: int, spec: str = "all") -> float:
    """Compares every learning tensor's gradient; returns the worst cosine."""
    training = training_graph(graph, resolve_scheme(graph, spec), TrainingOptions())
    step = Trainer(training).step(x, np.array([label], np.int32))
    names = [item.tensor for item in training.learning]
    parameters = {n: training.graph.tensors[n].initial().astype(np.float64) for n in names}
    logits = graph.nodes[-1].inputs[0] if graph.nodes[-1].op == "softmax" else graph.outputs[0]

    def loss(given: dict[str, Any]) -> Any:
        return cross_entropy(forward(graph, given, x, logits), label)

    value, expected = value_and_grad(loss)(parameters)
    assert step.loss == pytest.approx(value, rel=1e-5, abs=1e-6)
    worst = 1.0
    for item in training.learning:
        found, true = step.tensors[item.gradient], expected[item.tensor]
        worst = min(worst, cosine(found, true))
        norm = float(np.linalg.norm(true))
        assert float(np.linalg.norm(found)) == pytest.approx(norm, rel=1e-4, abs=1e-7), item.tensor
        assert cosine(found, true) >= 0.99999, item.tensor
    return worst


def draw(graph: Graph, seed: int, scale: float = 1.0) -> np.ndarray:
    shape = graph.tensors[graph.inputs[0]].shape
    return (np.random.default_rng(seed).normal(0, scale, shape)).astype(np.float32)


def test_residual_network_three_blocks_deep() -> None:
    graph = residual_network(blocks=3)
    check_gradients(graph, draw(graph, 1), 2)


@pytest.mark.parametrize("seed", range(30))
def test_random_network(seed: int) -> None:
    graph = random_network(seed)
    check_gradients(graph, draw(graph, seed), 1)


@pytest.mark.parametrize("spec", ["head", "bias:3", "last:2"])
def test_partial_schemes_give_the_same_gradients(spec: str) -> None:
    graph = residual_network()
    check_gradients(graph, draw(graph, 3), 0, spec)


def test_channel_share_is_a_slice_of_the_whole_gradient() -> None:
    graph = residual_network()
    x, target = draw(graph, 5), np.array([1], np.int32)
    whole = resolve_scheme(graph, "all")
    conv = next(
        n for n in graph.nodes if n.op == "conv2d" and graph.tensors[n.inputs[1]].shape[3] > 3
    )
    weight, channels = conv.inputs[1], (0, 2, 5)
    partial = UpdateScheme({**whole.learning, weight: channels})
    options = TrainingOptions(learning_rate=0.5)
    full_step = Trainer(training_graph(graph, whole, options)).step(x, target)
    training = training_graph(graph, partial, options)
    trainer = Trainer(training)
    start = graph.tensors[weight].initial()
    step = trainer.step(x, target)
    gradient = next(i.gradient for i in training.learning if i.tensor == weight)
    full = full_step.tensors[f"d.{weight}"]
    np.testing.assert_allclose(step.tensors[gradient], full[..., list(channels)], rtol=1e-6)
    (merge,) = (n for n in training.nodes_in(Phase.FORWARD) if n.op == "merge_channels")
    merged = trainer.step(x, target).tensors[merge.outputs[0]]
    changed = np.zeros(start.shape, bool)
    changed[..., list(channels)] = True
    np.testing.assert_array_equal(merged[~changed], start[~changed])
    np.testing.assert_array_equal(merged[changed], (start - 0.5 * full)[changed])


def test_channel_share_of_a_depthwise_layer_with_multiplier() -> None:
    """Learning channels that read the same input channel."""
    net = NetworkBuilder(6, 6, 3, seed=0)
    w, b = net.weight("w", 3, 3, 6), net.weight("b", 6)
    window = Window((3, 3), pad=(1, 1, 1, 1))
    y = net.node("depthwise_conv2d", DepthwiseConv2dAttrs(window, 2), net.conv(net.x, 3), w, b)
    graph = net.classifier(y, 4)
    x, target, channels = draw(graph, 1), np.array([2], np.int32), (0, 1, 3, 5)
    whole = training_graph(graph, UpdateScheme({w: None}), TrainingOptions())
    part = training_graph(graph, UpdateScheme({w: channels}), TrainingOptions())
    expected = Trainer(whole).step(x, target).tensors[whole.gradients[w]]
    found = Trainer(part).step(x, target).tensors[part.learning[0].gradient]
    np.testing.assert_allclose(found, expected[..., list(channels)], rtol=1e-6)


def test_layers_before_the_first_learning_one_cost_nothing_backward() -> None:
    graph = residual_network()
    training = training_graph(graph, resolve_scheme(graph, "last:2"), TrainingOptions())
    ops = [n.op for n in training.graph.nodes]
    assert "conv2d_bwd_data" not in ops  # only the head and the layer before it learn
    assert ops.count("conv2d_bwd_weight") == ops.count("fully_connected_bwd_data") == 1


@pytest.mark.parametrize("name", ["pretrainedResnet", "kws_ref_model_float32"])
def test_real_networks(name: str, data_folder: Path) -> None:
    from mcugrad.compiler import prepare
    from mcugrad.importers.tflite import import_tflite

    graph = prepare(import_tflite(data_folder / "mlperf_tiny_models" / f"{name}.tflite"))
    scale = 60.0 if name == "pretrainedResnet" else 10.0
    check_gradients(graph, draw(graph, 7, scale), 3)
