"""``mcugrad compile --update auto``: the scheme it finds, and what it refuses."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mcugrad.cli import main
from mcugrad.manifest import Manifest
from mcugrad.search import auto
from mcugrad.targets import Target
from tests.cli.test_compile import DIGITS, answer, refused
from tests.devices.hand_made import require_emulator

LIMIT = "40K"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Images of three classes: which third is bright."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 30)
    x = rng.uniform(0, 0.3, (30, 8, 8, 1)).astype(np.float32)
    for image, label in zip(x, y, strict=True):
        image[:, label * 3 : label * 3 + 2] += 0.7
    path = tmp_path_factory.mktemp("data") / "data.npz"
    np.savez(path, x=x, y=y)
    return str(path)


def search(out: Path, *more: str, target: str = "cortex-m4") -> int:
    arguments = ["--target", target, "--update", "auto", "--classes", "3", "-o", str(out)]
    return main(["compile", str(DIGITS), *arguments, *more])


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory, data: str) -> Path:
    """The scheme for 40 KB."""
    out = tmp_path_factory.mktemp("auto") / "out"
    assert search(out, "--sram", LIMIT, "--data", data, "--precision", "int8") == 0
    return out


def test_the_result_fits_and_says_what_it_gains(found: Path) -> None:
    manifest = Manifest.read(found)
    assert manifest.update == "auto"
    assert manifest.sram["total"] <= 40 * 1024
    text = (found / "scheme.toml").read_text()
    entries = tomllib.loads(text)["update"]
    assert set(entries) == set(manifest.learning)
    assert f"It takes {manifest.sram['total']} bytes of SRAM" in text
    assert all("gain" in line for line in text.splitlines() if line.startswith('"'))


def test_half_precision_is_searched_too(data: str, tmp_path: Path) -> None:
    more = ("--sram", LIMIT, "--data", data)
    assert search(tmp_path / "half", *more, "--precision", "f16") == 0
    assert search(tmp_path / "single", *more) == 0
    half, single = (Manifest.read(tmp_path / n) for n in ("half", "single"))
    assert half.sram["total"] <= 40 * 1024
    assert "mg_sgd_f16_step" in {call.symbol for call in half.calls}

    def size(manifest: Manifest) -> int:
        """Elements that learn."""
        tensors = {t.name: t for t in manifest.tensors}
        known = (tensors.get(n) or tensors[f"{n}/learning"] for n in manifest.learning)
        return sum(int(np.prod(t.shape)) for t in known)

    assert size(half) > size(single)


def test_in_two_memories_it_learns_as_the_golden_model_does(
    data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The stack leaves too little of the first memory for what is found."""
    require_emulator("stm32f405")
    out = tmp_path / "out"
    limit = (128 + 12) << 10
    more = ["--data", data, "--sram", str(limit), "--stack", "112K", "--precision", "int8"]
    assert search(out, *more, target="stm32f405") == 0
    _, ccm = Manifest.read(out).regions
    assert ccm.arena + ccm.parameters > 0
    assert Manifest.read(out).sram["total"] <= limit
    assert len(Manifest.read(out).learning) > 2
    capsys.readouterr()
    assert main(["parity", str(out), "--on", "emulator", "--steps", "3", "--json"]) == 0
    assert answer(capsys)["ok"]


def test_it_takes_what_is_left(found: Path) -> None:
    """More than the head learns: there is room for it."""
    assert len(Manifest.read(found).learning) > 2


def test_the_scheme_file_can_be_used_again(
    found: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--target", "cortex-m4", "--classes", "3", "--precision", "int8"]
    scheme = str(found / "scheme.toml")
    out = str(tmp_path / "out")
    assert main(["compile", str(DIGITS), *arguments, "--update", scheme, "-o", out]) == 0
    assert Manifest.read(tmp_path / "out").learning == Manifest.read(found).learning


def test_the_same_data_and_seed_give_the_same_file(found: Path, data: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert search(out, "--sram", LIMIT, "--data", data, "--precision", "int8") == 0
    assert (out / "scheme.toml").read_bytes() == (found / "scheme.toml").read_bytes()
    assert (out / "model" / "model.c").read_bytes() == (found / "model" / "model.c").read_bytes()


def test_json_and_a_limit_of_instructions(
    data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def document(*more: str) -> dict[str, Any]:
        capsys.readouterr()
        arguments = ["--sram", "1M", "--data", data, "--json", *more]
        assert search(tmp_path / "out", *arguments, target="host") == 0
        return answer(capsys)

    free = document()
    rows = free["search"]["table"]
    assert [r["limit"] for r in rows] == sorted(r["limit"] for r in rows)
    assert all(r["sram"] <= r["limit"] for r in rows)
    assert [r["gain"] for r in rows] == sorted(r["gain"] for r in rows)
    assert free["search"]["gain"] == pytest.approx(100)  # everything fits
    limit = round(0.9 * free["search"]["instructions"])
    bound = document("--instructions", str(limit))
    assert bound["search"]["instructions"] <= limit
    assert bound["search"]["gain"] < free["search"]["gain"]


def test_accuracy_analysis(
    data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mcugrad.search.analysis.TUNING_STEPS", 10)
    monkeypatch.setattr("mcugrad.search.analysis.HEAD_STEPS", 30)
    arguments = ["--sram", LIMIT, "--data", data, "--analysis", "accuracy", "--json"]
    assert search(tmp_path / "out", *arguments) == 0
    document = answer(capsys)
    assert document["search"]["unit"] == "percentage points of accuracy"
    assert document["sram"]["total"] <= 40 * 1024


def test_an_unreachable_budget(
    data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert search(tmp_path / "out", "--sram", "6K", "--data", data) == 4
    message = refused(4, capsys, tmp_path, "the head alone", "more than", "6144", "step")
    assert "Traceback" not in message
    assert message.count("\n") == 1
    arguments = ["--sram", "132K", "--stack", "126K", "--data", data]
    assert search(tmp_path / "out", *arguments, target="stm32f405") == 4  # in two memories
    refused(4, capsys, tmp_path, "the head alone", "more than the limit of 135168", "step")
    arguments = ["--sram", "1M", "--data", data, "--instructions", "1000"]
    assert search(tmp_path / "out", *arguments) == 4
    refused(4, capsys, tmp_path, "the head alone", "instructions a step", "1000")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--sram", "40K"], ["--data"]),
        (["--data", "{data}"], ["--sram"]),
        (["--sram", "40K", "--data", "none.npz"], ["none.npz"]),
        (["--update", "head", "--data", "{data}"], ["--data", "--update auto"]),
        (["--update", "head", "--instructions", "5"], ["--instructions", "--update auto"]),
        (["--update", "head", "--analysis", "fisher"], ["--analysis", "--update auto"]),
    ],
)
def test_arguments_that_do_not_go_together(
    more: list[str], words: list[str], data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert search(tmp_path / "out", *(m.format(data=data) for m in more)) == 2
    assert refused(2, capsys, tmp_path, *words).count("\n") == 1


X = np.random.default_rng(0).uniform(0, 1, (6, 8, 8, 1)).astype(np.float32)
Y = np.arange(6) % 3


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"x": X[:0], "y": Y[:0]}, ["empty"]),
        ({"x": X[:, :7], "y": Y}, ["shape (7, 8, 1)", "(8, 8, 1)"]),
        ({"x": np.where(X > 0.9, np.nan, X), "y": Y}, ["not finite", "sample"]),
        ({"x": X.astype(np.uint8), "y": Y}, ["uint8", "int8"]),
        ({"x": X, "y": Y + 1}, ["class 3", "classes 0 to 2"]),
        ({"x": X, "y": Y.astype(np.float32)}, ["whole number"]),
        ({"x": X}, ["'y'"]),
    ],
)
def test_bad_data(
    arrays: dict[str, np.ndarray],
    words: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    np.savez(tmp_path / "bad.npz", allow_pickle=True, **arrays)
    path = str(tmp_path / "bad.npz")
    assert search(tmp_path / "out", "--sram", "1M", "--data", path, "-q", target="host") == 2
    assert refused(2, capsys, tmp_path, "bad.npz", *words).count("\n") == 1


def test_a_linker_that_disagrees_is_believed(
    data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Static data that were underrated: the search goes on with less."""
    memories = auto._Memories

    def underrating(target: Target, stack: int, static: int) -> object:
        return memories(target, stack, static - 600)

    monkeypatch.setattr(auto, "_Memories", underrating)
    assert search(tmp_path / "out", "--sram", LIMIT, "--data", data) == 0
    assert Manifest.read(tmp_path / "out").sram["total"] <= 40 * 1024


def test_samples_of_some_classes_are_warned_of(
    data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with np.load(data) as arrays:
        one = arrays["y"] == arrays["y"][0]
        np.savez(tmp_path / "one.npz", x=arrays["x"][one], y=arrays["y"][one])
    assert search(tmp_path / "out", "--sram", LIMIT, "--data", str(tmp_path / "one.npz")) == 0
    assert "1 of 3 classes" in capsys.readouterr().err
