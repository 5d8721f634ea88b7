"""Targets with several memories: what goes where, what does not fit, and that it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mcugrad.cli import main
from mcugrad.errors import DoesNotFitError
from tests.cli.test_compile import answer, compile_digits, refused
from tests.devices.hand_made import require_emulator

#: What the stack leaves of the SRAM is too little for the example model.
STACK = {"stm32f405": "100K", "mps2-psram": "40K"}


def compiled(
    target: str, out: Path, capsys: pytest.CaptureFixture[str], *more: str
) -> dict[str, Any]:
    arguments = ["--update", "all", "--stack", STACK[target], "--json", *more]
    assert compile_digits(out, *arguments, target=target) == 0
    return answer(capsys)


@pytest.mark.parametrize("target", STACK)
def test_what_the_first_memory_does_not_hold_goes_to_the_next(
    target: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = compiled(target, tmp_path / "out", capsys)
    near, far = document["regions"]
    parts = ("arena", "parameters", "static", "stack")
    used = [sum(region[part] for part in parts) for region in (near, far)]
    assert near["size"] - 1024 < used[0] <= near["size"]
    assert 0 < used[1] <= far["size"]
    assert far["static"] == far["stack"] == 0
    assert sum(used) == document["sram"]["total"]
    header = (tmp_path / "out" / "model" / "model.h").read_text()
    assert f"X(1, {used[1]})" in header
    assert "MG_ARENA_BYTES" not in header  # so that one block is no mistake to make


@pytest.mark.parametrize("where", ["host", "emulator"])
@pytest.mark.parametrize("target", STACK)
def test_it_learns_in_two_memories_as_the_golden_model_does(
    target: str, where: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if where == "emulator":
        require_emulator(target)
    compiled(target, tmp_path / "out", capsys, "--precision", "int8", "--batch", "2")
    arguments = ["parity", str(tmp_path / "out"), "--on", where, "--steps", "4"]
    assert main([*arguments, "--json"]) == 0
    assert answer(capsys)["ok"]


def test_one_memory_is_used_where_it_is_enough(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compile_digits(tmp_path / "out", "--json", target="stm32f405") == 0
    sram, ccm = answer(capsys)["regions"]
    assert sram["arena"] > 0
    assert ccm["arena"] == ccm["parameters"] == 0
    assert "MG_ARENA_BYTES" in (tmp_path / "out" / "model" / "model.h").read_text()


def test_a_limit_is_spent_on_the_first_memory_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--sram", "160K", "--json", "--update", "all", "--stack", "100K"]
    assert compile_digits(tmp_path / "out", *arguments, target="stm32f405") == 0
    document = answer(capsys)
    assert [r["size"] for r in document["regions"]] == [128 << 10, 32 << 10]
    assert document["sram"]["total"] <= 160 << 10


def test_what_does_not_fit_is_said_for_each_memory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--update", "all", "--batch", "4", "--stack", "120K", "--sram", "132K"]
    assert (
        compile_digits(tmp_path / "out", *arguments, target="stm32f405")
        == DoesNotFitError.exit_code
    )
    words = ("more than the limit of 135168", "sram: ", "ccm: ", "are missing", "peak of the arena")
    refused(4, capsys, tmp_path, *words)
