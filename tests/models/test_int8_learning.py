"""Networks that stay int8 while they learn, on the example model and turned digits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mcugrad.compiler import GRAPH, Request, compile_model, import_model, prepare
from mcugrad.data import Samples
from mcugrad.demo import example_model
from mcugrad.devices import open_device
from mcugrad.digits import load_digits, quarter_turn
from mcugrad.errors import UsageError
from mcugrad.fit import accuracy, fit
from mcugrad.golden.interpreter import Trainer
from mcugrad.ir.serial import load_training_graph
from mcugrad.ir.tensor import DType
from mcugrad.parity import compare, report
from mcugrad.passes.scheme import resolve_scheme
from mcugrad.passes.training import Precision, TrainingOptions, training_graph

pytest.importorskip("sklearn")


def options(classes: int | None = None, batch: int = 1, momentum: float = 0.0) -> TrainingOptions:
    return TrainingOptions(
        classes, Precision.INT8, batch=batch, learning_rate=0.02, momentum=momentum
    )


def stored(samples: Samples) -> Samples:
    """As the int8 model takes them: its input scale is 1/255, zero point -128."""
    codes = np.clip(np.round(samples.x * 255) - 128, -128, 127).astype(np.int8)
    return Samples(codes.reshape(len(codes), 1, 8, 8, 1), samples.y)


def digits() -> tuple[Samples, Samples]:
    data = load_digits()
    return stored(quarter_turn(data.train)), stored(quarter_turn(data.measured))


@pytest.mark.parametrize(("update", "classes"), [("last:3", None), ("all", None), ("last:2", 10)])
def test_it_learns_and_its_weights_stay_int8(
    update: str, classes: int | None, tmp_path: Path
) -> None:
    train, test = digits()
    request = Request(example_model(), "host", update, options(classes=classes))
    manifest = compile_model(request, tmp_path / "out")
    kinds = {t.name: t.dtype for t in manifest.tensors}
    weights = [kinds[n] for n in manifest.learning if n.endswith("/w")]
    assert weights.count(DType.S8) >= len(weights) - (classes is not None)
    with open_device("host", tmp_path / "out") as device:
        before = accuracy(device, test)
        fit(device, train, 1, 0, lambda _done, _loss: None)
        after = accuracy(device, test)
    assert before < 0.3
    assert after > 0.85


@pytest.mark.parametrize("batch", [1, 3])
def test_parity_bit_for_bit_in_the_weights(batch: int, tmp_path: Path) -> None:
    train, _ = digits()
    manifest = compile_model(
        Request(example_model(), "host", "all", options(batch=batch)), tmp_path / "out"
    )
    golden = Trainer(load_training_graph(tmp_path / "out" / GRAPH))
    start = {n: v.copy() for n, v in golden.state.items()}
    with open_device("host", tmp_path / "out") as device:
        pairs = list(zip(train.x[:30], train.y[:30], strict=True))
        found = report(list(compare(device, golden, manifest, pairs)))
    assert found.ok, str(found)
    assert found.worst.error > 0  # gradients were compared, not zeros
    moved = [n for n in manifest.learning if (golden.state[n] != start[n]).any()]
    assert len(moved) == len(manifest.learning)


def test_gradients_agree_with_those_of_the_float_tail() -> None:
    """The same network and sample, int8 and dequantised: rounding apart, the same direction."""
    graph = prepare(import_model(example_model()))
    train, _ = digits()
    found = {}
    for precision in Precision:
        scheme = resolve_scheme(graph, "last:3")
        training = training_graph(graph, scheme, TrainingOptions(precision=precision))
        gradients: dict[str, np.ndarray] = {}
        for x, y in zip(train.x[:60], train.y[:60], strict=True):
            step = Trainer(training).step(x, np.array([y], np.int32))
            for item in training.learning:
                total = gradients.get(item.tensor, 0.0)
                gradients[item.tensor] = total + step.tensors[item.gradient].astype(np.float64)
        found[precision] = gradients
    for name, exact in found[Precision.F32].items():
        mine = found[Precision.INT8][name]
        cosine = (mine * exact).sum() / (np.linalg.norm(mine) * np.linalg.norm(exact))
        assert cosine > 0.99, name


def test_a_float_model_cannot_learn_in_int8() -> None:
    from tests.support.networks import residual_network

    graph = residual_network()
    with pytest.raises(UsageError, match="float32"):
        training_graph(graph, resolve_scheme(graph, "head"), options())


def test_momentum_is_refused() -> None:
    graph = prepare(import_model(example_model()))
    with pytest.raises(UsageError, match="momentum"):
        training_graph(graph, resolve_scheme(graph, "head"), options(momentum=0.9))
