"""``mcugrad demo``: the device learns the new situation, and says what it took."""

from __future__ import annotations

import builtins
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from mcugrad.cli import main
from mcugrad.data import load_data
from mcugrad.manifest import Manifest

pytest.importorskip("sklearn", reason="scikit-learn, which brings the digits, is not installed")


def run(capsys: pytest.CaptureFixture[str], *options: str) -> Any:
    """The demo's answer with ``--json``."""
    assert main(["demo", "--json", "--quiet", *options]) == 0
    return json.loads(capsys.readouterr().out)


def check_learned(answer: Any, steps: int) -> None:
    assert answer["accuracy_before"] < 0.2
    assert answer["accuracy_after"] > 0.7
    assert answer["upright_before"] > 0.95
    assert answer["tested"] >= 500
    assert (answer["steps"], answer["refused_steps"]) == (steps, 0)
    assert answer["parity"]["ok"]
    assert answer["parity"]["worst"]["error"] <= answer["parity"]["worst"]["bound"]
    assert answer["sram"]["total"] <= 256 * 1024


def test_learns_on_the_host(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "kept"
    answer = run(capsys, "--on", "host", "--samples", "300", "--epochs", "1", "--keep", str(folder))
    check_learned(answer, steps=300)
    assert answer["infer"]["instructions"] is None  # the host does not count
    manifest = Manifest.read(folder)
    assert manifest.target == "cortex-m4"
    upright, turned = (load_data(folder / f"{n}.npz", manifest) for n in ("upright", "turned"))
    assert len(turned.train) == 300
    assert (turned.measured.x[:, 0, ::-1].swapaxes(1, 2) == upright.measured.x[:, 0]).all()
    assert (turned.measured.y == upright.measured.y).all()


def test_the_same_seed_gives_the_same_answer(capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--on", "host", "--target", "host", "--samples", "100", "--epochs", "2")
    first = run(capsys, *options, "--seed", "7")
    assert run(capsys, *options, "--seed", "7") == first
    assert run(capsys, *options, "--seed", "8")["loss"] != first["loss"]


@pytest.mark.emulator
@pytest.mark.skipif(not shutil.which("qemu-system-arm"), reason="QEMU for Arm is not installed")
def test_learns_in_the_emulator(capsys: pytest.CaptureFixture[str]) -> None:
    answer = run(capsys, "--samples", "300", "--epochs", "1")
    check_learned(answer, steps=300)
    assert answer["target"] == "cortex-m4"
    assert 0 < answer["infer"]["instructions"] < answer["step"]["instructions"]
    assert 0 < answer["sram"]["stack_used"] < answer["sram"]["stack"]


def test_says_how_to_get_the_digits(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    find = builtins.__import__

    def without_sklearn(name: str, *rest: Any) -> Any:
        if name.startswith("sklearn"):
            raise ImportError(name)
        return find(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_sklearn)
    assert main(["demo", "--on", "host"]) == 5
    assert 'pip install "mcugrad[demo]"' in capsys.readouterr().err


def test_says_how_to_get_the_emulator(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    assert main(["demo"]) == 5
    assert "apt-get install qemu-system-arm" in capsys.readouterr().err
