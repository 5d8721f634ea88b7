"""Weights of which some input channels learn: in SRAM these alone, on the host as in the golden
model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mcugrad import compiler
from mcugrad.compiler import GRAPH, Request
from mcugrad.devices import open_device
from mcugrad.golden.interpreter import Trainer
from mcugrad.ir.graph import Graph, Phase
from mcugrad.ir.serial import load_training_graph
from mcugrad.ir.tensor import Array
from mcugrad.manifest import Manifest
from mcugrad.ops.conv2d_attrs import Conv2dAttrs
from mcugrad.ops.depthwise_conv2d import DepthwiseConv2dAttrs
from mcugrad.ops.fully_connected import FullyConnectedAttrs
from mcugrad.ops.mean import MeanAttrs
from mcugrad.ops.window import Window
from mcugrad.parity import compare, report
from mcugrad.passes.scheme import UpdateScheme
from mcugrad.passes.training import Precision, TrainingOptions, training_graph
from mcugrad.state import load_state, read_state, save_state
from tests.plan.test_plan import planned
from tests.support.networks import RELU, NetworkBuilder
from tests.support.quantised import quantised

#: Weight of each kind of layer -> its input channels that learn.
PICKS = {"conv": (0, 2, 5), "groups": (1, 2), "depthwise": (0, 3, 4, 7), "dense": (1, 2, 6, 7)}
_AXES = {"conv": 3, "groups": 3, "depthwise": 2, "dense": 1}

Compile = Callable[..., tuple[Manifest, Path]]

#: Precision and options.
KINDS: list[tuple[str, dict[str, float]]] = [
    ("f32", {}),
    ("f32", {"momentum": 0.9}),
    ("f32", {"batch": 3}),
    ("f32", {"batch": 2, "momentum": 0.5}),
    ("int8", {}),
    ("int8", {"batch": 3}),
    ("int8", {"qas": False, "learning_rate": 1e4}),
]


def network(precision: str) -> Graph:
    """Layers of each kind whose names are those of ``PICKS``."""
    net = NetworkBuilder(6, 6, 3, seed=3)
    same = Window((3, 3), pad=(1, 1, 1, 1))
    x = net.conv(net.x, 6)
    for op, attrs, name, shape in (
        ("conv2d", Conv2dAttrs(same, clamp=RELU), "conv", (8, 3, 3, 6)),
        ("conv2d", Conv2dAttrs(same, 2, RELU), "groups", (8, 3, 3, 4)),
        ("depthwise_conv2d", DepthwiseConv2dAttrs(same, clamp=RELU), "depthwise", (3, 3, 8)),
    ):
        x = net.node(op, attrs, x, net.weight(name, *shape), net.weight("b", 8))
    pooled = net.node("mean", MeanAttrs((1, 2), True), x)
    dense = net.weight("dense", 8, 8), net.weight("b", 8)
    x = net.node("fully_connected", FullyConnectedAttrs(RELU), pooled, *dense)
    head = net.weight("head", 4, 8), net.weight("b", 4)
    y = net.node("fully_connected", FullyConnectedAttrs(), x, *head)
    graph = net.builder.build("slices", [net.x], [y])
    return quantised(graph, samples(4)) if precision == "int8" else graph


def samples(count: int) -> list[Array]:
    rng = np.random.default_rng(11)
    return [rng.normal(size=(1, 6, 6, 3)).astype(np.float32) for _ in range(count)]


def options(precision: str, **more: float) -> TrainingOptions:
    return TrainingOptions(precision=Precision(precision), **{"learning_rate": 0.1, **more})  # type: ignore[arg-type]


def pairs(precision: str) -> list[tuple[Array, Array]]:
    drawn = samples(12)
    if precision == "int8":
        drawn = [np.clip(40 * x, -128, 127).astype(np.int8) for x in drawn]
    return [(x, np.array([i % 4], np.int32)) for i, x in enumerate(drawn)]


@pytest.fixture
def compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Compile:
    """Compiles the network under ``PICKS`` for the host."""

    def compile_it(precision: str, **more: float) -> tuple[Manifest, Path]:
        monkeypatch.setattr(compiler, "import_model", lambda _path: network(precision))
        rows = [f"{name} = {list(channels)}" for name, channels in PICKS.items()]
        scheme = tmp_path / "scheme.toml"
        scheme.write_text("\n".join(["[update]", *rows, "head = true", ""]))
        request = Request(Path("net"), "host", str(scheme), options(precision, **more))
        return compiler.compile_model(request, tmp_path / "out"), tmp_path / "out"

    return compile_it


@pytest.mark.parametrize(("precision", "more"), KINDS, ids=str)
def test_parity(precision: str, more: dict[str, float], compiled: Compile) -> None:
    manifest, out = compiled(precision, **more)
    golden = Trainer(load_training_graph(out / GRAPH))
    start = {n: v.copy() for n, v in golden.state.items()}
    with open_device("host", out) as device:
        found = report(list(compare(device, golden, manifest, pairs(precision))))
        learned = read_state(device, manifest)
    assert found.ok, str(found)
    for name in PICKS:
        assert (learned[f"{name}/learning"] != start[f"{name}/learning"]).any(), name


def test_the_picks_are_the_same_everywhere(compiled: Compile) -> None:
    """In manifest, golden model and device, from the first byte on; the rest never changes."""
    manifest, out = compiled("int8")
    graph = network("int8")
    assert {n: tuple(c) for n, c in manifest.learning.items() if c is not None} == PICKS
    training = load_training_graph(out / GRAPH)
    golden = Trainer(training)
    with open_device("host", out) as device:
        initial = read_state(device, manifest)
    for name, channels in PICKS.items():
        expected = np.take(graph.tensors[name].initial(), channels, _AXES[name])
        np.testing.assert_array_equal(initial[f"{name}/learning"], expected)
        np.testing.assert_array_equal(golden.state[f"{name}/learning"], expected)
        assert name not in golden.state
    for x, y in pairs("int8"):
        golden.step(x, y)
    step = golden.step(*pairs("int8")[0])
    for merge in (n for n in training.nodes_in(Phase.FORWARD) if n.op == "merge_channels"):
        name, merged = merge.inputs[0], step.tensors[merge.outputs[0]]
        frozen = [c for c in range(merged.shape[_AXES[name]]) if c not in PICKS[name]]
        whole = graph.tensors[name].initial()
        np.testing.assert_array_equal(
            np.take(merged, frozen, _AXES[name]), np.take(whole, frozen, _AXES[name])
        )
        assert (merged != whole).any(), name


@pytest.mark.parametrize("precision", ["f32", "int8"])
def test_the_state_is_the_slices_and_the_merged_weights_are_short_lived(precision: str) -> None:
    graph = network(precision)
    plan = planned(training_graph(graph, UpdateScheme(dict(PICKS)), options(precision)))
    element = 1 if precision == "int8" else 4
    sizes = {n: graph.tensors[n].size // graph.tensors[n].shape[_AXES[n]] for n in PICKS}
    slices = sum(sizes[n] * len(channels) * element for n, channels in PICKS.items())
    others = 12 + (4 if precision == "int8" else 0)  # hyper-parameters, the counter of updates
    assert plan.state_bytes == slices + others
    merged = [b for b in plan.schedule.buffers if b.name.partition("/merged")[0] in PICKS]
    calls = plan.schedule.calls
    assert len(merged) == 2 * len(PICKS) - 1  # conv passes no gradient on
    for buffer in merged:
        readers = [c for c in calls if buffer.name in c.inputs]
        assert len(readers) == 1
        assert calls[buffer.last] is readers[0]
        alive = calls[buffer.first : buffer.last + 1]
        # In the forward pass what is kept is picked, in the backward pass weights are updated.
        assert len({c.phase for c in alive} - {Phase.KEEP, Phase.UPDATE}) == 1
    # The constant holds the initial content, which is in flash once.
    names = {n for c in calls for n in c.inputs if n and plan.program.tensors[n].data is not None}
    stored = {n for n in names if "/learning" not in n}
    assert plan.constant_bytes == sum(plan.program.tensors[n].nbytes for n in stored)


@pytest.mark.parametrize(("precision", "more"), KINDS, ids=str)
def test_all_channels_learn_as_the_whole(precision: str, more: dict[str, float]) -> None:
    graph = network(precision)
    every = {n: tuple(range(graph.tensors[n].shape[_AXES[n]])) for n in PICKS}
    trainers = [
        Trainer(training_graph(graph, UpdateScheme(learning), options(precision, **more)))
        for learning in (every, dict.fromkeys(PICKS))
    ]
    for x, y in pairs(precision):
        losses = [trainer.step(x, y).loss for trainer in trainers]
        assert losses[0] == losses[1]
    for name in PICKS:
        np.testing.assert_array_equal(
            trainers[0].state[f"{name}/learning"], trainers[1].state[name]
        )
        assert (trainers[1].state[name] != graph.tensors[name].initial()).any()


def test_what_was_learned_is_saved_and_loaded(compiled: Compile, tmp_path: Path) -> None:
    manifest, out = compiled("int8")
    x = pairs("int8")[0][0]
    with open_device("host", out) as device:
        for sample, label in pairs("int8"):
            device.train_step(sample, int(label[0]))
        learned, prediction = read_state(device, manifest), device.infer(x)
        save_state(device, manifest, tmp_path / "w.npz")
        device.reset()
        assert (device.infer(x) != prediction).any()
        load_state(device, manifest, tmp_path / "w.npz")
        np.testing.assert_array_equal(device.infer(x), prediction)
        for name, array in read_state(device, manifest).items():
            np.testing.assert_array_equal(array, learned[name])
