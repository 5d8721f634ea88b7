"""What this computer has of what mcugrad can use."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from mcugrad.devices import spike
from mcugrad.errors import MissingToolError
from mcugrad.targets import targets


@dataclass(frozen=True)
class Finding:
    """A tool, what it is for, its version, and the command that installs it."""

    name: str
    purpose: str
    needed: bool  # compile works only with it
    version: str | None  # None: missing
    install: str


_PACKAGES = (
    ("ziglang", "C compiler for every target"),
    ("cmake", "builds firmware"),
    ("ninja", "builds firmware"),
    ("omnimalloc", "places tensors"),
    ("cffi", "runs the model on the host"),
    ("pyserial", "talks to boards and emulators"),
)
BUILD = "mcugrad doctor --build"
_SPIKE = "emulates RISC-V with instructions that QEMU lacks"
_COMMANDS = (
    ("qemu-system-arm", "emulates Cortex-M", "qemu-system-arm"),
    ("qemu-system-riscv32", "emulates RISC-V", "qemu-system-misc"),
    (spike.TREE_COMPILER, "called by Spike", spike.PACKAGES[spike.TREE_COMPILER]),
    (spike.CXX, "compiles extensions of Spike", spike.PACKAGES[spike.CXX]),
    ("arm-none-eabi-gcc", "--toolchain gnu for Cortex-M", "gcc-arm-none-eabi"),
    ("riscv64-unknown-elf-gcc", "--toolchain gnu for RISC-V", "gcc-riscv64-unknown-elf"),
    ("st-flash", "flashes STM32 boards", "stlink-tools"),
)


def examine() -> list[Finding]:
    """Looks for every tool."""
    found = []
    for package, purpose in _PACKAGES:
        try:
            installed: str | None = version(package)
        except PackageNotFoundError:
            installed = None
        found.append(Finding(package, purpose, True, installed, f"pip install {package}"))
    simulator = spike.installation()
    installed = simulator.version if simulator else None
    found.append(Finding(spike.PACKAGE, _SPIKE, False, installed, spike.INSTALL))
    for command, purpose, package in _COMMANDS:
        install = f"sudo apt-get install {package}"
        found.append(Finding(command, purpose, False, _command_version(command), install))
    for source, names in _extensions().items():
        found.append(Finding(source.stem, f"instructions of {names}", False, _built(source), BUILD))
    return found


def build_extensions() -> None:
    """Compiles the extensions of emulators, so that no later call has to.

    Raises:
        MissingToolError: the emulator or the compiler is missing.
    """
    for source in _extensions():
        spike.extension(source).built()


def _extensions() -> dict[Path, str]:
    """Their sources, and the targets that want them."""
    found: dict[Path, str] = {}
    for target in targets().values():
        for source in target.emulator.extensions if target.emulator else ():
            found[source] = ", ".join(filter(None, (found.get(source), target.name)))
    return found


def _built(source: Path) -> str | None:
    try:
        path = spike.extension(source).path
    except MissingToolError:
        return None
    return "built" if path.exists() else None


def _command_version(command: str) -> str | None:
    path = shutil.which(command)
    if path is None:
        return None
    try:
        done = subprocess.run(
            [path, "--version"], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return "does not answer"
    return (done.stdout or done.stderr).strip().splitlines()[0] if done.stdout else "present"
