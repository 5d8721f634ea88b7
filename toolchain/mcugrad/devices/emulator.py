"""An emulated board: QEMU or Spike boots the firmware, and its UART is the link."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mcugrad.devices import qemu, spike
from mcugrad.devices.link import LinkDevice, open_port
from mcugrad.errors import UsageError
from mcugrad.targets import EmulatorTool, Simulator, Target

_SIMULATORS = {Simulator.QEMU: qemu, Simulator.SPIKE: spike}


def require(target: Target) -> EmulatorTool:
    """The target's emulator.

    Raises:
        UsageError: it has none.
        MissingToolError: it is not installed.
    """
    tool = target.emulator
    if tool is None:
        raise UsageError(f"{target.name} has no emulator")
    _SIMULATORS[tool.simulator].command(tool)
    return tool


class EmulatorDevice(LinkDevice):
    """A model in an emulated board; ``options`` are further ones of the emulator's command."""

    def __init__(
        self,
        target: Target,
        firmware: Path,
        fingerprint: int | None = None,
        options: Sequence[str] = (),
    ) -> None:
        tool = require(target)
        self._emulator, port = _SIMULATORS[tool.simulator].start(tool, firmware, options)
        try:
            super().__init__(open_port(port), fingerprint, alive=self._emulator.check)
        except BaseException:
            self._emulator.stop()
            raise

    def close(self) -> None:
        """Closes the port and ends the emulator."""
        super().close()
        self._emulator.stop()
