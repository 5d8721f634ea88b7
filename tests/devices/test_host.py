"""The hand-made model on the host, from both compilers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from mcugrad.devices.host import HostDevice
from mcugrad.errors import MissingToolError, UsageError
from tests.devices.hand_made import DY, B, Reference, W, build_model, samples


@pytest.fixture(scope="module", params=["zig", "gnu"])
def device(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[HostDevice]:
    try:
        result = build_model("host", tmp_path_factory.mktemp("host"), request.param)
    except MissingToolError as error:
        pytest.skip(str(error))
    assert result.library is not None
    with HostDevice(result.library) as loaded:
        yield loaded


@pytest.fixture(autouse=True)
def _fresh(device: HostDevice) -> None:
    device.reset()


def test_it_computes_what_the_reference_computes(device: HostDevice) -> None:
    reference = Reference()
    for x, label in samples(20):
        assert device.infer(x) == pytest.approx(reference.infer(x), rel=1e-5)
        assert device.train_step(x, label).loss == pytest.approx(
            reference.train_step(x, label), rel=1e-5
        )
    assert device.statistics().updates == 20


def test_a_traced_step_reports_its_tensors(device: HostDevice) -> None:
    result = device.train_step(*samples(1)[0], trace=True)
    assert set(result.traced) == {DY, B, W}
    assert result.traced[W] == device.read_tensor(W)


def test_an_infinite_sample_changes_nothing_and_says_so(device: HostDevice) -> None:
    before = device.read_tensor(W)
    result = device.train_step(np.full(4, np.nan, np.float32), 0)
    assert not result.applied
    assert device.read_tensor(W) == before
    assert device.statistics().updates == 0


def test_devices_of_one_library_do_not_share_state(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    library = build_model("host", tmp_path_factory.mktemp("host")).library
    assert library is not None
    x, label = samples(1)[0]
    with HostDevice(library) as one, HostDevice(library) as other:
        one.train_step(x, label)
        assert one.read_tensor(W) != other.read_tensor(W)


def test_only_what_learns_can_be_written(device: HostDevice) -> None:
    with pytest.raises(UsageError):
        device.write_tensor(DY, bytes(12))
    with pytest.raises(UsageError):
        device.write_tensor(W, bytes(47))
    with pytest.raises(UsageError):
        device.read_tensor(4)
