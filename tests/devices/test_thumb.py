"""Classes of Thumb instructions, judged by an assembler that knows nothing of them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from mcugrad.compilers import find_compiler
from mcugrad.image import Code
from mcugrad.profiling.counting import Block, Runs, Segment
from mcugrad.profiling.cycles import Estimate, timing_of
from mcugrad.profiling.thumb import Instruction, Kind, instructions
from mcugrad.targets import find_target, targets

#: Class, registers moved, and instructions of it.
CASES: list[tuple[Kind, int, str]] = [
    (Kind.ALU, 0, "movs r0, #1; lsls r1, r2, #3; adds r0, r1, r2; subs r0, #7; cmp r1, #0"),
    (Kind.ALU, 0, "ands r0, r1; cmp r0, r1; orrs r2, r3; mvns r0, r1; rsbs r0, r1, #0"),
    (Kind.ALU, 0, "add r8, r9; mov r8, r9; cmp r8, r9; add r0, sp, #8; add sp, #16; sub sp, #8"),
    (Kind.ALU, 0, "uxtb r0, r1; sxth r0, r1; rev r0, r1; nop; it eq; moveq r0, r1"),
    (Kind.ALU, 0, "add.w r0, r1, r2, lsl #2; movw r0, #1234; movt r0, #99; ubfx r0, r1, #3, #5"),
    (Kind.ALU, 0, "ssat r0, #8, r1; usat r0, #7, r1; sxtab16 r0, r1, r2; pkhbt r0, r1, r2"),
    (Kind.ALU, 0, "lsl.w r0, r1, r2; clz r0, r1; qadd r0, r1, r2; sadd16 r0, r1, r2; sel r0,r1,r2"),
    (Kind.ALU, 0, "dmb; mrs r0, primask; msr primask, r0; sub.w r0, r1, #4096; adr r0, 1f; 1:"),
    (Kind.MULTIPLY, 0, "muls r0, r1, r0; mul r8, r9, r10; smulbb r0, r1, r2; smuad r0, r1, r2"),
    (Kind.MULTIPLY, 0, "smulwb r0, r1, r2; smmul r0, r1, r2"),
    (Kind.MULTIPLY_ACCUMULATE, 0, "mla r0, r1, r2, r3; mls r0, r1, r2, r3; smlabb r0, r1, r2, r3"),
    (Kind.MULTIPLY_ACCUMULATE, 0, "smlad r0, r1, r2, r3; smladx r0, r1, r2, r3; smmla r0,r1,r2,r3"),
    (Kind.MULTIPLY_LONG, 0, "smull r0, r1, r2, r3; umull r0, r1, r2, r3"),
    (Kind.MULTIPLY_LONG_ACCUMULATE, 0, "smlal r0, r1, r2, r3; umlal r0, r1, r2, r3"),
    (Kind.MULTIPLY_LONG_ACCUMULATE, 0, "smlald r0, r1, r2, r3; umaal r0, r1, r2, r3"),
    (Kind.DIVIDE, 0, "sdiv r0, r1, r2; udiv r0, r1, r2"),
    (Kind.LOAD, 0, "ldr r0, [r1]; ldrb r0, [r1, #3]; ldrh r0, [r1, r2]; ldrsb r0, [r1, r2]"),
    (Kind.LOAD, 0, "ldrsh r0, [r1, r2]; ldr r0, [sp, #4]; ldr.w r0, [r1], #4; ldrsh r0, [r1, #2]!"),
    (Kind.LOAD, 0, "ldrb.w r8, [r9, #99]; ldr.w r8, [r9, r10, lsl #2]; ldrex r0, [r1]"),
    (Kind.STORE, 0, "str r0, [r1]; strb r0, [r1, #3]; strh r0, [r1, r2]; str r0, [sp, #4]"),
    (Kind.STORE, 0, "str.w r8, [r9], #4; strb.w r8, [r9, r10]; strh.w r8, [r9, #300]"),
    (Kind.LOAD_MULTIPLE, 3, "ldm r0!, {r1, r2, r3}; pop {r4, r5, r6}; pop.w {r4, r9, r10}"),
    (Kind.LOAD_MULTIPLE, 2, "ldrd r0, r1, [r2]; ldrd r0, r1, [r2], #8; ldmdb r0, {r1, r9}"),
    (Kind.STORE_MULTIPLE, 3, "stm r0!, {r1, r2, r3}; push {r4, r5, lr}; push.w {r4, r9, lr}"),
    (Kind.STORE_MULTIPLE, 2, "strd r0, r1, [r2]; strd r0, r1, [r2, #-8]!; stmdb r0!, {r1, r9}"),
    (
        Kind.BRANCH,
        0,
        "b 1f; 1: beq 1b; bne.w 1b; b.w 1b; bl 1b; bx lr; blx r3; cbz r0, 2f; nop; 2:",
    ),
    (Kind.BRANCH, 0, "mov pc, r0; bx r1"),
    (Kind.TABLE_BRANCH, 0, "tbb [r0, r1]; tbh [r0, r1, lsl #1]"),
    (
        Kind.FLOAT,
        0,
        "vadd.f32 s0, s1, s2; vsub.f32 s0, s1, s2; vmul.f32 s0, s1, s2; vneg.f32 s0,s1",
    ),
    (Kind.FLOAT, 0, "vabs.f32 s0, s1; vcmp.f32 s0, s1; vcvt.s32.f32 s0, s1; vmov.f32 s0, #1.0"),
    (Kind.FLOAT, 0, "vmov s0, r1; vmov r1, s0; vmrs apsr_nzcv, fpscr; vnmul.f32 s0, s1, s2"),
    (Kind.FLOAT_MULTIPLY_ACCUMULATE, 0, "vfma.f32 s0, s1, s2; vfms.f32 s0, s1, s2"),
    (Kind.FLOAT_MULTIPLY_ACCUMULATE, 0, "vmla.f32 s0, s1, s2; vmls.f32 s0, s1, s2"),
    (Kind.FLOAT_MULTIPLY_ACCUMULATE, 0, "vfnma.f32 s0, s1, s2; vnmla.f32 s0, s1, s2"),
    (Kind.FLOAT_DIVIDE, 0, "vdiv.f32 s0, s1, s2; vsqrt.f32 s3, s4"),
    (Kind.FLOAT_LOAD, 0, "vldr s0, [r0]; vldr s3, [r1, #-8]"),
    (Kind.FLOAT_STORE, 0, "vstr s0, [r0]; vstr s3, [sp, #8]"),
    (Kind.FLOAT_LOAD_MULTIPLE, 4, "vldmia r0!, {s0-s3}; vpop {d8, d9}; vldmdb r0!, {s4-s7}"),
    (Kind.FLOAT_STORE_MULTIPLE, 4, "vstmia r0!, {s0-s3}; vpush {d8, d9}"),
    (Kind.FLOAT_MOVE_TWO, 0, "vmov r0, r1, d3; vmov s0, s1, r2, r3"),
]


def assembled(text: str, folder: Path) -> bytes:
    """The code of a Cortex-M4 that ``text`` is."""
    compiler = find_compiler(find_target("cortex-m4"), "zig")
    source, made = folder / "code.s", folder / "code.o"
    head = ".syntax unified\n.thumb\n.text\n"
    source.write_text(head + "\n".join(text.split(";")) + "\n")
    command = [*compiler.command, *compiler.flags, "-c", str(source), "-o", str(made)]
    subprocess.run(command, check=True)
    with made.open("rb") as file:
        section = ELFFile(file).get_section_by_name(".text")
        assert section is not None
        return bytes(section.data())


def test_every_class_is_told_from_its_encoding(tmp_path: Path) -> None:
    text = ";".join(text for _, _, text in CASES)
    expected: list[tuple[str, Instruction]] = []
    for kind, registers, names in CASES:
        for name in (n.split(": ")[-1].strip() for n in names.split(";")):
            if not name.endswith(":"):
                expected.append((name, Instruction(kind, registers)))
    # CBZ must not jump to the next instruction, so a NOP stands behind it.
    expected = [(n, Instruction(Kind.ALU) if n == "nop" else i) for n, i in expected]
    code = assembled(text, tmp_path)
    found = list(instructions(memoryview(code), len(expected)))
    wrong = [(n, i, f) for (n, i), f in zip(expected, found, strict=True) if i != f]
    assert wrong == []
    assert {i.kind for i in found} == set(Kind)


def test_no_class_is_missing_in_a_table() -> None:
    tables = {t.cycles: timing_of(t) for t in targets().values() if t.cycles}
    assert tables.keys() == {"cortex-m3", "cortex-m4"}
    for name, timing in tables.items():
        assert timing is not None
        floating = {k for k in Kind if k.startswith("float")}
        assert set(Kind) - set(timing.cycles) == (floating if name == "cortex-m3" else set())


@pytest.mark.parametrize(
    ("text", "taken", "cycles"),
    [
        ("movs r0, #1; adds r0, r1, r2", 0, 2),
        ("ldr r0, [r1]; ldr r2, [r1, #4]; adds r0, r0, r2; str r0, [r1]", 0, 2 + 1 + 1 + 2),
        ("vldr s0, [r0]; vldr s1, [r1]; vfma.f32 s2, s0, s1", 0, 2 + 1 + 3),
        ("vmul.f32 s2, s0, s1; vadd.f32 s3, s3, s2", 0, 2),
        ("push {r4, r5, lr}; pop {r4, r5, pc}", 1, 4 + 4 + 2),
        ("1: subs r0, #1; bne 1b", 1, 2 + 2),
        ("1: subs r0, #1; bne 1b", 0, 2),
    ],
)
def test_cycles_follow_the_table(text: str, taken: int, cycles: int, tmp_path: Path) -> None:
    timing = timing_of(find_target("cortex-m4"))
    assert timing is not None
    code = Code({}, {}, ((0x100, assembled(text, tmp_path)),))
    block = Block(0x100, text.count(";") + 1)
    segment = Segment(0x100, {block: Runs(1, taken)})
    assert Estimate(timing, code).cycles([segment]) == cycles
