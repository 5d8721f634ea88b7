"""The C compilers that can serve a target: zig from pip, or a GNU toolchain from the system."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from mcugrad.commands import find_command
from mcugrad.errors import MissingToolError
from mcugrad.targets import Target

Toolchain = Literal["zig", "gnu"]

_GNU_PACKAGES = {
    "gcc": "gcc",
    "arm-none-eabi-gcc": "gcc-arm-none-eabi",
    "riscv64-unknown-elf-gcc": "gcc-riscv64-unknown-elf",
}


@dataclass(frozen=True)
class Compiler:
    """A compiler with everything that selects the target.

    ``half``: whether it can compile half precision.
    """

    toolchain: Toolchain
    command: tuple[str, ...]
    archiver: tuple[str, ...]
    flags: tuple[str, ...]
    link_flags: tuple[str, ...]
    libraries: tuple[str, ...]
    version: str
    half: bool


def find_compiler(target: Target, toolchain: Toolchain) -> Compiler:
    """The compiler of ``toolchain`` for ``target``.

    Raises:
        MissingToolError: it is missing, or too old for the target's instructions.
    """
    return _zig(target) if toolchain == "zig" else _gnu(target)


def _zig(target: Target) -> Compiler:
    spec = find_spec("ziglang")
    if spec is None or spec.origin is None:
        raise MissingToolError("the compiler is missing: pip install ziglang")
    zig = str(Path(spec.origin).parent / "zig")
    # The host takes mathematics from where the targets take them, so that results are equal.
    link = ("-nostdlib", "-rtlib=compiler-rt") if target.is_host else ()
    version = _output((zig, "version"))
    return Compiler("zig", (zig, "cc"), (zig, "ar"), target.zig_flags, link, (), version, half=True)


def _gnu(target: Target) -> Compiler:
    name = target.gnu.command
    command = find_command(name, _GNU_PACKAGES.get(name, name))
    major = _output((command, "-dumpversion")).partition(".")[0]
    if (int(major) if major.isdecimal() else 0) < target.gnu.least_version:
        raise MissingToolError(
            f"{name} is too old for {target.name}: version {target.gnu.least_version} or newer, "
            "or --toolchain zig"
        )
    archiver = shutil.which(name.removesuffix("gcc") + "ar") or "ar"
    version = _output((command, "--version"))
    macros = _output((command, *target.gnu.flags, "-dM", "-E", "-"))
    half = target.gnu.half and "__FLT16_MANT_DIG__" in macros
    flags, libraries = target.gnu.flags, ("m",)
    link: tuple[str, ...] = ()
    if not target.is_host:  # firmware/libc.c stands in for a C library
        flags, libraries = (*flags, "-ffreestanding"), ("gcc",)
        link = ("-nostdlib", "-Wl,--no-warn-rwx-segments")
    return Compiler("gnu", (command,), (archiver,), flags, link, libraries, version, half)


@cache
def _output(command: tuple[str, ...]) -> str:
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


@cache
def build_tools() -> tuple[str, str]:
    """The commands of CMake and Ninja, those that pip brought first."""
    try:
        import cmake
        import ninja

        return str(Path(cmake.CMAKE_BIN_DIR) / "cmake"), str(Path(ninja.BIN_DIR) / "ninja")
    except ImportError:
        commands = shutil.which("cmake"), shutil.which("ninja")
        if commands[0] is None or commands[1] is None:
            raise MissingToolError("CMake or Ninja is missing: pip install cmake ninja") from None
        return commands[0], commands[1]
