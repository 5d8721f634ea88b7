"""``mcugrad train``, ``eval`` and ``parity`` on the host, and data that cannot be used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mcugrad.cli import main
from mcugrad.cli.console import Console
from mcugrad.cli.remarks import warn_of_stack
from mcugrad.devices.base import Statistics
from mcugrad.devices.host import HostDevice
from mcugrad.manifest import VERSION, Manifest
from tests.cli.test_compile import DIGITS, answer


@pytest.mark.parametrize(("used", "warned"), [(4096, True), (4092, False), (None, False)])
def test_a_stack_that_is_used_up(
    used: int | None, warned: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    warn_of_stack(Console(), Statistics(stack_bytes=4096, stack_used=used))
    assert ("larger --stack" in capsys.readouterr().err) == warned


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The digits model with a fresh head of three classes."""
    out = tmp_path_factory.mktemp("digits") / "out"
    arguments = ["--target", "host", "--classes", "3", "--update", "last:2", "--seed", "3"]
    assert main(["compile", str(DIGITS), "-o", str(out), *arguments]) == 0
    return out


def separable(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Images whose class is the third that is bright."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, count)
    x = rng.uniform(0, 0.3, (count, 8, 8, 1))
    for image, label in zip(x, y, strict=True):
        image[:, label * 3 : label * 3 + 2] += 0.7
    return x.astype(np.float32), y


def save(folder: Path, **arrays: np.ndarray) -> str:
    np.savez(folder / "data.npz", allow_pickle=True, **arrays)
    return str(folder / "data.npz")


def test_it_learns(compiled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (x, y), (x_test, y_test) = separable(120, 0), separable(90, 1)
    data = save(tmp_path, x=x, y=y, x_test=x_test, y_test=y_test)
    capsys.readouterr()
    arguments = ["--data", data, "--epochs", "3", "--lr", "0.02", "--json"]
    assert main(["train", str(compiled), *arguments]) == 0
    document = answer(capsys)
    assert document["steps"] == 360
    assert document["accuracy_before"] < 0.7
    assert document["accuracy_after"] > 0.95
    assert document["measured_on"] == "x_test"
    assert document["refused_steps"] == 0


def test_the_rate_is_set_on_the_device(
    compiled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    x, y = separable(30, 0)
    data = save(tmp_path, x=x, y=y)
    capsys.readouterr()
    assert main(["train", str(compiled), "--data", data, "--lr", "0", "--json"]) == 0
    document = answer(capsys)
    assert document["accuracy_before"] == document["accuracy_after"]
    assert document["measured_on"] == "x"


def test_the_rate_falls_along_a_cosine_and_is_restored(
    compiled: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    x, y = separable(50, 0)
    rates: list[float] = []
    write = HostDevice.write_tensor

    def watched(device: HostDevice, tensor: int, content: bytes) -> None:
        rates.append(float(np.frombuffer(content, np.float32)[0]))
        write(device, tensor, content)

    monkeypatch.setattr(HostDevice, "write_tensor", watched)
    arguments = ["--data", save(tmp_path, x=x, y=y), "--epochs", "4", "--lr", "0.02"]
    assert main(["train", str(compiled), *arguments, "--schedule", "cosine"]) == 0
    start, *during, after = rates
    assert len(during) == 100
    assert start == during[0] == after == pytest.approx(0.02)
    assert during[50] == pytest.approx(0.01)
    assert 0 < during[-1] < 1e-5
    assert during == sorted(during, reverse=True)


def test_momentum_needs_memory(
    compiled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = save(tmp_path, x=X, y=Y)
    assert main(["train", str(compiled), "--data", data, "--momentum", "0"]) == 0
    capsys.readouterr()
    assert main(["train", str(compiled), "--data", data, "--momentum", "0.9"]) == 2
    assert "compiled without momentum" in capsys.readouterr().err
    out = str(tmp_path / "out")
    assert main(["compile", str(DIGITS), "--target", "host", "--momentum", "0.5", "-o", out]) == 0
    assert main(["train", out, "--data", data, "--momentum", "0.9"]) == 0


def test_eval(compiled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    x, y = separable(30, 0)
    data = save(tmp_path, x=x, y=y)
    capsys.readouterr()
    assert main(["eval", str(compiled), "--data", data, "--json"]) == 0
    document = answer(capsys)
    assert 0 <= document["accuracy"] <= 1
    assert document["samples"] == 30


def test_what_was_learned_is_saved_and_loaded(
    compiled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (x, y), (x_test, y_test) = separable(120, 0), separable(90, 1)
    data = save(tmp_path, x=x, y=y, x_test=x_test, y_test=y_test)
    weights = str(tmp_path / "w.npz")
    capsys.readouterr()
    train = ["train", str(compiled), "--data", data, "--lr", "0.02", "--json"]
    assert main([*train, "--epochs", "3", "--save", weights]) == 0
    learned = answer(capsys)["accuracy_after"]
    assert main(["eval", str(compiled), "--data", data, "--weights", weights, "--json"]) == 0
    assert answer(capsys)["accuracy"] == learned
    assert main([*train, "--weights", weights]) == 0
    assert answer(capsys)["accuracy_before"] == learned
    other = tmp_path / "other"
    assert main(["compile", str(DIGITS), "--target", "host", "-o", str(other)]) == 0
    capsys.readouterr()
    assert main(["eval", str(other), "--data", data, "--weights", weights]) == 2
    (tmp_path / "w.npz").write_bytes(b"PK")
    assert main(["eval", str(compiled), "--data", data, "--weights", weights]) == 2
    assert "saved weights" in capsys.readouterr().err


def test_a_model_that_does_not_learn_is_not_trained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    arguments = ["--target", "host", "--update", "none"]
    assert main(["compile", str(DIGITS), "-o", str(out), *arguments]) == 0
    x, y = separable(6, 0)
    capsys.readouterr()
    assert main(["train", str(out), "--data", save(tmp_path, x=x, y=y)]) == 2
    assert "nothing learns" in capsys.readouterr().err


def test_parity_holds(compiled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["parity", str(compiled), "--steps", "5", "--json"]) == 0
    document = answer(capsys)
    assert document["ok"]
    assert document["steps"] == 5
    assert document["worst"]["error"] <= document["worst"]["bound"] == 1e-5


def test_parity_finds_weights_that_are_not_the_models(
    compiled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The C of one model beside the golden graph of another: seeds differ."""
    other = tmp_path / "other"
    arguments = ["--target", "host", "--classes", "3", "--update", "last:2", "--seed", "4"]
    assert main(["compile", str(DIGITS), "-o", str(other), *arguments]) == 0
    for path in (compiled / "graph").iterdir():
        (other / "graph" / path.name).write_bytes(path.read_bytes())
    capsys.readouterr()
    assert main(["parity", str(other), "--json"]) == 1
    assert not answer(capsys)["ok"]


X, Y = separable(6, 0)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"x": X}, ["'y'"]),
        ({"x": X[:0], "y": Y[:0]}, ["empty"]),
        ({"x": X, "y": Y[:5]}, ["6 samples"]),
        ({"x": X[:, :7], "y": Y}, ["shape (7, 8, 1)", "(8, 8, 1)"]),
        ({"x": np.where(X > 0.9, np.nan, X), "y": Y}, ["not finite", "sample"]),
        ({"x": np.where(X > 0.9, 1e300, X.astype(float)), "y": Y}, ["not finite", "float32"]),
        ({"x": X.astype(np.uint8), "y": Y}, ["uint8", "int8"]),
        ({"x": X.astype(str), "y": Y}, ["<U"]),
        ({"x": X, "y": Y + 2}, ["classes 0 to 2"]),
        ({"x": X, "y": Y - 1}, ["class -1"]),
        ({"x": X, "y": Y.astype(np.float32)}, ["whole number"]),
        ({"x": X, "y": Y, "x_test": X}, ["both x_test and y_test"]),
        ({"x": np.array([{"a": 1}] * 6, object), "y": Y}, ["plain arrays"]),
    ],
)
def test_bad_data(
    arrays: dict[str, np.ndarray],
    words: list[str],
    compiled: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    data = save(tmp_path, **arrays)
    capsys.readouterr()
    assert main(["train", str(compiled), "--data", data]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.strip().splitlines()) == 1
    for word in ("data.npz", *words):
        assert word in captured.err


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 nonsense", b"x" * 100])
def test_a_file_that_is_no_npz(
    content: bytes, compiled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "data.npz"
    path.write_bytes(content)
    assert main(["train", str(compiled), "--data", str(path)]) == 2
    assert "cannot read" in capsys.readouterr().err


@pytest.mark.parametrize("damage", ["missing", "garbage", "empty", "old"])
def test_a_folder_that_is_not_a_compiled_model(
    damage: str, compiled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (compiled / "manifest.json").read_text()
    damaged = {
        "garbage": text[: len(text) // 2],
        "empty": "{}",
        "old": text.replace(f'"version": {VERSION}', '"version": 0'),
    }
    if damage != "missing":
        (tmp_path / "manifest.json").write_text(damaged[damage])
    assert main(["parity", str(tmp_path)]) == 2
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    assert captured.err.startswith("mcugrad: error: ")


def test_the_manifest_round_trips(compiled: Path, tmp_path: Path) -> None:
    manifest = Manifest.read(compiled)
    manifest.write(tmp_path)
    assert Manifest.read(tmp_path) == manifest
    assert manifest.classes == 3
