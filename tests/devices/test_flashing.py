"""Programming a board: the tool is a stand-in, for want of a board."""

from __future__ import annotations

from pathlib import Path

import pytest

from mcugrad.devices.flashing import flash
from mcugrad.errors import DeviceError, MissingToolError, UsageError
from mcugrad.targets import find_target


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "firmware.bin"
    path.write_bytes(b"image")
    return path


def stand_in(folder: Path, body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = folder / "st-flash"
    tool.write_text(f"#!/bin/sh\n{body}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_the_tool_gets_the_image(image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(image.parent, 'echo "$@"', monkeypatch)
    assert flash(find_target("stm32f405"), image) == f"--reset write {image} 0x08000000"


def test_a_tool_that_fails_is_quoted(image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(image.parent, "echo no probe >&2; exit 1", monkeypatch)
    with pytest.raises(DeviceError, match="no probe"):
        flash(find_target("stm32f405"), image)


def test_a_missing_tool_is_named(image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(image.parent))
    with pytest.raises(MissingToolError, match="apt-get install stlink-tools"):
        flash(find_target("stm32f405"), image)


def test_only_boards_are_flashed(image: Path) -> None:
    with pytest.raises(UsageError, match="cortex-m4"):
        flash(find_target("cortex-m4"), image)
    with pytest.raises(UsageError, match="there is no firmware"):
        flash(find_target("stm32f405"), image.parent / "absent.bin")
