"""What a linked firmware holds: sizes, its content as a flash image, functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection


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


@dataclass(frozen=True)
class Code:
    """The functions of a firmware, as ranges of addresses, and its content.

    ``functions`` are those with external linkage; ``local`` the others by their source file.
    """

    functions: Mapping[str, range]
    local: Mapping[str, tuple[range, ...]]
    segments: tuple[tuple[int, bytes], ...]

    def at(self, address: int) -> memoryview:
        """The content from ``address`` to the end of its segment.

        Raises:
            KeyError: there is none.
        """
        for start, content in self.segments:
            if start <= address < start + len(content):
                return memoryview(content)[address - start :]
        raise KeyError(address)


def read_code(path: Path) -> Code:
    """The code of the firmware at ``path``."""
    functions: dict[str, range] = {}
    local: dict[str, tuple[range, ...]] = {}
    source = ""
    with path.open("rb") as file:
        elf = ELFFile(file)
        table = elf.get_section_by_name(".symtab")
        for symbol in table.iter_symbols() if isinstance(table, SymbolTableSection) else ():
            kind = symbol["st_info"]["type"]
            if kind == "STT_FILE":
                source = symbol.name
            elif kind == "STT_FUNC":
                start = symbol["st_value"] & ~1  # without the bit that says Thumb
                where = range(start, start + symbol["st_size"])
                if symbol["st_info"]["bind"] == "STB_LOCAL":
                    local[source] = (*local.get(source, ()), where)
                else:
                    functions[symbol.name] = where
        segments = tuple((int(s["p_vaddr"]), bytes(s.data())) for s in elf.iter_segments("PT_LOAD"))
    return Code(functions, local, segments)
