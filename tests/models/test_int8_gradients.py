"""Gradients of networks that stay int8, against their differentiation in float64."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mcugrad.compiler import import_model, prepare
from mcugrad.demo import example_model
from mcugrad.golden.interpreter import Trainer
from mcugrad.passes.scheme import resolve_scheme
from mcugrad.passes.training import Precision, TrainingOptions, training_graph
from tests.support.straight_through import cosine, true_gradients


def worst_cosine(model: Path, spec: str, options: TrainingOptions, samples: int) -> float:
    graph = prepare(import_model(model))
    training = training_graph(graph, resolve_scheme(graph, spec), options)
    rng = np.random.default_rng(0)
    shape = graph.tensors[graph.inputs[0]].shape
    worst = 1.0
    for label in range(samples):
        x = rng.integers(-128, 128, shape).astype(np.int8)
        step = Trainer(training).step(x, np.array([label], np.int32))
        true = true_gradients(training, x, label)
        for item in training.learning:
            found = step.tensors[item.gradient]
            assert np.linalg.norm(found) == pytest.approx(
                float(np.linalg.norm(true[item.tensor])), rel=1e-4, abs=1e-7
            ), item.tensor
            worst = min(worst, cosine(found, true[item.tensor]))
    return worst


@pytest.mark.parametrize("classes", [None, 7])
def test_example_model(classes: int | None) -> None:
    options = TrainingOptions(classes, precision=Precision.INT8)
    assert worst_cosine(example_model(), "all", options, 5) > 0.99999


def test_skip_connections_of_resnet8(data_folder: Path) -> None:
    model = data_folder / "mlperf_tiny_models" / "pretrainedResnet_quant.tflite"
    options = TrainingOptions(10, precision=Precision.INT8)
    assert worst_cosine(model, "all", options, 1) > 0.99999
