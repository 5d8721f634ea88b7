"""Integer gradients give every target the same bits, with a floating-point unit or without."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mcugrad.compiler import GRAPH, Request, compile_model, import_model, prepare
from mcugrad.demo import example_model
from mcugrad.devices import open_device
from mcugrad.digits import load_digits, quarter_turn
from mcugrad.golden.interpreter import Trainer
from mcugrad.ir.serial import load_training_graph
from mcugrad.ir.tensor import Array
from mcugrad.manifest import Manifest
from mcugrad.parity import compare, report
from mcugrad.passes.scheme import resolve_scheme
from mcugrad.passes.training import Gradients, Precision, TrainingOptions, training_graph
from mcugrad.state import read_state
from mcugrad.targets import targets
from tests.devices.hand_made import require_emulator

pytest.importorskip("sklearn")

#: Every kind of layer learns, a convolution in part: it trains in the 16 KB of a Cortex-M0+.
SCHEME = """[update]
"depthwise/b" = true
"pointwise/w" = true
"pointwise/b" = true
"corners/w" = [5]
"corners/b" = true
"scores/w" = true
"scores/b" = true
"""
OPTIONS = TrainingOptions(precision=Precision.INT8, gradients=Gradients.S16, learning_rate=0.02)
STEPS = 100


def samples(count: int) -> list[tuple[Array, Array]]:
    """Turned digits as the int8 model takes them: its input scale is 1/255, zero point -128."""
    found = quarter_turn(load_digits().train)
    codes = np.clip(np.round(found.x[:count] * 255) - 128, -128, 127).astype(np.int8)
    return list(zip(codes.reshape(count, 1, 8, 8, 1), found.y[:count, np.newaxis], strict=True))


@pytest.fixture(scope="module")
def scheme(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("scheme") / "scheme.toml"
    path.write_text(SCHEME)
    return str(path)


@pytest.fixture(scope="module")
def golden_state(scheme: str) -> dict[str, Array]:
    """What the golden model has learned after all steps."""
    graph = prepare(import_model(example_model()))
    golden = Trainer(training_graph(graph, resolve_scheme(graph, scheme), OPTIONS))
    for x, y in samples(STEPS):
        golden.step(x, y)
    return golden.state


def compiled(target: str, scheme: str, out: Path) -> Manifest:
    if target != "host":
        require_emulator(target)
    return compile_model(Request(example_model(), target, scheme, OPTIONS, stack=2048), out)


@pytest.mark.emulator
@pytest.mark.parametrize("target", ["cortex-m0plus", "rv32imc"])
def test_a_core_without_fpu_equals_the_golden_model(
    target: str, scheme: str, tmp_path: Path
) -> None:
    manifest = compiled(target, scheme, tmp_path / "out")
    golden = Trainer(load_training_graph(tmp_path / "out" / GRAPH))
    start = {name: value.copy() for name, value in golden.state.items()}
    with open_device("emulator", tmp_path / "out") as device:
        found = report(list(compare(device, golden, manifest, samples(5))))
    assert (found.steps, found.refused, found.worst.error) == (5, 0, 0.0), str(found)
    moved = {n.removesuffix("/learning") for n in start if (golden.state[n] != start[n]).any()}
    assert moved >= set(manifest.learning)


@pytest.mark.emulator
@pytest.mark.parametrize("target", list(targets()))
def test_a_hundred_steps_end_in_the_same_bits(
    target: str, scheme: str, golden_state: dict[str, Array], tmp_path: Path
) -> None:
    manifest = compiled(target, scheme, tmp_path / "out")
    with open_device("host" if target == "host" else "emulator", tmp_path / "out") as device:
        for x, y in samples(STEPS):
            device.train_step(x, int(y[0]))
        assert device.statistics().updates == STEPS
        found = read_state(device, manifest)
    assert found.keys() == golden_state.keys()
    for name, value in found.items():
        assert value.tobytes() == golden_state[name].tobytes(), name
