"""An emulated board: QEMU boots the firmware, and its UART is the link."""

from __future__ import annotations

import atexit
import re
import selectors
import shutil
import subprocess
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from mcugrad.devices.link import LinkDevice, open_port
from mcugrad.errors import DeviceError, MissingToolError, UsageError
from mcugrad.targets import Target, Tool

#: One instruction takes a nanosecond of virtual time, by which firmware counts instructions.
#: The multiplexer buffers what UARTs take byte by byte, which makes the link five times as
#: quick; its escape character is moved to where no byte can be it.
_QEMU = (
    *("-display", "none", "-monitor", "none", "-icount", "shift=0"),
    *("-chardev", "pty,id=link,mux=on", "-serial", "chardev:link", "-echr", "256"),
)
_START_SECONDS = 20.0


def _machine(tool: Tool) -> list[str]:
    """The command line up to the machine and its core."""
    command = shutil.which(tool.command[0])
    if command is None:
        raise MissingToolError(f"{tool.command[0]} is missing: apt-get install {tool.package}")
    machine = (command, *tool.command[1:])
    return [*machine, "-cpu", _known(machine, tool.cpus)] if tool.cpus else [*machine]


@cache
def _known(machine: tuple[str, ...], cpus: tuple[str, ...]) -> str:
    """The first of the CPUs that QEMU knows."""
    said = ""
    for cpu in cpus:
        tried = subprocess.run(
            [*machine, "-cpu", cpu, "-display", "none", "-S", "-monitor", "stdio"],
            input="quit\n",
            capture_output=True,
            text=True,
            check=False,
        )
        if tried.returncode == 0:
            return cpu
        said = tried.stderr.strip()
    raise MissingToolError(f"{machine[0]} is too old for the target's core: {said}")


class Emulator:
    """A running QEMU process, with ``options`` beside those that every one has."""

    def __init__(self, target: Target, firmware: Path, options: Sequence[str] = ()) -> None:
        tool = target.emulator
        if tool is None:
            raise UsageError(f"{target.name} has no emulator")
        self._process = subprocess.Popen(
            [*_machine(tool), *_QEMU, *options, "-kernel", str(firmware)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
        )
        atexit.register(self.stop)
        assert self._process.stdout is not None
        self._output = self._process.stdout
        self._said = ""
        try:
            self.port = self._find_port()
        except BaseException:
            self.stop()
            raise

    def _find_port(self) -> str:
        """The pseudo-terminal that QEMU names when it starts."""
        end = time.monotonic() + _START_SECONDS
        with selectors.DefaultSelector() as selector:
            selector.register(self._output, selectors.EVENT_READ)
            while selector.select(max(0.0, end - time.monotonic())):
                line = self._output.readline().decode(errors="replace")
                if found := re.search(r"redirected to (\S+)", line):
                    return found[1]
                if not line:
                    self._process.wait()
                    break
                self._said += line
        self.check()
        raise DeviceError("QEMU does not say where its serial port is")

    def check(self) -> None:
        """Raises if QEMU has ended."""
        code = self._process.poll()
        if code is not None:
            said = self._said + self._output.read().decode(errors="replace")
            raise DeviceError(f"the emulator ended with code {code}: {said.strip()}")

    def stop(self) -> None:
        """Ends QEMU."""
        atexit.unregister(self.stop)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._output.close()


class EmulatorDevice(LinkDevice):
    """A model in an emulated board."""

    def __init__(
        self,
        target: Target,
        firmware: Path,
        fingerprint: int | None = None,
        options: Sequence[str] = (),
    ) -> None:
        self._emulator = Emulator(target, firmware, options)
        try:
            port = open_port(self._emulator.port)
            super().__init__(port, fingerprint, alive=self._emulator.check)
        except BaseException:
            self._emulator.stop()
            raise

    def close(self) -> None:
        """Closes the port and ends the emulator."""
        super().close()
        self._emulator.stop()
