"""Several cores learn what one core learns, bit for bit, in a fraction of the instructions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from benchmarks.cores import counted
from benchmarks.datasets import MODELS

from mcugrad.build import build
from mcugrad.compiler import SOURCES, Request, compile_model
from mcugrad.data import Samples, random_samples
from mcugrad.demo import example_model
from mcugrad.devices import Device, open_device
from mcugrad.devices.emulator import EmulatorDevice
from mcugrad.manifest import Manifest
from mcugrad.passes.training import Gradients, Precision, TrainingOptions
from mcugrad.state import read_state
from mcugrad.targets import EmulatorTool, Simulator, Target, find_target
from tests.devices.hand_made import require_emulator

pytestmark = pytest.mark.emulator

ONE, MANY = "rv32imfc", "rv32-cluster8"
STEPS = 3


@dataclass(frozen=True)
class Learned:
    """Losses of some steps, whether each was applied, what was traced, and the state in the end."""

    losses: Sequence[float]
    applied: Sequence[bool]
    traced: Sequence[dict[int, bytes]]
    state: dict[str, bytes]


def compiled(target: str, out: Path, options: TrainingOptions) -> Manifest:
    require_emulator(target)
    return compile_model(Request(example_model(), target, "all", options), out)


def learn(device: Device, manifest: Manifest, samples: Samples, *, trace: bool = False) -> Learned:
    results = [
        device.train_step(x, y, trace=trace) for x, y in zip(samples.x, samples.y, strict=True)
    ]
    state = {name: value.tobytes() for name, value in read_state(device, manifest).items()}
    return Learned(
        [r.loss for r in results],
        [r.applied for r in results],
        [dict(r.traced) for r in results],
        state,
    )


def learned(target: str, out: Path, options: TrainingOptions, *, trace: bool = False) -> Learned:
    manifest = compiled(target, out, options)
    with open_device("emulator", out) as device:
        return learn(device, manifest, random_samples(manifest, STEPS, 0), trace=trace)


@pytest.mark.parametrize(
    "options",
    [
        TrainingOptions(momentum=0.9, weight_decay=0.01),
        TrainingOptions(batch=2),
        TrainingOptions(precision=Precision.F16),
        TrainingOptions(precision=Precision.F16, batch=2, momentum=0.9),
        TrainingOptions(precision=Precision.INT8),
        TrainingOptions(precision=Precision.INT8, gradients=Gradients.S16),
    ],
    ids=["f32", "batch", "f16", "f16-batch", "int8", "int8-s16"],
)
def test_eight_cores_learn_the_bits_of_one(options: TrainingOptions, tmp_path: Path) -> None:
    one = learned(ONE, tmp_path / "one", options)
    assert learned(MANY, tmp_path / "many", options) == one
    assert len(set(one.losses)) == STEPS


def test_a_traced_step_of_eight_cores_is_that_of_one(tmp_path: Path) -> None:
    options = TrainingOptions()
    one = learned(ONE, tmp_path / "one", options, trace=True)
    assert all(one.traced)
    assert learned(MANY, tmp_path / "many", options, trace=True) == one


@pytest.mark.parametrize("batch", [1, 2])
def test_all_cores_leave_a_step_that_is_not_finite(batch: int, tmp_path: Path) -> None:
    found = []
    for target in (ONE, MANY):
        manifest = compiled(target, tmp_path / target, TrainingOptions(batch=batch))
        samples = random_samples(manifest, STEPS, 0)
        name = next(iter(manifest.learning))
        number = next(i for i, t in enumerate(manifest.tensors) if t.name.startswith(name))
        with open_device("emulator", tmp_path / target) as device:
            good = device.read_tensor(number)
            device.write_tensor(number, np.full(len(good) // 4, np.nan, np.float32).tobytes())
            spoilt = learn(device, manifest, samples)
            device.reset()
            found.append((spoilt.applied, spoilt.state, learn(device, manifest, samples)))
    assert found[0] == found[1]
    assert found[0][0] == [False] * STEPS
    assert found[0][2].applied == [True] * STEPS


def in_spike(target: Target) -> Target:
    """The cluster as Spike has it: the UART has another interrupt there."""
    command = ("spike", "--isa=rv32imafc_zicntr", "--priv=m", "-m0x80000000:0x800000")
    tool = EmulatorTool(
        (*command, f"-p{target.cores}"), "mcugrad[spike]", simulator=Simulator.SPIKE
    )
    return replace(target, emulator=tool, defines={**target.defines, "MG_UART_INTERRUPT": "1"})


def test_spike_ends_in_the_bits_of_qemu(tmp_path: Path) -> None:
    require_emulator("rv32-xfvec")
    options = TrainingOptions()
    wanted = learned(MANY, tmp_path / "many", options)
    manifest = Manifest.read(tmp_path / "many")
    target = in_spike(find_target(MANY))
    firmware = build(tmp_path / "many" / SOURCES, target, tmp_path / "spike").elf
    assert firmware is not None
    with EmulatorDevice(target, firmware, manifest.fingerprint) as device:
        assert learn(device, manifest, random_samples(manifest, STEPS, 0)) == wanted


@pytest.mark.slow
@pytest.mark.parametrize(("model", "gain"), [("resnet8", 6.8), ("kws", 6.0)])
@pytest.mark.parametrize(
    "options",
    [
        TrainingOptions(),
        TrainingOptions(precision=Precision.INT8),
        TrainingOptions(precision=Precision.INT8, gradients=Gradients.S16),
    ],
    ids=["f32", "int8", "int8-s16"],
)
def test_the_busiest_of_eight_cores_has_little_more_than_its_share(
    options: TrainingOptions, model: str, gain: float
) -> None:
    if not MODELS.is_dir():
        pytest.skip(f"{MODELS} is missing")
    require_emulator(MANY)
    _, one = counted(model, ONE, "all", options)
    _, many = counted(model, MANY, "all", options)
    assert one.busiest / many.longest_parts >= gain
    assert one.busiest / many.busiest <= 8
