"""Opens the device that a user names: host, emulator, or a port."""

from __future__ import annotations

import tempfile
from pathlib import Path

from mcugrad.build import build
from mcugrad.devices.base import Device
from mcugrad.devices.emulator import EmulatorDevice
from mcugrad.devices.host import HostDevice
from mcugrad.devices.link import LinkDevice, open_port
from mcugrad.manifest import Manifest
from mcugrad.targets import find_target

SOURCES = "model"
FIRMWARE = "firmware.elf"


def open_device(where: str, folder: Path) -> Device:
    """The compiled model in ``folder``, running on ``where``.

    ``where`` is ``host``, ``emulator``, or a port: a device file or a pyserial URL.
    """
    manifest = Manifest.read(folder)
    if where == "host":
        return _host(folder)
    if where == "emulator":
        return _emulator(folder, manifest)
    port = open_port(where)
    try:
        return LinkDevice(port, manifest.fingerprint)
    except BaseException:
        port.close()
        raise


def _emulator(folder: Path, manifest: Manifest) -> EmulatorDevice:
    target = find_target(manifest.target)
    with tempfile.TemporaryDirectory(prefix="mcugrad-") as name:
        firmware = emulated_firmware(folder, manifest, Path(name))
        return EmulatorDevice(target, firmware, manifest.fingerprint)


def emulated_firmware(folder: Path, manifest: Manifest, out: Path) -> Path:
    """The firmware that the emulator runs: the one in ``folder``.

    Where it uses memory that is elsewhere in the emulator, one that is linked anew into ``out``.
    """
    target = find_target(manifest.target)
    used = {r.name for r in manifest.regions if r.arena or r.parameters}
    if used.isdisjoint(target.emulated_origins):
        return folder / FIRMWARE
    stack = manifest.sram["stack"] // target.cores
    result = build(folder / SOURCES, target.emulated, out, stack_bytes=stack)
    assert result.elf is not None
    return result.elf


def _host(folder: Path) -> HostDevice:
    """The model's C built for this computer, whatever the folder was compiled for."""
    with tempfile.TemporaryDirectory(prefix="mcugrad-") as name:
        result = build(folder / SOURCES, find_target("host"), Path(name))
        assert result.library is not None
        return HostDevice(result.library)
