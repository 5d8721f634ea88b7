"""Training graphs of models that share weights, or use our names for tensors of theirs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mcugrad.codegen.emit import tensor_table
from mcugrad.errors import ModelError, UsageError
from mcugrad.golden.interpreter import Trainer
from mcugrad.ir.graph import Graph, GraphBuilder, Node
from mcugrad.ir.tensor import Array, DType, Tensor
from mcugrad.ops.base import NoAttrs
from mcugrad.ops.clamp_range import Clamp
from mcugrad.ops.elementwise import ElementwiseAttrs
from mcugrad.ops.fully_connected import FullyConnectedAttrs
from mcugrad.ops.mean import MeanAttrs
from mcugrad.passes.layers import layers
from mcugrad.passes.scheme import UpdateScheme, resolve_scheme
from mcugrad.passes.training import Loss, TrainingOptions, training_graph
from tests.plan.test_plan import plan_of
from tests.support.networks import NetworkBuilder
from tests.support.quantised import quantised

DENSE = FullyConnectedAttrs(Clamp())


def shared_twice() -> Graph:
    """One weight in two fully connected layers, one behind the other."""
    net = NetworkBuilder(4, 4, 4, seed=0)
    w = net.weight("w", 4, 4)
    x = net.node("mean", MeanAttrs((1, 2)), net.x)
    y = net.node("fully_connected", DENSE, net.node("fully_connected", DENSE, x, w), w)
    return net.builder.build("shared", [net.x], [y])


def weight_also_scales() -> Graph:
    """A weight that a multiplication reads as well."""
    net = NetworkBuilder(4, 4, 4, seed=0)
    w = net.weight("w", 4, 4)
    x = net.node("mean", MeanAttrs((1, 2)), net.x)
    scores = net.node("fully_connected", DENSE, x, w)
    return net.builder.build(
        "scales", [net.x], [net.node("mul", ElementwiseAttrs(Clamp()), scores, w)]
    )


def test_a_head_that_shares_its_weights_cannot_be_replaced() -> None:
    graph = shared_twice()
    with pytest.raises(ModelError, match="used by another"):
        training_graph(graph, resolve_scheme(graph, "head"), TrainingOptions(classes=3))


def test_a_share_of_a_weight_that_something_else_reads_is_refused(tmp_path: Path) -> None:
    graph = weight_also_scales()
    file = tmp_path / "scheme.toml"
    file.write_text("[update]\nw = [0, 2]\n")
    with pytest.raises(UsageError, match=r"'w'.*as a whole"):
        resolve_scheme(graph, str(file))
    whole = UpdateScheme({"w": None})
    training_graph(graph, whole, TrainingOptions(loss=Loss.MEAN_SQUARED_ERROR))


@pytest.mark.parametrize("channels", ["true", "[0, 2]"])
def test_a_tensor_may_learn_at_a_rate_of_its_own(channels: str, tmp_path: Path) -> None:
    net = NetworkBuilder(4, 4, 3, seed=0)
    graph = net.classifier(net.conv(net.x, 4), 3)
    head = layers(graph)[-1]
    file = tmp_path / "scheme.toml"
    x = np.random.default_rng(0).normal(size=(1, 4, 4, 3)).astype(np.float32)

    def after_a_step(rate: float, learning_rate: float) -> dict[str, Array]:
        entries = [
            f'"{head.weight}" = {{ channels = {channels}, rate = {rate} }}',
            f'"{head.bias}" = true',
        ]
        file.write_text("\n".join(["[update]", *entries]))
        options = TrainingOptions(learning_rate=learning_rate)
        training = training_graph(graph, resolve_scheme(graph, str(file)), options)
        trainer = Trainer(training)
        trainer.step(x, np.array([1], np.int32))
        names = [n for n in trainer.state if n.startswith(head.weight) or n == head.bias]
        start = {n: training.graph.tensors[n].initial() for n in names}
        return {n: trainer.state[n] - start[n] for n in names}

    plain, slowed = after_a_step(1.0, 0.1), after_a_step(0.25, 0.1)
    for name, change in plain.items():
        share = 1.0 if name == head.bias else 0.25
        np.testing.assert_allclose(slowed[name], share * change, rtol=1e-4, atol=1e-7)
        assert np.any(change)


@pytest.mark.parametrize("batch", [1, 3])
def test_a_model_may_have_a_tensor_of_any_name(batch: int) -> None:
    net = NetworkBuilder(4, 4, 3, seed=0)
    w, b = net.weight("hyper", 3, 3), net.weight("loss", 3)
    x = net.node("mean", MeanAttrs((1, 2)), net.x)
    graph = net.builder.build("names", [net.x], [net.node("fully_connected", DENSE, x, w, b)])
    plan = plan_of(graph, options=TrainingOptions(batch=batch))
    hyper = next(e for e in tensor_table(plan) if e.name == plan.program.hyper)
    assert hyper.writable
    np.testing.assert_allclose(hyper.tensor.initial(), [0.01, 0.0, 0.0])


def test_cross_entropy_is_of_the_logits_before_a_dequantised_softmax() -> None:
    net = NetworkBuilder(4, 4, 3, seed=0)
    x = np.random.default_rng(0).normal(size=(1, 4, 4, 3)).astype(np.float32)
    graph = quantised(net.classifier(net.conv(net.x, 4), 3), [x])
    builder = GraphBuilder.of(graph)
    real = builder.add_tensor(Tensor("real", (1, 3), DType.F32))
    builder.add_node(Node("real", "dequantize", graph.outputs, (real,), NoAttrs()))
    sample, target = np.zeros((1, 4, 4, 3), np.int8), np.array([1], np.int32)
    losses = [
        Trainer(training_graph(g, resolve_scheme(g, "none"), TrainingOptions())).step(
            sample, target
        )
        for g in (graph, builder.build("real", graph.inputs, [real]))
    ]
    assert losses[0].loss == losses[1].loss


def test_cross_entropy_of_one_score_is_refused() -> None:
    net = NetworkBuilder(4, 4, 3, seed=0)
    graph = net.classifier(net.x, 1)
    with pytest.raises(UsageError, match="mse"):
        training_graph(graph, resolve_scheme(graph, "head"), TrainingOptions())


@pytest.mark.parametrize(
    "wrong",
    [
        {"classes": 0},
        {"classes": -2},
        {"batch": 0},
        {"batch": 1 << 40},
        {"seed": -1},
        {"learning_rate": float("nan")},
        {"momentum": 2.0},
        {"weight_decay": -1.0},
    ],
)
def test_options_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(wrong)).replace("_", " ")):
        TrainingOptions(**wrong)
