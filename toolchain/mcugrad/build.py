"""Builds firmware, or the host's shared library, from generated C with CMake and Ninja.

The runtime, its kernels and the firmware are compiled once for each target and compiler into
a library in the user's cache; a model's build compiles the model and links.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

from mcugrad.compilers import Compiler, Toolchain, build_tools, find_compiler
from mcugrad.errors import DoesNotFitError, InternalError, UsageError
from mcugrad.image import Sizes, flash_image, read_sizes
from mcugrad.resources import data_root
from mcugrad.targets import Target, find_target

DEFAULT_STACK_BYTES = 4096
_RUNTIME = "libmcugrad.a"
_KERNELS = "libmcugrad_kernels.so"
_HOST, _RUNTIMES = "host", "runtime"  # folders of the cache


@dataclass(frozen=True)
class BuildResult:
    """What a build left behind: on the host a library, else firmware with its sizes."""

    library: Path | None = None
    elf: Path | None = None
    image: Path | None = None
    sizes: Sizes | None = None


def build(
    model_dir: Path,
    target: Target,
    out: Path,
    *,
    stack_bytes: int = DEFAULT_STACK_BYTES,
    toolchain: Toolchain = "zig",
) -> BuildResult:
    """Compiles ``model_dir/model.c`` for ``target`` into the folder ``out``.

    Files appear in ``out`` complete or not at all.

    Raises:
        DoesNotFitError: a memory of the target is too small.
    """
    compiler = find_compiler(target, toolchain)
    library = runtime_library(target, compiler)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".build-", dir=out) as name:
        folder = Path(name)
        settings = {"MCUGRAD_LIBRARY": str(library), "MCUGRAD_MODEL": str(model_dir.resolve())}
        if target.is_host:
            _cmake(target, compiler, folder, settings)
            return BuildResult(library=_keep(folder / "libmodel.so", out))
        script = folder / "firmware.ld"
        script.write_text(linker_script(target, stack_bytes))
        _cmake(target, compiler, folder, {**settings, "MCUGRAD_LINKER_SCRIPT": str(script)})
        elf, image = folder / "firmware.elf", folder / "firmware.bin"
        sizes = read_sizes(elf)
        image.write_bytes(flash_image(elf))
        return BuildResult(elf=_keep(elf, out), image=_keep(image, out), sizes=sizes)


def _keep(path: Path, out: Path) -> Path:
    return path.replace(out / path.name)


def linker_script(target: Target, stack_bytes: int) -> str:
    """The memory layout: an output section for each block of the arena that there may be."""
    placement = target.placement
    assert placement is not None
    memories = [f"{m.name} : ORIGIN = {m.origin:#x}, LENGTH = {m.size:#x}" for m in target.memories]
    arenas = [
        f".mg_arena{i} (NOLOAD) : {{ *(.mg_arena{i}) }} > {name}"
        for i, name in enumerate(placement.arena)
    ]
    template = Template((data_root() / "firmware" / "firmware.ld").read_text(encoding="utf-8"))
    return template.substitute(
        memories="\n    ".join(memories),
        arenas="\n    ".join(arenas),
        stack_bytes=stack_bytes,
        other_stacks_bytes=(target.cores - 1) * stack_bytes,
        code=placement.code,
        data=placement.data,
        stack=placement.stack,
    )


def cache_root() -> Path:
    """The user's cache folder of mcugrad."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "mcugrad"


def _cache_folder(name: str) -> Path:
    """A folder in the cache, made now unless it is there."""
    folder = cache_root() / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"{error.filename}: {error.strerror}: name a folder for what is compiled once in "
            "the environment variable XDG_CACHE_HOME"
        ) from error
    return folder


def runtime_library(target: Target, compiler: Compiler) -> Path:
    """The runtime for ``target``, compiled now unless the cache has it."""
    return _runtime(target, compiler) / _RUNTIME


def kernel_library() -> Path:
    """The kernels as a shared library of the host."""
    host = find_target("host")
    return _runtime(host, find_compiler(host, "zig")) / _KERNELS


def host_library(source: Path, defines: Mapping[str, str]) -> Path:
    """One C file as a shared library of this computer, compiled now unless the cache has it."""
    compiler = find_compiler(find_target("host"), "zig")
    options = ["-std=c11", "-O2", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror"]
    flags = [f"-D{name}={value}" for name, value in defines.items()]
    command = (*compiler.command, *options, *flags)
    return SharedLibrary(source, command, compiler.version).built()


@dataclass(frozen=True)
class SharedLibrary:
    """What ``command`` makes of one file, in the cache.

    ``version`` tells apart what the command means at other times, such as of its headers.
    """

    source: Path
    command: tuple[str, ...]
    version: str

    @property
    def path(self) -> Path:
        """Where it is, or will be."""
        key = repr((self.command, self.version)).encode()
        digest = hashlib.sha256(self.source.read_bytes() + key)
        return cache_root() / _HOST / f"{self.source.stem}-{digest.hexdigest()[:16]}.so"

    def built(self) -> Path:
        """The library, compiled now unless the cache has it."""
        path = self.path
        if not path.exists():
            with tempfile.TemporaryDirectory(prefix=".build-", dir=_cache_folder(_HOST)) as name:
                made = Path(name) / path.name
                _run(find_target("host"), [*self.command, "-o", str(made), str(self.source)])
                made.replace(path)
        return path


def _runtime(target: Target, compiler: Compiler) -> Path:
    folder = cache_root() / _RUNTIMES / f"{target.name}-{_library_key(target, compiler)}"
    if folder.exists():
        return folder
    names = (_RUNTIME, _KERNELS) if target.is_host else (_RUNTIME,)
    with tempfile.TemporaryDirectory(prefix=".build-", dir=_cache_folder(_RUNTIMES)) as name:
        ready = Path(name) / "ready"
        ready.mkdir()
        _cmake(target, compiler, Path(name) / "tree", {})
        for file in names:
            (Path(name) / "tree" / file).rename(ready / file)
        try:
            ready.rename(folder)
        except OSError:  # another process was faster, and its libraries are the same
            if not folder.exists():
                raise
    return folder


def _library_key(target: Target, compiler: Compiler) -> str:
    digest = hashlib.sha256()
    root = data_root()
    files = [root / "CMakeLists.txt", root / "targets" / "toolchain.cmake"]
    files += sorted(p for d in ("runtime", "firmware") for p in (root / d).rglob("*.[ch]"))
    for path in files:
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0")
    machine = platform.node() if target.is_host else ""  # the host's code is for its own CPU
    digest.update(repr((compiler, _settings(target, compiler), machine)).encode())
    return digest.hexdigest()[:16]


def _settings(target: Target, compiler: Compiler) -> dict[str, str]:
    return {
        "MCUGRAD_HOST": "ON" if target.is_host else "OFF",
        "MCUGRAD_CC": _list(compiler.command),
        "MCUGRAD_CC_ID": "Clang" if compiler.toolchain == "zig" else "GNU",
        "MCUGRAD_AR": _list(compiler.archiver),
        "MCUGRAD_FLAGS": _list(compiler.flags),
        "MCUGRAD_LINK_FLAGS": _list(compiler.link_flags),
        "MCUGRAD_LIBRARIES": _list(compiler.libraries),
        "MCUGRAD_FEATURES": _list(sorted(target.features)),
        "MCUGRAD_CORES": str(target.cores),
        "MCUGRAD_FIRMWARE": _list(target.firmware_sources),
        "MCUGRAD_DEFINES": _list(f"{k}={v}" for k, v in target.defines.items()),
    }


def _list(items: Iterable[str]) -> str:
    return ";".join(items)


def _cmake(target: Target, compiler: Compiler, folder: Path, settings: Mapping[str, str]) -> None:
    """Configures and builds the project's ``CMakeLists.txt`` in ``folder``."""
    cmake, ninja = build_tools()
    root = data_root()
    options = {
        "CMAKE_TOOLCHAIN_FILE": str(root / "targets" / "toolchain.cmake"),
        "CMAKE_MAKE_PROGRAM": ninja,
        **_settings(target, compiler),
        **settings,
    }
    configure = [cmake, "-G", "Ninja", "-S", str(root), "-B", str(folder)]
    _run(target, [*configure, *(f"-D{k}={v}" for k, v in options.items())])
    _run(target, [ninja, "-C", str(folder)])


def _run(target: Target, command: list[str]) -> None:
    cache = str(cache_root() / "zig")
    folders = {"ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache}
    environment = {**os.environ, **folders, "LC_ALL": "C"}  # what GNU ld says is read in English
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        env=environment,
    )
    if done.returncode != 0:
        _fail(target, done.stdout)


#: How lld and GNU ld say that a memory is full; of one byte GNU ld says no plural.
_OVERFLOW = re.compile(r"region [`']?(\w+)'? ?:? ?overflowed by (\d+) byte")

#: Lines of Ninja that say nothing about an error.
_PROGRESS = re.compile(r"\[\d+/\d+\]|ninja: ")


def _fail(target: Target, output: str) -> None:
    found: dict[str, int] = {}
    for name, excess in _OVERFLOW.findall(output):  # each section that goes over, not their sum
        found[name] = max(int(excess), found.get(name, 0))
    if found and target.placement is not None:
        name = max(found, key=lambda memory: found[memory])
        kind = "flash" if name == target.placement.code else "SRAM"
        raise DoesNotFitError(
            f"the firmware needs {found[name]} bytes of {kind} more than {target.name} may use",
            kind,
            found[name],
            found,
        )
    said = "\n".join(line for line in output.splitlines() if not _PROGRESS.match(line))
    raise InternalError(f"compiling for {target.name} failed:\n{said}")
