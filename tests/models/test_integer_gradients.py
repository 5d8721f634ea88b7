"""Networks that learn with integer gradients, on the example model and turned digits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mcugrad.compiler import GRAPH, Request, compile_model, import_model, prepare
from mcugrad.data import Samples
from mcugrad.demo import example_model
from mcugrad.devices import open_device
from mcugrad.errors import UsageError
from mcugrad.fit import accuracy, fit
from mcugrad.golden.interpreter import Trainer
from mcugrad.ir.graph import TrainingGraph
from mcugrad.ir.serial import load_training_graph
from mcugrad.ir.tensor import Array, DType
from mcugrad.ir.verify import verify
from mcugrad.parity import compare, report
from mcugrad.passes.scheme import resolve_scheme
from mcugrad.passes.training import (
    Gradients,
    Loss,
    Precision,
    TrainingOptions,
    training_graph,
)
from tests.models.test_int8_learning import digits
from tests.support.networks import random_network
from tests.support.quantised import quantised


def options(**changes: Any) -> TrainingOptions:
    given = {"precision": Precision.INT8, "gradients": Gradients.S16, "learning_rate": 0.02}
    return TrainingOptions(**{**given, **changes})


def pairs(samples: Samples, count: int) -> list[tuple[Array, Array]]:
    return list(zip(samples.x[:count], samples.y[:count], strict=True))


@pytest.mark.parametrize(("update", "classes"), [("last:3", None), ("all", None), ("all", 10)])
def test_it_learns_as_well_as_with_float_gradients(
    update: str, classes: int | None, tmp_path: Path
) -> None:
    train, test = digits()
    found = {}
    for gradients in Gradients:
        request = Request(
            example_model(), "host", update, options(classes=classes, gradients=gradients)
        )
        compile_model(request, tmp_path / gradients)
        with open_device("host", tmp_path / gradients) as device:
            fit(device, train, 1, 0, lambda _done, _loss: None)
            found[gradients] = accuracy(device, test)
    assert found[Gradients.S16] > 0.85
    assert found[Gradients.S16] > found[Gradients.F32] - 0.02


@pytest.mark.parametrize(("update", "classes"), [("all", None), ("last:2", 7)])
def test_parity_is_equality(update: str, classes: int | None, tmp_path: Path) -> None:
    train, _ = digits()
    request = Request(example_model(), "host", update, options(classes=classes))
    manifest = compile_model(request, tmp_path / "out")
    golden = Trainer(load_training_graph(tmp_path / "out" / GRAPH))
    start = {n: v.copy() for n, v in golden.state.items()}
    samples = Samples(train.x[:20], train.y[:20] % manifest.classes)
    with open_device("host", tmp_path / "out") as device:
        steps = list(compare(device, golden, manifest, pairs(samples, 20)))
    assert report(steps).ok, str(report(steps))
    floats = {"prediction", "loss", "hyper"}
    compared = [d for s in steps for d in s.differences if d.tensor not in floats]
    assert all(d.error == 0 for d in compared)
    moved = [n for n in manifest.learning if (golden.state[n] != start[n]).any()]
    assert len(moved) == len(manifest.learning)


def _real(training: TrainingGraph, values: dict[str, Array], name: str) -> Array:
    """What a gradient stands for, integer or float."""
    tensor = training.graph.tensors[name]
    if tensor.dtype is DType.F32:
        return values[name].astype(np.float64)
    assert tensor.quant is not None
    update = next(n for n in training.graph.nodes if n.op == "sgd_integer" and name in n.inputs)
    exponent = int(values[update.inputs[2]][0])
    return values[name] * tensor.quant.scale[0] * 2.0**exponent


def _cosines(network: Any, x: Array, target: Array) -> dict[str, float]:
    """Of each learning tensor's integer gradient with its float one, ranges settled."""
    both = []
    for gradients in Gradients:
        training = training_graph(
            network,
            resolve_scheme(network, "all"),
            options(gradients=gradients, learning_rate=0.0, loss=Loss.CROSS_ENTROPY),
        )
        verify(training.graph)
        trainer = Trainer(training)
        for _ in range(3):
            values = trainer.step(x, target).tensors
        both.append(
            {i.tensor: _real(training, values, i.gradient).reshape(-1) for i in training.learning}
        )
    found = {}
    for name, exact in both[0].items():
        norm = np.linalg.norm(exact) * np.linalg.norm(both[1][name])
        found[name] = float(exact @ both[1][name] / norm) if norm else float(not exact.any())
    return found


@pytest.mark.parametrize("seed", range(12))
def test_gradients_of_random_networks_are_those_of_floats(seed: int) -> None:
    rng = np.random.default_rng(seed)
    network = random_network(seed)
    shape = network.tensors[network.inputs[0]].shape
    samples = [rng.normal(size=shape).astype(np.float32) for _ in range(8)]
    int8 = quantised(network, samples)
    x = rng.integers(-128, 128, shape).astype(np.int8)
    for name, cosine in _cosines(int8, x, np.array([1], np.int32)).items():
        assert cosine > 0.999, name


def test_of_the_example_too() -> None:
    train, _ = digits()
    network = prepare(import_model(example_model()))
    cosines = _cosines(network, train.x[3], train.y[3:4])
    assert min(cosines.values()) > 0.9999, cosines


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"precision": Precision.F32}, "--precision int8"),
        ({"batch": 4}, "one sample at a time"),
        ({"momentum": 0.9}, "without momentum"),
    ],
)
def test_what_does_not_go_with_it_is_refused(changes: dict[str, Any], reason: str) -> None:
    network = prepare(import_model(example_model()))
    with pytest.raises(UsageError, match=reason):
        training_graph(network, resolve_scheme(network, "all"), options(**changes))


def test_the_squared_error_is_taken_from_floats(tmp_path: Path) -> None:
    """No integer form of that loss: the codes are made of its float gradient."""
    request = Request(example_model(), "host", "last:2", options(loss=Loss.MEAN_SQUARED_ERROR))
    manifest = compile_model(request, tmp_path / "out")
    golden = Trainer(load_training_graph(tmp_path / "out" / GRAPH))
    train, _ = digits()
    wanted = np.eye(10, dtype=np.float32)[train.y]
    with open_device("host", tmp_path / "out") as device:
        found = report(list(compare(device, golden, manifest, pairs(Samples(train.x, wanted), 5))))
    assert found.ok, str(found)
