"""Starts boards in Spike, the RISC-V simulator, from the package of that name.

Its UART is its terminal: the far end of a pseudo-terminal, whose near end is the serial port.
"""

from __future__ import annotations

import os
import pty
import tty
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from mcugrad.build import SharedLibrary
from mcugrad.commands import find_command
from mcugrad.devices.process import Process
from mcugrad.errors import MissingToolError
from mcugrad.targets import EmulatorTool

PACKAGE = "spike"
INSTALL = "pip install 'mcugrad[spike]'"  # which has the version that extensions are made for
_WHEELS = "it is there for Linux on x86-64 and Python before 3.13 alone"

TREE_COMPILER = "dtc"  # Spike calls it
CXX = "g++"
#: System packages.
PACKAGES = {TREE_COMPILER: "device-tree-compiler", CXX: "g++"}

#: Strings and lists of the package's binary are those of the old ABI; with the other one an
#: extension loads, and instructions do something else.
_FLAGS = (
    *("-std=c++20", "-O2", "-shared", "-fPIC", "-D_GLIBCXX_USE_CXX11_ABI=0"),
    *("-Wall", "-Wextra", "-Werror"),
)
_HEADERS = ("include", "include/riscv", "include/softfloat")


@dataclass(frozen=True)
class Installation:
    """Where the package has the simulator, its library and its headers, and its version."""

    command: Path
    library: Path
    headers: tuple[Path, ...]
    version: str


@cache
def installation() -> Installation | None:
    """What is installed; None: nothing."""
    spec = find_spec("riscv")  # found and not imported, which would load the simulator
    try:
        found = version(PACKAGE)
    except PackageNotFoundError:
        return None
    if spec is None or spec.origin is None:
        return None
    data = Path(spec.origin).parent / "data"
    return Installation(
        command=data / "bin" / "spike",
        library=data / "lib" / "libriscv.so",
        headers=tuple(data / folder for folder in _HEADERS),
        version=found,
    )


def extension(source: Path) -> SharedLibrary:
    """An extension library of Spike.

    Raises:
        MissingToolError: Spike or the compiler is missing.
    """
    spike = _installation()
    headers = [f"-isystem{folder}" for folder in spike.headers]
    return SharedLibrary(source, (_tool(CXX), *_FLAGS, *headers), spike.version)


def command(tool: EmulatorTool) -> list[str]:
    """The command line up to the firmware.

    Raises:
        MissingToolError: Spike, or what it needs, is missing.
    """
    spike = _installation()
    _tool(TREE_COMPILER)
    extensions = [f"--extlib={extension(source).built()}" for source in tool.extensions]
    return [str(spike.command), *extensions, *tool.command[1:]]


def start(tool: EmulatorTool, firmware: Path, options: Sequence[str]) -> tuple[Process, str]:
    """The board with ``firmware``, and the pseudo-terminal that is its serial port."""
    line = [*command(tool), *options, str(firmware)]
    far, near = pty.openpty()
    try:
        tty.setraw(near)
        return Process(line, far), os.ttyname(near)
    finally:
        os.close(far)
        os.close(near)


def _installation() -> Installation:
    spike = installation()
    if spike is None:
        raise MissingToolError(f"Spike is missing: {INSTALL} ({_WHEELS})")
    return spike


def _tool(name: str) -> str:
    return find_command(name, PACKAGES[name])
