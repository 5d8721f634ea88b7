"""Classes of Thumb instructions, as timing tables of Cortex-M tell them apart.

The encodings are those of the Armv7-M Architecture Reference Manual (DDI 0403), chapter A5.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What an instruction does, as far as its time depends on it."""

    ALU = "alu"
    MULTIPLY = "multiply"
    MULTIPLY_ACCUMULATE = "multiply_accumulate"
    MULTIPLY_LONG = "multiply_long"
    MULTIPLY_LONG_ACCUMULATE = "multiply_long_accumulate"
    DIVIDE = "divide"
    LOAD = "load"
    STORE = "store"
    LOAD_MULTIPLE = "load_multiple"
    STORE_MULTIPLE = "store_multiple"
    BRANCH = "branch"
    TABLE_BRANCH = "table_branch"
    FLOAT = "float"
    FLOAT_MULTIPLY_ACCUMULATE = "float_multiply_accumulate"
    FLOAT_DIVIDE = "float_divide"
    FLOAT_LOAD = "float_load"
    FLOAT_STORE = "float_store"
    FLOAT_LOAD_MULTIPLE = "float_load_multiple"
    FLOAT_STORE_MULTIPLE = "float_store_multiple"
    FLOAT_MOVE_TWO = "float_move_two"


@dataclass(frozen=True)
class Instruction:
    """A class, and how many registers an instruction for several of them moves."""

    kind: Kind
    registers: int = 0


def instructions(code: memoryview, count: int) -> Iterator[Instruction]:
    """The first ``count`` instructions of ``code``."""
    at = 0
    for _ in range(count):
        first = int.from_bytes(code[at : at + 2], "little")
        if first >> 11 < 0b11101:
            yield _narrow(first)
            at += 2
        else:
            yield _wide(first, int.from_bytes(code[at + 2 : at + 4], "little"))
            at += 4


def _narrow(code: int) -> Instruction:
    """A 16-bit instruction (A5.2)."""
    group = code >> 12
    if group < 4:
        return Instruction(Kind.ALU)
    if group == 4:
        if code & 0x0800:
            return Instruction(Kind.LOAD)  # of a literal
        if code & 0x0400:
            to_pc = code & 0x0300 in (0x0000, 0x0200) and code & 0x87 == 0x87
            return Instruction(Kind.BRANCH if code & 0x0300 == 0x0300 or to_pc else Kind.ALU)
        return Instruction(Kind.MULTIPLY if code & 0x03C0 == 0x0340 else Kind.ALU)
    if group == 5:
        return Instruction(Kind.LOAD if code >> 9 & 7 > 2 else Kind.STORE)
    if group < 10:
        return Instruction(Kind.LOAD if code & 0x0800 else Kind.STORE)
    if group == 10:
        return Instruction(Kind.ALU)  # an address
    if group == 11:
        if code & 0x0600 == 0x0400:
            moved = (code & 0x1FF).bit_count()
            return Instruction(Kind.LOAD_MULTIPLE if code & 0x0800 else Kind.STORE_MULTIPLE, moved)
        return Instruction(Kind.BRANCH if code & 0x0500 == 0x0100 else Kind.ALU)  # CBZ, CBNZ
    if group == 12:
        moved = (code & 0xFF).bit_count()
        return Instruction(Kind.LOAD_MULTIPLE if code & 0x0800 else Kind.STORE_MULTIPLE, moved)
    return Instruction(Kind.BRANCH)


def _wide(first: int, second: int) -> Instruction:
    """A 32-bit instruction (A5.3)."""
    op1, op2 = first >> 11 & 3, first >> 4 & 0x7F
    if op2 & 0x40 and op1 != 2:
        return _float(first, second)
    if op1 == 1:
        if op2 & 0x20:
            return Instruction(Kind.ALU)
        load = bool(first & 0x10)
        if not op2 & 0x04:
            moved = second.bit_count()
            return Instruction(Kind.LOAD_MULTIPLE if load else Kind.STORE_MULTIPLE, moved)
        if first & 0xFFF0 == 0xE8D0 and second & 0xFFE0 == 0xF000:
            return Instruction(Kind.TABLE_BRANCH)
        if first & 0x0120 == 0:  # exclusive
            return Instruction(Kind.LOAD if load else Kind.STORE)
        return Instruction(Kind.LOAD_MULTIPLE if load else Kind.STORE_MULTIPLE, 2)
    if op1 == 2:
        control = second & 0x5000 == 0 and op2 & 0x38 == 0x38
        return Instruction(Kind.BRANCH if second & 0x8000 and not control else Kind.ALU)
    if op2 & 0x71 == 0:
        return Instruction(Kind.STORE)
    if op2 & 0x60 == 0:
        return Instruction(Kind.LOAD)
    if op2 & 0x70 == 0x20:
        return Instruction(Kind.ALU)
    if op2 & 0x08 == 0:
        plain = second >> 12 == 0xF
        return Instruction(Kind.MULTIPLY if plain else Kind.MULTIPLY_ACCUMULATE)
    if op2 in (0x39, 0x3B):
        return Instruction(Kind.DIVIDE)
    return Instruction(Kind.MULTIPLY_LONG_ACCUMULATE if op2 & 4 else Kind.MULTIPLY_LONG)


def _float(first: int, second: int) -> Instruction:
    """An instruction of the floating-point extension (A5.3.18 and A6)."""
    if first & 0x0200:
        if second & 0x10 or first & 0x1000:
            return Instruction(Kind.FLOAT)  # a move of one register, VSEL, VMAXNM
        operation = first >> 4 & 0xB
        if operation in (0, 1, 9, 10):
            return Instruction(Kind.FLOAT_MULTIPLY_ACCUMULATE)
        root = operation == 11 and first & 0xF == 1 and second & 0xC0 == 0xC0
        return Instruction(Kind.FLOAT_DIVIDE if operation == 8 or root else Kind.FLOAT)
    if first & 0xFFE0 == 0xEC40:
        return Instruction(Kind.FLOAT_MOVE_TWO)
    load = bool(first & 0x10)
    if first & 0x0120 == 0x0100:
        return Instruction(Kind.FLOAT_LOAD if load else Kind.FLOAT_STORE)
    kind = Kind.FLOAT_LOAD_MULTIPLE if load else Kind.FLOAT_STORE_MULTIPLE
    return Instruction(kind, second & 0xFF)
