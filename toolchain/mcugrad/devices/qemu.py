"""Starts boards in QEMU."""

from __future__ import annotations

import re
import selectors
import subprocess
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from mcugrad.commands import find_command
from mcugrad.devices.process import Process
from mcugrad.errors import DeviceError, MissingToolError
from mcugrad.targets import EmulatorTool

#: One instruction takes a nanosecond of virtual time, by which firmware counts instructions.
#: The multiplexer buffers what UARTs take byte by byte, which makes the link five times as
#: quick; its escape character is moved to where no byte can be it.
_OPTIONS = (
    *("-display", "none", "-monitor", "none", "-icount", "shift=0"),
    *("-chardev", "pty,id=link,mux=on", "-serial", "chardev:link", "-echr", "256"),
)
_START_SECONDS = 20.0


def command(tool: EmulatorTool) -> list[str]:
    """The command line up to the firmware.

    Raises:
        MissingToolError: QEMU is missing, or too old for the core.
    """
    machine = (find_command(tool.command[0], tool.package), *tool.command[1:])
    core = ("-cpu", _known(machine, tool.cpus)) if tool.cpus else ()
    return [*machine, *core, *_OPTIONS]


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


def start(tool: EmulatorTool, firmware: Path, options: Sequence[str]) -> tuple[Process, str]:
    """The board with ``firmware``, and the pseudo-terminal that is its serial port."""
    process = Process([*command(tool), *options, "-kernel", str(firmware)])
    try:
        return process, _find_port(process)
    except BaseException:
        process.stop()
        raise


def _find_port(process: Process) -> str:
    """The pseudo-terminal that QEMU names when it starts."""
    end = time.monotonic() + _START_SECONDS
    with selectors.DefaultSelector() as selector:
        selector.register(process.output, selectors.EVENT_READ)
        while selector.select(max(0.0, end - time.monotonic())):
            line = process.read_line()
            if found := re.search(r"redirected to (\S+)", line):
                return found[1]
            if not line:
                process.wait()
                break
    process.check()
    raise DeviceError("QEMU does not say where its serial port is")
