"""Counts, in the emulator, what ran between marks in the firmware's code."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mcugrad.build import host_library
from mcugrad.devices import spike
from mcugrad.devices.emulator import EmulatorDevice, require
from mcugrad.errors import DeviceError, MissingToolError, UsageError
from mcugrad.targets import Simulator, Target

_PLUGIN = Path(__file__).with_name("qemu_plugin.c")
_COUNTS = Path(__file__).with_name("spike_counts.cc")
_FIRST_VERSION = 1  # of QEMU's plugin interface
_OLDEST = re.compile(r"supports only a minimum version of (\d+)")


@dataclass(frozen=True)
class Block:
    """Instructions that run one after the other: the first one's address, and how many."""

    address: int
    instructions: int


@dataclass(frozen=True)
class Runs:
    """How often a block ran, and how many of these runs ended in a jump elsewhere."""

    count: int
    taken: int


@dataclass(frozen=True)
class Segment:
    """What ran from one mark, at ``address``, to the next."""

    address: int
    blocks: Mapping[Block, Runs]

    @property
    def instructions(self) -> int:
        """How many instructions that were."""
        return sum(b.instructions * r.count for b, r in self.blocks.items())


@dataclass(frozen=True)
class CountedDevice:
    """A model in an emulator, and the file to which the plugin writes."""

    device: EmulatorDevice
    log: Path

    def segments(self) -> list[Segment]:
        """What ran so far, up to the last mark."""
        found: list[tuple[int, dict[Block, Runs]]] = []
        for line in self.log.read_text(encoding="ascii").splitlines():
            first, *numbers = line.split()
            if first == "mark":
                found.append((int(numbers[0], 16), {}))
            else:
                size, count, taken = map(int, numbers)
                found[-1][1][Block(int(first, 16), size)] = Runs(count, taken)
        return [Segment(address, blocks) for address, blocks in found]


@contextmanager
def counting(
    target: Target, firmware: Path, fingerprint: int, marks: Iterable[range], core: int = 0
) -> Iterator[CountedDevice]:
    """The firmware in the target's emulator; entering a range of ``marks`` begins a segment.

    Of several cores, ``core`` is counted.

    Raises:
        MissingToolError: the emulator is missing, or cannot load plugins.
    """
    with tempfile.TemporaryDirectory(prefix="mcugrad-") as name:
        log = Path(name) / "counts"
        arguments = [f"core={core}", *(f"at={r.start:x}-{r.stop - 1:x}" for r in marks if r)]
        start = _in_spike if require(target).simulator is Simulator.SPIKE else _in_qemu
        with start(target, firmware, fingerprint, log, arguments) as device:
            yield CountedDevice(device, log)


def _in_spike(
    target: Target, firmware: Path, fingerprint: int, log: Path, arguments: Sequence[str]
) -> EmulatorDevice:
    if "," in str(log):
        raise UsageError(f"Spike takes no ',' in a path, as {log.parent} has: set TMPDIR")
    device = ",".join(("--device=counts", f"out={log}", *arguments))
    options = (f"--extlib={spike.extension(_COUNTS).built()}", device)
    return EmulatorDevice(target, firmware, fingerprint, options)


def _in_qemu(
    target: Target, firmware: Path, fingerprint: int, log: Path, arguments: Sequence[str]
) -> EmulatorDevice:
    """QEMU with the plugin, compiled for the oldest version of the interface that it knows."""
    options = ",".join((f"out={_escaped(log)}", *arguments))

    def start(version: int) -> EmulatorDevice:
        plugin = host_library(_PLUGIN, {"PLUGIN_VERSION": str(version)})
        argument = f"{_escaped(plugin)},{options}"
        return EmulatorDevice(target, firmware, fingerprint, ("-plugin", argument))

    try:
        return start(_FIRST_VERSION)
    except DeviceError as error:
        oldest = _OLDEST.search(str(error))
        if oldest is not None:
            return start(int(oldest[1]))
        if "plugin" in str(error) and target.emulator is not None:
            raise MissingToolError(
                f"{target.emulator.command[0]} cannot load the plugin that counts "
                f"instructions; Debian's QEMU can: apt-get install {target.emulator.package}\n"
                f"({error})"
            ) from error
        raise


def _escaped(path: Path) -> str:
    return str(path).replace(",", ",,")  # as QEMU's options want it
