"""What a linked firmware holds: how many bytes of what, and its content as a flash image."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile


@dataclass(frozen=True)
class Sizes:
    """Bytes of each part of a firmware."""

    code: int
    weights: int  # the model's constants
    constants: int  # of the runtime and the firmware
    data: int  # initial values in flash, the variables in SRAM
    bss: int
    arena: int
    stack: int

    @property
    def flash(self) -> int:
        """Bytes in flash."""
        return self.code + self.weights + self.constants + self.data

    @property
    def static(self) -> int:
        """Bytes of static data in SRAM, the arena apart."""
        return self.data + self.bss

    @property
    def sram(self) -> int:
        """Bytes in SRAM, the stack's reserve included."""
        return self.static + self.arena + self.stack


_PARTS = {
    "code": ".text",
    "weights": ".mg_model",
    "constants": ".rodata",
    "data": ".data",
    "bss": ".bss",
    "stack": ".mg_stack",
}


def read_sizes(path: Path) -> Sizes:
    """The sizes of the sections of the firmware at ``path``."""
    with path.open("rb") as file:
        sections = {s.name: int(s["sh_size"]) for s in ELFFile(file).iter_sections()}
    arena = sum(size for name, size in sections.items() if name.startswith(".mg_arena"))
    return Sizes(arena=arena, **{part: sections.get(name, 0) for part, name in _PARTS.items()})


def flash_image(path: Path) -> bytes:
    """The bytes to program into flash, from the lowest load address on; gaps are 0xFF."""
    with path.open("rb") as file:
        parts = [
            (int(s["p_paddr"]), bytes(s.data()))
            for s in ELFFile(file).iter_segments("PT_LOAD")
            if s["p_filesz"] > 0
        ]
    start = min(address for address, _ in parts)
    image = bytearray()
    for address, content in sorted(parts):
        image += b"\xff" * (address - start - len(image)) + content
    return bytes(image)
