"""What tensors are worth, against TinyTrain's own formula on the golden model's activations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mcugrad.cli.console import Console
from mcugrad.compiler import Request, import_model, prepare
from mcugrad.data import Data, Samples, split
from mcugrad.demo import example_model
from mcugrad.golden.interpreter import Trainer
from mcugrad.ir.graph import Graph, TrainingGraph
from mcugrad.passes.layers import Layer, layers
from mcugrad.passes.scheme import resolve_scheme
from mcugrad.passes.training import TrainingOptions, training_graph
from mcugrad.search.analysis import Analysis, contribution, learnable
from mcugrad.search.contribution import Contribution


def samples(count: int) -> Samples:
    rng = np.random.default_rng(1)
    x = rng.integers(-128, 128, (count, 1, 8, 8, 1)).astype(np.int8)
    return Samples(x, rng.integers(0, 10, count).astype(np.int32))


@pytest.fixture(scope="module")
def fisher(tmp_path_factory: pytest.TempPathFactory) -> Contribution:
    folder = tmp_path_factory.mktemp("fisher")
    request = Request(example_model(), "host", "auto")
    data = Data(samples(5), None)
    return contribution(request, data, Analysis.FISHER, folder, Console(quiet=True))


def _reads_alone(layer: Layer, graph: Graph, training: TrainingGraph) -> bool:
    """Whether a layer's input is an image whose gradient comes from that layer alone."""
    name = layer.node.inputs[0]
    return (
        name in training.gradients
        and len(graph.tensors[name].shape) == 4
        and len(graph.consumers()[name]) == 1
    )


def test_fisher_is_that_of_the_activations(fisher: Contribution) -> None:
    """1/(2N) sum_n (sum_d a_nd g_nd)^2 by channel of the activations that a layer reads."""
    graph = prepare(import_model(example_model()))
    training = training_graph(graph, resolve_scheme(graph, "all"), TrainingOptions())
    trainer = Trainer(training)
    inner = [w for w in fisher.layers if _reads_alone(w.layer, graph, training)]
    energies = {w.layer.weight: np.zeros(()) for w in inner}
    start = {n: v.copy() for n, v in trainer.state.items()}
    data = samples(5)
    for x, y in zip(data.x, data.y, strict=True):
        trainer.state.update({n: v.copy() for n, v in start.items()})
        tensors = trainer.step(x, np.array([y])).tensors
        for w in inner:
            name = w.layer.node.inputs[0]
            product = tensors[name].astype(np.float64) * tensors[training.gradients[name]]
            name = w.layer.weight
            energies[name] = energies[name] + np.square(product.sum((0, 1, 2)))
    assert len(inner) >= 2
    found = np.array([w.options[-1].gain for w in inner])
    expected = np.array([energies[w.layer.weight].sum() for w in inner])
    np.testing.assert_allclose(found / found.sum(), expected / expected.sum(), rtol=1e-3)
    for w in inner:  # a share takes the channels with the most
        for option in w.options[1:-1]:
            assert option.channels is not None
            best = np.sort(energies[w.layer.weight])[::-1][: len(option.channels)]
            part = best.sum() / energies[w.layer.weight].sum()
            assert option.gain / w.options[-1].gain == pytest.approx(part, rel=1e-3)


def test_gains_add_up_to_everything(fisher: Contribution) -> None:
    total = sum(w.options[-1].gain + w.bias_gain for w in fisher.layers)
    assert total == pytest.approx(100)
    for w in fisher.layers:
        gains = [o.gain for o in w.options]
        assert gains == sorted(gains)  # a larger share is worth no less
    assert len(fisher.layers[-1].options) == 1  # the head learns as a whole


def test_all_layers_of_the_example_can_learn() -> None:
    graph = prepare(import_model(example_model()))
    assert learnable(graph, TrainingOptions()) == len(layers(graph))


def test_a_fifth_is_set_apart() -> None:
    data = split(Data(samples(20), None), 3)
    assert data.test is not None
    assert (len(data.train), len(data.test)) == (16, 4)
    rows = [x.tobytes() for part in (data.train, data.test) for x in part.x]
    assert sorted(rows) == sorted(x.tobytes() for x in samples(20).x)
    again = split(Data(samples(20), None), 3)
    assert again.test is not None
    np.testing.assert_array_equal(again.test.x, data.test.x)
    assert split(data, 5) is data


def test_accuracy_analysis_leaves_the_rest_alone(tmp_path: Path) -> None:
    """With nothing to learn but noise at a rate of zero, nothing gains anything."""
    request = Request(example_model(), "host", "auto", TrainingOptions(learning_rate=0.0))
    data = Data(samples(10), None)
    found = contribution(request, data, Analysis.ACCURACY, tmp_path, Console(quiet=True))
    assert all(o.gain == 0 for w in found.layers for o in w.options)
    assert all(w.bias_gain == 0 for w in found.layers)
