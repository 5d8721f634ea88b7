"""Networks that learn in half precision, on the example model and turned digits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mcugrad.compiler import GRAPH, Request, compile_model, import_model, prepare
from mcugrad.data import Samples
from mcugrad.demo import example_model
from mcugrad.devices import Device, open_device
from mcugrad.digits import load_digits, quarter_turn
from mcugrad.errors import ModelError
from mcugrad.fit import accuracy, fit, skipped_steps
from mcugrad.golden.interpreter import Trainer
from mcugrad.ir.graph import Graph
from mcugrad.ir.serial import load_training_graph
from mcugrad.ir.tensor import DType
from mcugrad.manifest import Manifest
from mcugrad.ops import loss_scale
from mcugrad.parity import HALF_NETWORK_BOUND, Report, compare, half_difference, report
from mcugrad.passes.loss_scaling import SCALE, STEPS
from mcugrad.passes.scheme import resolve_scheme
from mcugrad.passes.training import Loss, Precision, TrainingOptions, training_graph
from mcugrad.profiling.profile import profile
from mcugrad.targets import find_target
from tests.devices.hand_made import require_emulator
from tests.support.networks import residual_network
from tests.support.straight_through import cosine


def options(**changes: Any) -> TrainingOptions:
    return TrainingOptions(precision=Precision.F16, **{"learning_rate": 0.02, **changes})


def digits() -> tuple[Samples, Samples]:
    """As the int8 model takes them: its input scale is 1/255, zero point -128."""
    pytest.importorskip("sklearn")
    data = load_digits()

    def stored(samples: Samples) -> Samples:
        codes = np.clip(np.round(samples.x * 255) - 128, -128, 127).astype(np.int8)
        return Samples(codes.reshape(len(codes), 1, 8, 8, 1), samples.y)

    return stored(quarter_turn(data.train)), stored(quarter_turn(data.measured))


#: Mini-batches, momentum, and both.
OPTIMISERS: list[dict[str, Any]] = [
    {"batch": 4},
    {"momentum": 0.9},
    {"batch": 3, "momentum": 0.5},
]


def compiled(folder: Path, target: str = "host", update: str = "all", **changes: Any) -> Manifest:
    return compile_model(Request(example_model(), target, update, options(**changes)), folder)


def parity(folder: Path, manifest: Manifest, device: str, steps: int) -> Report:
    """Of a compiled model with the golden one, over the first of the turned digits."""
    train, _ = digits()
    golden = Trainer(load_training_graph(folder / GRAPH))
    pairs = [(x, np.array([y], np.int32)) for x, y in zip(train.x[:steps], train.y, strict=False)]
    with open_device(device, folder) as opened:
        return report(list(compare(opened, golden, manifest, pairs)))


def in_half(graph: Graph, spec: str = "all", **changes: Any) -> Trainer:
    return Trainer(training_graph(graph, resolve_scheme(graph, spec), options(**changes)))


@pytest.mark.parametrize(
    "changes",
    [
        {"learning_rate": 0.02},
        {"learning_rate": 0.1, "batch": 8},
        {"learning_rate": 0.002, "momentum": 0.9},
    ],
    ids=str,
)
def test_it_learns_as_well_as_float32(changes: dict[str, Any], tmp_path: Path) -> None:
    train, test = digits()
    found = {}
    for precision in (Precision.F16, Precision.F32):
        asked = TrainingOptions(precision=precision, **changes)
        out = tmp_path / precision
        manifest = compile_model(Request(example_model(), "host", "all", asked), out)
        with open_device("host", out) as device:
            assert accuracy(device, test) < 0.3
            fit(device, train, 1, 0, lambda _done, _loss: None)
            found[precision] = accuracy(device, test), manifest.sram["total"]
            skipped = skipped_steps(device, manifest)
            assert skipped <= (3 if precision is Precision.F16 else 0)  # of about 1,400
    (half, small), (full, large) = found.values()
    assert half > 0.85
    assert abs(half - full) < 0.02
    assert small < 0.6 * large


@pytest.mark.parametrize("update", ["all", "last:2", "bias:3", "head"])
def test_the_host_follows_the_golden_model(update: str, tmp_path: Path) -> None:
    found = parity(tmp_path, compiled(tmp_path, update=update), "host", 20)
    assert found.ok, found


@pytest.mark.parametrize("changes", OPTIMISERS, ids=str)
def test_it_does_with_mini_batches_and_momentum(changes: dict[str, Any], tmp_path: Path) -> None:
    found = parity(tmp_path, compiled(tmp_path, **changes), "host", 20)
    assert found.ok, found


@pytest.mark.emulator
@pytest.mark.parametrize("changes", [{}, {"batch": 2, "momentum": 0.9}], ids=str)
@pytest.mark.parametrize(
    "target", ["cortex-m7", "rv32imfc", "cortex-m3", "cortex-m55", "rv32-rvv", "rv32-xfvec"]
)
def test_emulated_boards_follow_it_too(
    target: str, changes: dict[str, Any], tmp_path: Path
) -> None:
    require_emulator(target)
    manifest = compiled(tmp_path, target, **changes)
    assert find_target(target).emulator is not None
    found = parity(tmp_path, manifest, "emulator", 4)
    assert found.ok, found


def number_of(manifest: Manifest, name: str) -> int:
    return next(i for i, t in enumerate(manifest.tensors) if t.name == name)


def set_scale(device: Device, manifest: Manifest, golden: Trainer, scale: float) -> None:
    golden.state[SCALE] = np.array([scale], np.float32)
    device.write_tensor(number_of(manifest, SCALE), golden.state[SCALE].tobytes())


def test_a_step_that_overflows_changes_no_weight_and_halves_the_scale(tmp_path: Path) -> None:
    train, _ = digits()
    manifest = compiled(tmp_path / "out")
    golden = Trainer(load_training_graph(tmp_path / "out" / GRAPH))
    learning = [i for i, t in enumerate(manifest.tensors) if t.writable and t.dtype is DType.F16]
    with open_device("host", tmp_path / "out") as device:
        before = [device.read_tensor(n) for n in learning]
        kept = {n: golden.state[manifest.tensors[n].name].copy() for n in learning}
        set_scale(device, manifest, golden, 2.0**30)
        for skipped in (1, 2):
            assert device.train_step(train.x[0], int(train.y[0])).applied
            golden.step(train.x[0], train.y[:1].astype(np.int32))
            assert skipped_steps(device, manifest) == golden.state[STEPS][1] == skipped
        assert [device.read_tensor(n) for n in learning] == before
        for n, weights in kept.items():
            assert np.array_equal(golden.state[manifest.tensors[n].name], weights)
        scale = np.frombuffer(device.read_tensor(number_of(manifest, SCALE)), np.float32)
        assert scale[0] == golden.state[SCALE][0] == 2.0**28
        set_scale(device, manifest, golden, 1024.0)
        device.train_step(train.x[0], int(train.y[0]))
        assert [device.read_tensor(n) for n in learning] != before
        assert skipped_steps(device, manifest) == 2


@pytest.mark.emulator
def test_the_profile_is_of_a_step_that_updates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under too large a scale the first steps are skipped, which takes fewer instructions."""
    require_emulator("cortex-m7")
    train, _ = digits()
    monkeypatch.setattr(loss_scale, "LARGEST", 2.0**20)
    taken = []
    for start in (2.0**10, 2.0**20):
        monkeypatch.setattr(loss_scale, "START", start)
        compiled(tmp_path / str(start), "cortex-m7")
        found = profile(tmp_path / str(start), train.x[0], int(train.y[0]))
        taken.append(sum(op.cost.instructions for op in found.ops if op.call.op == "sgd_half"))
    assert taken[1] == pytest.approx(taken[0], rel=0.2)


@pytest.mark.parametrize("overflowing", [0, 2])
def test_an_overflow_in_any_sample_skips_the_update_of_its_batch(
    overflowing: int, tmp_path: Path
) -> None:
    train, _ = digits()
    manifest = compiled(tmp_path, batch=3, momentum=0.9)
    golden = Trainer(load_training_graph(tmp_path / GRAPH))
    changing = [
        i
        for i, t in enumerate(manifest.tensors)
        if t.writable and (t.dtype is DType.F16 or t.name.startswith("velocity"))
    ]
    with open_device("host", tmp_path) as device:
        before = [device.read_tensor(n) for n in changing]
        start = golden.state[SCALE][0]
        assert start == 2048.0  # twice that of one sample
        for sample in range(3):
            set_scale(device, manifest, golden, 2.0**30 if sample == overflowing else start)
            assert skipped_steps(device, manifest) == 0
            assert device.train_step(train.x[sample], int(train.y[sample])).applied
            golden.step(train.x[sample], train.y[sample : sample + 1].astype(np.int32))
        assert skipped_steps(device, manifest) == golden.state[STEPS][1] == 1
        assert [device.read_tensor(n) for n in changing] == before  # what was gathered is 0 again
        set_scale(device, manifest, golden, start)
        for sample in range(3):
            device.train_step(train.x[sample], int(train.y[sample]))
        assert skipped_steps(device, manifest) == 1
        assert [device.read_tensor(n) for n in changing] != before


def test_gathering_in_half_loses_a_thousandth_of_a_mini_batch(tmp_path: Path) -> None:
    """Root mean squares of 32 samples' sum, as the device adds it up, against float64."""
    samples, scale = 32, np.float32(1024.0)
    train, _ = digits()
    manifest = compiled(tmp_path, batch=samples)
    golden = Trainer(load_training_graph(tmp_path / GRAPH))
    gathered = golden.training.accumulators
    with open_device("host", tmp_path) as device:
        device.write_tensor(number_of(manifest, SCALE), scale.tobytes())
        device.write_tensor(manifest.hyper, np.zeros(3, np.float32).tobytes())
        sums = {n: np.zeros(golden.state[n].shape) for n in gathered}
        for i in range(samples - 1):  # the last one clears
            golden.state[SCALE] = scale.reshape(1)
            golden.state |= {n: np.zeros_like(golden.state[n]) for n in gathered}
            golden.gathered = 0
            golden.step(train.x[i], train.y[i : i + 1].astype(np.int32))
            sums |= {n: sums[n] + golden.state[n].astype(np.float64) for n in gathered}
            device.train_step(train.x[i], int(train.y[i]))
        for name, wanted in sums.items():
            read = device.read_tensor(number_of(manifest, name))
            found = np.frombuffer(read, np.float16).astype(np.float64).reshape(wanted.shape)
            assert np.linalg.norm(found - wanted) < 2e-3 * np.linalg.norm(wanted), name


def test_the_scale_does_not_change_what_is_learned() -> None:
    """A power of two only moves exponents, as long as nothing falls below the least of half."""
    graph = residual_network()
    x = np.random.default_rng(0).normal(size=graph.tensors["x"].shape).astype(np.float32)
    states = []
    for scale in (64.0, 256.0):
        trainer = in_half(graph)
        trainer.state[SCALE] = np.array([scale], np.float32)
        trainer.step(x, np.array([1], np.int32))
        names = (item.tensor for item in trainer.training.learning)
        states.append(np.concatenate([trainer.state[n].reshape(-1) for n in names]))
    apart = np.abs(states[0].astype(np.float64) - states[1])
    assert np.count_nonzero(apart) < 0.02 * apart.size  # those with tiny gradients


@pytest.mark.parametrize("loss", [Loss.CROSS_ENTROPY, Loss.MEAN_SQUARED_ERROR])
def test_gradients_are_those_of_float64_times_the_scale(loss: Loss) -> None:
    graph = residual_network()
    x = np.random.default_rng(0).normal(size=graph.tensors["x"].shape).astype(np.float32)
    trainer = in_half(graph, loss=loss)
    full = training_graph(graph, resolve_scheme(graph, "all"), TrainingOptions(loss=loss))
    shape = full.graph.tensors[full.graph.inputs[1]].shape
    target = np.array([1], np.int32) if shape == (1,) else np.full(shape, 0.25, np.float32)
    true = Trainer(full, exact=True).step(x, target).tensors
    found = trainer.step(x, target).tensors
    scale = 2.0**10
    for half, item in zip(trainer.training.learning, full.learning, strict=True):
        gradient, wanted = found[half.gradient].astype(np.float64) / scale, true[item.gradient]
        assert cosine(gradient, wanted) > 0.999, item.tensor
        assert np.linalg.norm(gradient) == pytest.approx(np.linalg.norm(wanted), rel=0.05)


def test_everything_but_the_input_and_the_loss_is_half() -> None:
    trainer = in_half(residual_network())
    graph = trainer.training.graph
    assert graph.tensors[graph.inputs[0]].dtype is DType.F32
    assert graph.tensors[graph.outputs[0]].dtype is DType.F32
    assert all(graph.tensors[i.tensor].dtype is DType.F16 for i in trainer.training.learning)
    for node in graph.nodes:
        if node.op in ("conv2d", "conv2d_bwd_data", "conv2d_bwd_weight"):
            assert {graph.tensors[n].dtype for n in (*node.inputs, *node.outputs)} == {DType.F16}


def test_the_frozen_part_of_an_int8_model_stays_int8() -> None:
    graph = prepare(import_model(example_model()))
    half = in_half(graph, "last:1").training.graph
    kinds = [half.tensors[n.outputs[0]].dtype for n in half.nodes if n.op == "conv2d"]
    assert kinds
    assert set(kinds) == {DType.S8}
    assert any(n.op == "dequantize_half" for n in half.nodes)


def test_a_constant_beyond_half_is_refused() -> None:
    graph = residual_network()
    name = next(n for n, t in graph.tensors.items() if t.data is not None)
    large = replace(graph.tensors[name], data=graph.tensors[name].initial() + np.float32(70000))
    graph = graph.with_(tensors={**graph.tensors, name: large})
    with pytest.raises(ModelError, match=rf"'{name}' holds 7[\d.]+, beyond .*--precision f32"):
        in_half(graph)


def test_a_network_in_half_is_judged_by_mean_squares() -> None:
    golden = np.ones(400, np.float16)
    gate = golden.copy()
    gate[0] = 0.0
    assert half_difference(0, "t", gate, golden).error == pytest.approx(0.05)
    assert half_difference(0, "t", gate, golden).ok
    assert not half_difference(0, "t", -golden, golden).ok
    assert not half_difference(0, "t", golden * np.float16(1.0 + 2 * HALF_NETWORK_BOUND), golden).ok
    infinite = np.full(400, np.inf, np.float16)
    assert half_difference(0, "t", infinite, np.full(400, np.nan, np.float16)).ok
    assert not half_difference(0, "t", infinite, golden).ok
