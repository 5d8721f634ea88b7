"""Ports and emulators that are absent, die, or are reached another way."""

from __future__ import annotations

import shutil
import socket
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mcugrad.build import build
from mcugrad.devices import spike
from mcugrad.devices.emulator import EmulatorDevice
from mcugrad.devices.link import LinkDevice, open_port
from mcugrad.errors import DeviceError, MissingToolError, UsageError
from mcugrad.targets import Target, find_target
from tests.devices.hand_made import (
    FINGERPRINT,
    MODEL,
    Reference,
    build_model,
    require_emulator,
    samples,
)
from tests.devices.wire import WirePort, build_link


def test_without_qemu_the_command_that_installs_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingToolError, match="apt-get install qemu-system-misc"):
        EmulatorDevice(find_target("rv32imfc"), tmp_path / "firmware.elf")


def test_of_a_cores_names_the_first_that_qemu_knows_is_taken(tmp_path: Path) -> None:
    require_emulator("rv32-rvv")
    target = find_target("rv32-rvv")
    tool = target.emulator
    assert tool is not None
    elf = build_model("rv32-rvv", tmp_path).elf
    assert elf is not None
    unknown = "rv32,no-such-thing=true"

    def knowing(*cpus: str) -> Target:
        return replace(target, emulator=replace(tool, cpus=cpus))

    with EmulatorDevice(knowing(unknown, *tool.cpus), elf) as running:
        x = samples(1)[0][0]
        assert running.infer(x) == pytest.approx(Reference().infer(x), rel=1e-5)
    with pytest.raises(MissingToolError, match="no-such-thing"):
        EmulatorDevice(knowing(unknown), elf)


def test_without_what_spike_needs_the_command_that_installs_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = find_target("rv32-xfvec")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingToolError, match=r"(device-tree-compiler|mcugrad\[spike\])"):
        EmulatorDevice(target, tmp_path / "firmware.elf")
    monkeypatch.setattr(spike, "installation", lambda: None)
    with pytest.raises(MissingToolError, match=r"pip install 'mcugrad\[spike\]'"):
        EmulatorDevice(target, tmp_path / "firmware.elf")


def test_the_host_has_no_emulator(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="host has no emulator"):
        EmulatorDevice(find_target("host"), tmp_path / "firmware.elf")


def test_a_dead_emulator_is_noticed(tmp_path: Path) -> None:
    require_emulator("cortex-m3")
    elf = build_model("cortex-m3", tmp_path).elf
    assert elf is not None
    with EmulatorDevice(find_target("cortex-m3"), elf) as running:
        running._emulator._process.kill()
        with pytest.raises(DeviceError, match="the emulator ended"):
            running.infer(np.zeros(4, np.float32))


@pytest.mark.parametrize(
    "board",
    [
        *("cortex-m0plus", "cortex-m3", "cortex-m33", "cortex-m55"),
        *("rv32imc", "rv32-rvv", "rv32-xfvec"),
    ],
)
def test_a_fault_restarts_the_firmware_and_is_reported(board: str, tmp_path: Path) -> None:
    require_emulator(board)
    model = tmp_path / "model"
    shutil.copytree(MODEL, model)
    source = (model / "model.c").read_text()
    forward = "static void forward(mg_model *model) {\n    memory *m = in(model);\n"
    assert forward in source
    trap = "    if (m->x[0] > 1e6F) {\n        __builtin_trap();\n    }\n"
    (model / "model.c").write_text(source.replace(forward, forward + trap))
    elf = build(model, find_target(board), tmp_path / "out").elf
    assert elf is not None
    fine, fatal = np.ones(4, np.float32), np.full(4, 1e7, np.float32)
    with EmulatorDevice(find_target(board), elf) as running:
        assert running.infer(fine) == pytest.approx(Reference().infer(fine), rel=1e-5)
        with pytest.raises(DeviceError, match="restarted"):
            running.infer(fatal)


def test_a_file_that_is_no_firmware_is_an_error_and_no_hang(tmp_path: Path) -> None:
    require_emulator("cortex-m3")
    with pytest.raises(DeviceError, match="the emulator ended"):
        EmulatorDevice(find_target("cortex-m3"), tmp_path / "absent.elf")


def test_a_port_that_is_not_there_is_named() -> None:
    with pytest.raises(DeviceError, match="/dev/no-such-port"):
        open_port("/dev/no-such-port")


def test_the_same_code_drives_a_device_over_tcp(tmp_path: Path) -> None:
    """A board behind a network bridge, as far as the driver can tell."""
    server = socket.create_server(("127.0.0.1", 0))
    wire = WirePort(build_link(tmp_path))

    def bridge() -> None:
        connection, _ = server.accept()
        with connection:
            connection.setblocking(False)
            while True:
                try:
                    received = connection.recv(4096)
                    if not received:
                        return
                    wire._in.write(received)
                except BlockingIOError:
                    pass
                wire.timeout = 0.001
                connection.sendall(wire.read(4096))

    thread = threading.Thread(target=bridge)
    thread.start()
    host, port = server.getsockname()
    with LinkDevice(open_port(f"socket://{host}:{port}"), FINGERPRINT) as device:
        reference = Reference()
        for x, label in samples(5):
            assert device.train_step(x, label).loss == pytest.approx(
                reference.train_step(x, label), rel=1e-5
            )
    thread.join(5)
    server.close()
    wire.close()
