"""The hand-made model in every emulated board, from both compilers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from _pytest.mark.structures import ParameterSet

from mcugrad.devices import Device, Unit
from mcugrad.devices.emulator import EmulatorDevice
from mcugrad.devices.frame import Frame
from mcugrad.errors import MissingToolError
from mcugrad.targets import find_target
from tests.devices.hand_made import (
    BOARDS,
    DY,
    FINGERPRINT,
    HYPER,
    INITIAL_W,
    B,
    Reference,
    W,
    build_model,
    require_emulator,
    samples,
)

pytestmark = pytest.mark.emulator


#: One of each instruction set; the others take longer, as each has its runtime compiled.
GNU_QUICK = ("cortex-m7", "rv32imfc")


def _builds() -> Iterator[ParameterSet]:
    for board in BOARDS:
        yield pytest.param((board, "zig"), id=f"{board}-zig")
        slow = () if board in GNU_QUICK else (pytest.mark.slow,)
        yield pytest.param((board, "gnu"), id=f"{board}-gnu", marks=slow)


@pytest.fixture(scope="module", params=_builds())
def device(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EmulatorDevice]:
    board, toolchain = request.param
    require_emulator(board)
    try:
        result = build_model(board, tmp_path_factory.mktemp(board), toolchain)
    except MissingToolError as error:
        pytest.skip(str(error))
    assert result.elf is not None
    with EmulatorDevice(find_target(board), result.elf, FINGERPRINT) as running:
        yield running


@pytest.fixture(autouse=True)
def _fresh(device: Device) -> None:
    device.reset()


def test_it_says_what_it_is(device: Device) -> None:
    info = device.info
    assert (info.input_bytes, info.output_bytes, info.target_bytes) == (16, 12, 4)
    assert (info.classes, info.batch, info.tensor_count) == (3, 1, 4)
    assert info.unit is Unit.INSTRUCTIONS


def test_it_computes_what_the_reference_computes(device: Device) -> None:
    reference = Reference()
    for x, label in samples(20):
        assert device.infer(x) == pytest.approx(reference.infer(x), rel=1e-5)
        assert device.train_step(x, label).loss == pytest.approx(
            reference.train_step(x, label), rel=1e-5
        )
    assert np.frombuffer(device.read_tensor(W), np.float32) == pytest.approx(
        reference.w.ravel(), abs=1e-5
    )
    assert device.statistics().updates == 20


def test_a_traced_step_reports_its_tensors(device: Device) -> None:
    x, label = samples(1)[0]
    result = device.train_step(x, label, trace=True)
    assert set(result.traced) == {DY, B, W}
    assert result.traced[W] == device.read_tensor(W)
    dy = Reference().infer(x) - np.eye(3)[label]
    assert np.frombuffer(result.traced[DY], np.float32) == pytest.approx(dy, rel=1e-5)


def test_it_tallies_an_evaluation(device: Device) -> None:
    labelled = samples(30)
    reference = Reference()
    right = sum(int(np.argmax(reference.infer(x))) == label for x, label in labelled)
    for _ in range(2):
        tally = device.evaluate(labelled)
        assert (tally.count, tally.correct) == (30, right)


def test_the_learning_rate_can_be_set(device: Device) -> None:
    device.write_tensor(HYPER, np.zeros(3, np.float32).tobytes())
    x, label = samples(1)[0]
    device.train_step(x, label)
    assert device.read_tensor(W) == INITIAL_W


def test_counts_repeat(device: Device) -> None:
    x, label = samples(1)[0]
    counts = []
    for _ in range(3):
        device.reset()
        device.infer(x)
        device.train_step(x, label)
        statistics = device.statistics()
        assert statistics.infer is not None
        assert statistics.step is not None
        counts.append((statistics.infer, statistics.step))
    # A run may end on this side of a timer tick or on that; ticks are then rounded to counts.
    slack = 0 if device.info.resolution == 1 else device.info.resolution + 1
    assert counts[0][1] > counts[0][0] > 24  # at least one instruction for each product
    for infer, step in counts[1:]:
        assert abs(infer - counts[0][0]) <= slack
        assert abs(step - counts[0][1]) <= slack


def test_the_stack_s_high_water_mark_is_plausible(device: Device) -> None:
    device.train_step(*samples(1)[0])
    statistics = device.statistics()
    assert statistics.stack_bytes == 4096
    assert statistics.stack_used is not None
    assert 100 < statistics.stack_used < 2000


def test_garbage_between_frames_is_refused_and_the_session_goes_on(device: EmulatorDevice) -> None:
    x, label = samples(1)[0]
    device.train_step(x, label)
    refused = device.statistics().frames_refused
    garbage = [
        b"\x07garbage\0",
        Frame(0, 4, b"\0").encode()[:-3] + b"\0",  # truncated
        Frame(0x5555, 4, b"\0").encode(),  # out of order
        Frame(0, 2, bytes(2000)).encode(),  # oversized
    ]
    for wire in garbage:
        device._port.write(b"\0" + wire)
        device.train_step(x, label)
    statistics = device.statistics()
    assert statistics.updates == 1 + len(garbage)
    assert statistics.frames_refused - refused >= len(garbage)
