"""The two sides of the link against each other, over wires that lose and spoil frames."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from mcugrad.devices import Device
from mcugrad.devices.frame import Frame
from mcugrad.devices.link import LinkDevice
from mcugrad.errors import DeviceError, UsageError
from tests.devices.hand_made import DY, FINGERPRINT, HYPER, INITIAL_W, B, Reference, W, samples
from tests.devices.wire import Fault, Spoiler, WirePort, build_link, unchanged


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_link(tmp_path_factory.mktemp("link"))


def connect(program: Path, to_device: Fault = unchanged, to_host: Fault = unchanged) -> LinkDevice:
    port = WirePort(program, to_device, to_host)
    return LinkDevice(cast(Any, port), FINGERPRINT, limit=5.0, quiet=0.02)


def train(device: Device, count: int) -> None:
    """Trains next to the reference: what is done twice, or not at all, shows in the losses."""
    reference = Reference()
    for x, label in samples(count):
        assert device.train_step(x, label).loss == pytest.approx(
            reference.train_step(x, label), rel=1e-3, abs=1e-5
        )
    assert np.frombuffer(device.read_tensor(B), np.float32) == pytest.approx(reference.b, abs=1e-4)


class Once:
    """Spoils the one frame of a kind that comes after ``skip`` others of it."""

    def __init__(self, kind: int, skip: int, change: Fault) -> None:
        self._kind, self._skip, self._change = kind, skip, change

    def __call__(self, frame: bytes) -> bytes:
        content = Frame.decode(frame[:-1])
        if content is not None and content.kind == self._kind:
            self._skip -= 1
            if self._skip == -1:
                return self._change(frame)
        return frame


def lose(_frame: bytes) -> bytes:
    return b""


def double(frame: bytes) -> bytes:
    return frame + frame


TRAIN, PUT, ANSWER = 0x04, 0x02, 0x80


def test_a_lost_answer_does_not_train_twice(program: Path) -> None:
    with connect(program, to_host=Once(TRAIN | ANSWER, 2, lose)) as device:
        train(device, 5)
        assert device.statistics().updates == 5


@pytest.mark.parametrize("change", [lose, double])
@pytest.mark.parametrize("kind", [TRAIN, PUT])
def test_a_lost_or_doubled_request_is_served_once(program: Path, kind: int, change: Fault) -> None:
    with connect(program, to_device=Once(kind, 2, change)) as device:
        train(device, 5)
        assert device.statistics().updates == 5


@pytest.mark.parametrize("seed", range(4))
def test_a_session_outlives_a_bad_wire(program: Path, seed: int) -> None:
    with connect(program, Spoiler(seed, 0.15), Spoiler(seed + 100, 0.15)) as device:
        train(device, 60)
        statistics = device.statistics()
        assert statistics.updates == 60
        assert statistics.frames_refused > 0


def test_a_good_wire_refuses_nothing(program: Path) -> None:
    with connect(program) as device:
        train(device, 20)
        assert device.statistics().frames_refused == 0


def test_a_session_is_taken_over_where_it_stands(program: Path) -> None:
    port = WirePort(program)
    first = LinkDevice(cast(Any, port), FINGERPRINT)
    x, label = samples(1)[0]
    first.train_step(x, label)
    second = LinkDevice(cast(Any, port), FINGERPRINT)
    second.train_step(x, label)
    assert second.statistics().updates == 2
    port.close()


def test_tensors_are_read_and_written_within_their_bounds(program: Path) -> None:
    with connect(program) as device:
        wanted = np.arange(12, dtype=np.float32)
        device.write_tensor(W, wanted.tobytes())
        assert device.read_tensor(W) == wanted.tobytes()
        assert np.frombuffer(device.read_tensor(HYPER), np.float32).tolist() == [0.5, 0.0, 0.0]
        with pytest.raises(UsageError, match="does not take 4 bytes"):
            device.write_tensor(W, bytes(4))
        with pytest.raises(UsageError, match="cannot be written"):
            device.write_tensor(DY, bytes(12))
        with pytest.raises(UsageError, match="no such tensor"):
            device.read_tensor(99)
        device.reset()
        assert device.read_tensor(W) == INITIAL_W


def test_an_infinite_sample_changes_nothing_and_says_so(program: Path) -> None:
    with connect(program) as device:
        before = device.read_tensor(W)
        result = device.train_step(np.full(4, np.inf, np.float32), 0)
        assert not result.applied
        assert not np.isfinite(result.loss)
        assert device.read_tensor(W) == before
        assert device.statistics().updates == 0


def test_wrong_samples_and_labels_are_refused_before_they_are_sent(program: Path) -> None:
    with connect(program) as device:
        with pytest.raises(UsageError, match="4 elements of float32"):
            device.infer(np.zeros(3, np.float32))
        with pytest.raises(UsageError, match="label 3"):
            device.train_step(np.zeros(4, np.float32), 3)


def test_another_model_is_refused(program: Path) -> None:
    port = WirePort(program)
    with pytest.raises(UsageError, match="another model"):
        LinkDevice(cast(Any, port), FINGERPRINT + 1)
    port.close()


@pytest.mark.parametrize("call", ["read", "write", "in_waiting"])
def test_a_port_that_is_gone_is_said_as_that(
    program: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def gone(*_arguments: object) -> int:
        raise OSError(5, "Input/output error")

    with connect(program) as device:
        broken = property(gone) if call == "in_waiting" else gone
        monkeypatch.setattr(WirePort, call, broken)
        with pytest.raises(DeviceError, match=r"lost.*Input/output error"):
            device.train_step(np.zeros(4, np.float32), 0)
        monkeypatch.undo()


def test_silence_is_an_error_and_not_a_hang(program: Path) -> None:
    port = WirePort(program, to_host=lose)
    with pytest.raises(DeviceError, match="answers on the test's wire"):
        LinkDevice(cast(Any, port), FINGERPRINT, patience=0.3)
    port.close()
