"""What a build leaves behind, and how it fails."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from mcugrad.build import _run, build, cache_root
from mcugrad.errors import DoesNotFitError, InternalError
from mcugrad.targets import find_target
from tests.devices.hand_made import BOARDS, MODEL, build_model


@pytest.mark.parametrize("board", BOARDS)
def test_sizes_are_those_of_the_image(board: str, tmp_path: Path) -> None:
    result = build_model(board, tmp_path)
    assert result.elf is not None
    assert result.image is not None
    assert result.sizes is not None
    sizes = result.sizes
    assert sizes.arena == 192
    assert sizes.stack == 4096 * find_target(board).cores
    assert 48 <= sizes.weights < 400
    assert 2000 < sizes.code < 20000
    assert abs(result.image.stat().st_size - sizes.flash) < 32  # padding between sections
    with result.elf.open("rb") as file:
        symbols = ELFFile(file).get_section_by_name(".symtab")
        assert isinstance(symbols, SymbolTableSection)
        assert not [s for s in symbols.iter_symbols() if s.name in ("malloc", "printf", "__errno")]


@pytest.mark.parametrize(("kind", "limit"), [("SRAM", 4500), ("flash", 3000)])
def test_a_limit_is_hard_and_leaves_nothing_behind(kind: str, limit: int, tmp_path: Path) -> None:
    sram, flash = (limit, None) if kind == "SRAM" else (None, limit)
    target = find_target("cortex-m4")
    with pytest.raises(DoesNotFitError) as caught:
        build(MODEL, target.limited(sram, flash), tmp_path)
    assert caught.value.kind == kind
    assert list(tmp_path.iterdir()) == []
    fits = limit + caught.value.excess + 64
    sram, flash = (fits, None) if kind == "SRAM" else (None, fits)
    assert build(MODEL, target.limited(sram, flash), tmp_path).elf is not None


def test_the_stack_s_reserve_counts(tmp_path: Path) -> None:
    with pytest.raises(DoesNotFitError, match="SRAM"):
        build(MODEL, find_target("stm32f405"), tmp_path, stack_bytes=128 * 1024)


def test_c_that_does_not_compile_is_our_error_and_keeps_the_old_firmware(tmp_path: Path) -> None:
    out = tmp_path / "out"
    before = build_model("cortex-m4", out).elf
    assert before is not None
    content = before.read_bytes()
    broken = tmp_path / "broken"
    shutil.copytree(MODEL, broken)
    (broken / "model.c").write_text("this is not C\n")
    with pytest.raises(InternalError, match="not C"):
        build(broken, find_target("cortex-m4"), out)
    assert before.read_bytes() == content
    assert sorted(p.name for p in out.iterdir()) == ["firmware.bin", "firmware.elf"]


def test_tools_speak_the_language_in_which_they_are_understood(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    with pytest.raises(InternalError, match="says C"):
        _run(find_target("cortex-m4"), ["sh", "-c", "echo says $LC_ALL; exit 1"])


def test_builds_at_once_with_a_cold_cache_do_not_meet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_model("rv32imfc", tmp_path / "warm")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "zig").symlink_to(cache_root() / "zig")  # what zig compiled, it keeps
    monkeypatch.setattr("mcugrad.build.cache_root", lambda: tmp_path / "cache")
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda n: build_model("rv32imfc", tmp_path / n), ("a", "b")))
    first, second = (r.image for r in results)
    assert first is not None
    assert second is not None
    assert first.read_bytes() == second.read_bytes()
    runtime = list((tmp_path / "cache" / "runtime").iterdir())
    assert len(runtime) == 1


def test_the_same_source_gives_the_same_bytes(tmp_path: Path) -> None:
    images = []
    for name in ("one", "other/folder"):
        image = build_model("cortex-m33", tmp_path / name).image
        assert image is not None
        images.append(image.read_bytes())
    assert images[0] == images[1]
