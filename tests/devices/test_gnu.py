"""GNU compilers: what old ones lack is said, and what does not fit; half precision learns."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mcugrad.build import build
from mcugrad.cli import main
from mcugrad.compilers import find_compiler
from mcugrad.demo import example_model
from mcugrad.errors import DoesNotFitError, MissingToolError
from mcugrad.targets import Target, find_target
from tests.devices.hand_made import MODEL, require_emulator


def stand_in(folder: Path, version: str, macros: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A RISC-V compiler of that version."""
    tool = folder / "riscv64-unknown-elf-gcc"
    answer = f'case "$*" in *dumpversion*) echo {version} ;; *-dM*) echo "{macros}" ;; esac'
    tool.write_text(f"#!/bin/sh\n{answer}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


def installed(name: str) -> Target:
    """The target, if its compiler is there."""
    target = find_target(name)
    try:
        find_compiler(target, "gnu")
    except MissingToolError as error:
        pytest.skip(str(error))
    return target


def test_a_compiler_that_is_too_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, "13.2.0", "", monkeypatch)
    find_compiler(find_target("rv32imfc"), "gnu")
    with pytest.raises(MissingToolError, match="too old for rv32-rvv: version 14"):
        find_compiler(find_target("rv32-rvv"), "gnu")


@pytest.mark.parametrize(("macros", "half"), [("#define __FLT16_MANT_DIG__ 11", True), ("", False)])
def test_half_precision_is_asked_of_the_compiler(
    macros: str, half: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path, "12", macros, monkeypatch)
    assert find_compiler(find_target("rv32imfc"), "gnu").half == half


def test_a_compiler_without_half_precision_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bin").mkdir()
    stand_in(tmp_path / "bin", "12", "", monkeypatch)
    out = tmp_path / "out"
    words = ["--target", "rv32imfc", "--toolchain", "gnu", "--precision", "f16"]
    assert main(["compile", str(example_model()), "-o", str(out), *words]) == 5
    assert "cannot compile half precision for rv32imfc" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize("name", ["cortex-m7", "rv32imfc"])
@pytest.mark.parametrize("kind", ["flash", "sram"])
def test_what_is_missing_is_known_to_the_byte(kind: str, name: str, tmp_path: Path) -> None:
    target = installed(name)

    def built(limit: int) -> None:
        build(MODEL, target.limited(**{kind: limit}), tmp_path, toolchain="gnu")

    def missing(limit: int) -> int:
        with pytest.raises(DoesNotFitError) as caught:
            built(limit)
        assert caught.value.kind.lower() == kind
        return caught.value.excess

    need = 2000 + missing(2000)
    assert [missing(need - n) for n in (2, 1)] == [2, 1]
    built(need)


@pytest.mark.parametrize("name", ["cortex-m7", "rv32imfc"])
def test_a_limit_of_the_flash_is_enforced(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    installed(name)
    words = ["--target", name, "--toolchain", "gnu", "--flash", "20000"]
    assert main(["compile", str(example_model()), "-o", str(tmp_path / "out"), *words]) == 4
    assert re.search(
        r"needs (\d+) bytes of flash, \d+ more than the limit of 20000", capsys.readouterr().err
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.emulator
def test_half_precision_of_the_gnu_compiler(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    require_emulator("cortex-m7")
    installed("cortex-m7")
    words = ["--target", "cortex-m7", "--toolchain", "gnu", "--precision", "f16", "--update", "all"]
    assert main(["compile", str(example_model()), "-o", str(tmp_path / "out"), *words]) == 0
    assert main(["parity", str(tmp_path / "out")]) == 0
    assert "parity holds" in capsys.readouterr().out
