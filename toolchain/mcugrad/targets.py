"""The machines that mcugrad compiles for, read from ``targets/<name>/target.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from mcugrad.errors import UsageError
from mcugrad.resources import data_root

#: ``MG_MAX_BLOCKS`` of mcugrad.h: how many memories an arena can be spread over.
MAX_BLOCKS = 4


class Family(StrEnum):
    """What decides the start-up code and the form of the result."""

    HOST = "host"
    CORTEX_M = "cortex-m"
    RISCV32 = "riscv32"


@dataclass(frozen=True)
class Memory:
    """One contiguous memory."""

    name: str
    origin: int
    size: int


@dataclass(frozen=True)
class Placement:
    """Names of the memories that hold each part; of the arena in the order of preference."""

    code: str
    data: str
    stack: str
    arena: tuple[str, ...]

    @property
    def written(self) -> tuple[str, ...]:
        """The memories that are written, those that only the arena can use last."""
        return tuple(dict.fromkeys((self.data, self.stack, *self.arena)))


@dataclass(frozen=True)
class GnuCompiler:
    """The command of a GNU compiler and the flags that select this target.

    ``least_version`` is the first that knows the target's instructions; 0: each one does. ``half``:
    whether it makes the right ones of half precision, where it has that.
    """

    command: str
    flags: tuple[str, ...]
    least_version: int
    half: bool


@dataclass(frozen=True)
class Tool:
    """A command line, with ``{bin}`` for the image, and the system package that brings it."""

    command: tuple[str, ...]
    package: str


class Simulator(StrEnum):
    """The programs that emulate a target."""

    QEMU = "qemu"
    SPIKE = "spike"


@dataclass(frozen=True)
class EmulatorTool(Tool):
    """The command line up to the machine, and the package that brings the simulator.

    ``cpus`` are names that versions of QEMU have for the core, of which it takes the first that it
    knows; none where the machine's own core serves. ``extensions`` are sources of instructions
    that Spike has to learn.
    """

    simulator: Simulator
    cpus: tuple[str, ...] = ()
    extensions: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Target:
    """One machine: what its core can do, its memories, and how code gets there.

    ``memories``, ``placement`` and ``emulator`` are empty or None for the host.
    ``emulated_origins`` says where memories are in the emulator that are elsewhere on the board.
    ``cores`` share the work of each kernel.
    ``cycles`` names the target in whose folder the core's timing table is.
    """

    name: str
    description: str
    family: Family
    features: frozenset[str]
    cores: int
    zig_flags: tuple[str, ...]
    gnu: GnuCompiler
    firmware_sources: tuple[str, ...]
    defines: Mapping[str, str]
    memories: tuple[Memory, ...]
    placement: Placement | None
    emulator: EmulatorTool | None
    emulated_origins: Mapping[str, int]
    flasher: Tool | None
    cycles: str | None

    @property
    def is_host(self) -> bool:
        """Whether it is this computer."""
        return self.family is Family.HOST

    @property
    def ram_bytes(self) -> int | None:
        """Bytes of all memories that are written; None: no limit."""
        if self.placement is None:
            return None
        return sum(self.memory(name).size for name in self.placement.written)

    @property
    def flash_bytes(self) -> int | None:
        """Bytes for code and constants; None: no limit."""
        if self.placement is None:
            return None
        return self.memory(self.placement.code).size

    @property
    def emulated(self) -> Target:
        """The target as its emulator has it."""
        moved = self.emulated_origins
        memories = tuple(replace(m, origin=moved.get(m.name, m.origin)) for m in self.memories)
        return replace(self, memories=memories)

    @property
    def portable(self) -> Target:
        """The target without the features for which there are kernels: with portable ones alone."""
        kernels = data_root() / "runtime" / "kernels"
        return replace(
            self, features=frozenset(f for f in self.features if not (kernels / f).is_dir())
        )

    def limited(self, sram: int | None = None, flash: int | None = None) -> Target:
        """The target with at most ``sram`` bytes that are written and ``flash`` that are not.

        The limit is spent in the order in which memories are preferred; the rest is left out.
        """
        if self.placement is None:
            return self
        sizes = {m.name: m.size for m in self.memories}
        if flash is not None:
            sizes[self.placement.code] = min(self.memory(self.placement.code).size, flash)
        for name in self.placement.written if sram is not None else ():
            assert sram is not None
            sizes[name] = min(sizes[name], sram)
            sram -= sizes[name]
        memories = tuple(replace(m, size=sizes[m.name]) for m in self.memories)
        return replace(self, memories=memories)

    def memory(self, name: str) -> Memory:
        """The memory of that name."""
        return next(m for m in self.memories if m.name == name)


def _gnu(table: Mapping[str, Any]) -> GnuCompiler:
    return GnuCompiler(
        table["command"],
        tuple(table["flags"]),
        int(table.get("least_version", 0)),
        bool(table.get("half", True)),
    )


def _tool(table: Mapping[str, Any] | None) -> Tool | None:
    if table is None:
        return None
    return Tool(tuple(table["command"]), table["package"])


def _emulator(table: Mapping[str, Any] | None, folder: Path) -> EmulatorTool | None:
    if table is None:
        return None
    simulator = Simulator(table.get("simulator", Simulator.QEMU))
    extensions = tuple(folder / name for name in table.get("extensions", ()))
    cpus = tuple(table.get("cpus", ()))
    return EmulatorTool(tuple(table["command"]), table["package"], simulator, cpus, extensions)


def _placement(table: Mapping[str, Any] | None, memories: tuple[Memory, ...]) -> Placement | None:
    if table is None:
        return None
    arena = table["arena"]
    if not isinstance(arena, list) or not 1 <= len(set(arena)) == len(arena) <= MAX_BLOCKS:
        raise ValueError(f"placement.arena is no list of 1 to {MAX_BLOCKS} memories: {arena!r}")
    known = {m.name for m in memories}
    for part, names in table.items():
        for name in names if part == "arena" else [names]:
            if name not in known:
                raise ValueError(f"placement.{part} names no memory: {name!r}")
    return Placement(**{**table, "arena": tuple(arena)})


def _cores(table: Mapping[str, Any]) -> int:
    cores = table.get("cores", 1)
    if not isinstance(cores, int) or cores < 1:
        raise ValueError(f"cores is no number of cores: {cores!r}")
    return cores


def read_target(folder: Path) -> Target:
    """The target that ``folder/target.toml`` describes."""
    path = folder / "target.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        compiler, firmware = table["compiler"], table.get("firmware", {})
        memories = tuple(
            Memory(name, int(m["origin"]), int(m["size"]))
            for name, m in table.get("memory", {}).items()
        )
        return Target(
            name=folder.name,
            description=table["description"],
            family=Family(table["family"]),
            features=frozenset(table["features"]),
            cores=_cores(table),
            zig_flags=tuple(compiler["zig"]),
            gnu=_gnu(compiler["gnu"]),
            firmware_sources=tuple(firmware.get("sources", ())),
            defines=dict(firmware.get("defines", {})),
            memories=memories,
            placement=_placement(table.get("placement"), memories),
            emulator=_emulator(table.get("emulator"), folder),
            emulated_origins=dict(table.get("emulator", {}).get("origins", {})),
            flasher=_tool(table.get("flasher")),
            cycles=table.get("cycles"),
        )
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except KeyError as error:
        raise UsageError(f"{path}: {error.args[0]} is missing") from error
    except (ValueError, TypeError) as error:
        raise UsageError(f"{path}: {error}") from error


@cache
def targets() -> Mapping[str, Target]:
    """All targets by name, the host first."""
    folders = [p.parent for p in (data_root() / "targets").glob("*/target.toml")]
    found = [read_target(folder) for folder in folders]
    return {t.name: t for t in sorted(found, key=lambda t: (not t.is_host, t.name))}


def find_target(name: str) -> Target:
    """The target called ``name``."""
    try:
        return targets()[name]
    except KeyError:
        known = ", ".join(targets())
        raise UsageError(f"no target is called {name!r}; there are {known}") from None
