"""``mcugrad compile`` and what it answers to things that cannot be done."""

from __future__ import annotations

import json
import re
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mcugrad.cli import main
from mcugrad.resources import data_root

DIGITS = data_root() / "examples" / "digits" / "digits_int8.tflite"


def compile_digits(out: Path, *more: str, target: str = "host") -> int:
    return main(["compile", str(DIGITS), "--target", target, "-o", str(out), *more])


def answer(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def refused(code: int, capsys: pytest.CaptureFixture[str], folder: Path, *words: str) -> str:
    """That the last command ended with one message holding ``words`` and left nothing behind."""
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("mcugrad: error: ")
    assert "Traceback" not in captured.err
    for word in words:
        assert word in captured.err
    assert [p.name for p in folder.iterdir() if p.name.startswith((".", "out"))] == []
    return captured.err


def test_compiles_for_the_host(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compile_digits(tmp_path / "out", "--update", "last:2", "--json") == 0
    document = answer(capsys)
    assert document["sram"]["arena"] >= document["sram"]["lower_bound"] > 0
    assert document["sram"]["total"] >= document["sram"]["arena"] + document["sram"]["parameters"]
    assert document["flash"]["weights"] > 0
    names = {p.name for p in (tmp_path / "out").iterdir()}
    assert {"manifest.json", "model", "graph", "libmodel.so"} <= names
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_compiling_again_replaces_the_folder(tmp_path: Path) -> None:
    assert compile_digits(tmp_path / "out") == 0
    first = (tmp_path / "out" / "model" / "model.c").read_bytes()
    assert compile_digits(tmp_path / "out", "--update", "all") == 0
    assert (tmp_path / "out" / "model" / "model.c").read_bytes() != first
    assert compile_digits(tmp_path / "out") == 0
    assert (tmp_path / "out" / "model" / "model.c").read_bytes() == first


def test_compiling_again_keeps_files_of_others(tmp_path: Path) -> None:
    assert compile_digits(tmp_path / "out") == 0
    (tmp_path / "out" / "notes.txt").write_text("mine")
    assert compile_digits(tmp_path / "out", "--update", "all") == 0
    assert (tmp_path / "out" / "notes.txt").read_text() == "mine"


def test_a_folder_of_something_else_is_not_touched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    assert compile_digits(tmp_path / "mine") == 2
    refused(2, capsys, tmp_path, "is not a compiled model")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"


@pytest.mark.parametrize("name", ["a;b", "a\\b"])
def test_a_folder_that_cmake_cannot_take_is_an_error(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compile_digits(tmp_path / name / "result") == 2
    refused(2, capsys, tmp_path, "choose another folder")


def test_a_folder_that_cannot_be_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("not a folder")
    assert compile_digits(tmp_path / "file" / "below") == 2
    refused(2, capsys, tmp_path, "file")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signals_end_it_tidily(number: signal.Signals) -> None:
    """As an exception, so that emulators are stopped, unless the signal was ignored before."""
    code = f"""
import signal
from mcugrad.cli import _end_tidily
{{ignored}}
_end_tidily()
try:
    signal.raise_signal({int(number)})
    print("went on")
finally:
    print("tidied")
"""
    for ignored, status, said in (
        ("", 128 + number, "tidied"),
        (f"signal.signal({int(number)}, signal.SIG_IGN)", 0, "went on\ntidied"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", code.format(ignored=ignored)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout.strip()) == (status, said)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--target", "pdp11"], 2, ["pdp11", "cortex-m4"]),
        (["--update", "lots"], 2, ["lots", "last:N"]),
        (["--update", "last:99"], 2, ["last:99", "layers"]),
        (["--update", "last:0"], 2, ["last:0"]),
        (["--no-qas"], 2, ["--no-qas", "--precision int8"]),
        (["--stack", "3"], 2, ["--stack 3", "at least"]),
        (["--update", "none.toml"], 2, ["none.toml"]),
    ],
)
def test_bad_arguments(
    arguments: list[str],
    code: int,
    words: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert compile_digits(tmp_path / "out", *arguments) == code
    refused(code, capsys, tmp_path, *words)


@pytest.mark.parametrize(
    ("scheme", "words"),
    [
        ("not toml [", ["scheme.toml"]),
        ("[update]\n", ["[update]"]),
        ('[update]\n"no such tensor" = true\n', ["no such tensor"]),
        ("[update]\n'{weight}' = 1.5\n", ["share"]),
        ("[update]\n'{weight}' = [99999]\n", ["channels"]),
        ("[update]\n'{weight}' = [0, 0]\n", ["twice"]),
        ("[update]\n'{bias}' = 0.5\n", ["bias"]),
        ("[update]\n'{weight}' = 'all'\n", ["true"]),
        ("[update]\n'{weight}' = {{ rate = 0 }}\n", ["rate", "above 0"]),
        ("[update]\n'{weight}' = {{ rate = nan }}\n", ["rate", "above 0"]),
        ("[update]\n'{weight}' = {{ rate = true }}\n", ["rate", "above 0"]),
        ("[update]\n'{weight}' = {{ channels = 2.0 }}\n", ["share"]),
        ("[update]\n'{weight}' = {{ share = 0.5 }}\n", ["channels and rate, not share"]),
    ],
)
def test_bad_scheme_files(
    scheme: str, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from mcugrad.compiler import import_model
    from mcugrad.passes.layers import layers

    layer = layers(import_model(DIGITS))[1]
    path = tmp_path / "scheme.toml"
    path.write_text(scheme.format(weight=layer.weight, bias=layer.bias))
    assert compile_digits(tmp_path / "out", "--update", str(path)) == 2
    refused(2, capsys, tmp_path, *words)


@pytest.mark.parametrize("inside", ["file/out", "file/deeper/out"])
def test_an_output_that_cannot_be_written(
    inside: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert compile_digits(tmp_path / inside) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_missing_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, out = str(tmp_path / "none.tflite"), str(tmp_path / "out")
    assert main(["compile", model, "--target", "host", "-o", out]) == 2
    refused(2, capsys, tmp_path, "none.tflite")


@pytest.mark.parametrize("content", [b"", b"hello", b"\x1c\0\0\0TFL3" + b"\xff" * 64])
def test_a_malformed_model(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "broken.tflite"
    model.write_bytes(content)
    assert main(["compile", str(model), "--target", "host", "-o", str(tmp_path / "out")]) == 3
    refused(3, capsys, tmp_path, "broken.tflite")


def test_too_little_sram_names_the_peak_and_a_way_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = compile_digits(
        tmp_path / "out", "--update", "all", "--sram", "24K", "--batch", "4", target="cortex-m4"
    )
    assert code == 4
    words = ("bytes of SRAM", "peak of the arena", "largest tensors alive", "cheapest change")
    refused(4, capsys, tmp_path, *words)


def test_hopelessly_little_sram_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compile_digits(tmp_path / "out", "--sram", "5K", target="cortex-m4") == 4
    message = refused(4, capsys, tmp_path, "no update scheme fits")
    need = re.search(r"needs (\d+) bytes of SRAM", message)
    least = re.search(r"at least (\d+) bytes are needed", message)
    assert need is not None
    assert least is not None
    assert least[1] == need[1]  # the head is the smallest scheme there is


def test_a_smaller_stack_is_a_way_out_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each core of a cluster has a stack of that size, and scratch."""
    assert compile_digits(tmp_path / "a", "--json", target="rv32-cluster8") == 0
    limit = ("--sram", str(answer(capsys)["sram"]["total"] - 64))
    assert compile_digits(tmp_path / "out", *limit, target="rv32-cluster8") == 4
    words = "of each of 8 cores)", f"--stack 1024 would spare {8 * 3072} bytes"
    refused(4, capsys, tmp_path, *words)
    stack = ("--stack", "1024")
    assert compile_digits(tmp_path / "out", *limit, *stack, target="rv32-cluster8") == 0


def test_a_cache_that_cannot_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert compile_digits(tmp_path / "out", target="cortex-m4") == 2
    refused(2, capsys, tmp_path, "XDG_CACHE_HOME", str(tmp_path / "file"))


def test_the_way_out_counts_static_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A limit that the head meets, but not with the static data of the runtime."""
    assert compile_digits(tmp_path / "a", "--json", target="cortex-m4") == 0
    limit = str(answer(capsys)["sram"]["total"] - 64)
    arguments = ["--update", "all", "--sram", limit]
    assert compile_digits(tmp_path / "out", *arguments, target="cortex-m4") == 4
    said = capsys.readouterr().err
    assert "no update scheme fits" in said or "bias:" in said


def test_a_scheme_that_needs_less_code_is_not_ruled_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compile_digits(tmp_path / "a", "--json", target="cortex-m4") == 0
    limit = str(answer(capsys)["flash"]["total"] + 64)
    arguments = ["--update", "all", "--flash", limit]
    assert compile_digits(tmp_path / "out", *arguments, target="cortex-m4") == 4
    assert "no update scheme fits" not in refused(4, capsys, tmp_path, "bytes of flash")


def test_a_flash_limit_counts_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compile_digits(tmp_path / "out", "--flash", "2K", target="cortex-m4") == 4
    assert "code 0" not in refused(4, capsys, tmp_path, "bytes of flash")


def test_too_little_flash(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compile_digits(tmp_path / "out", "--flash", "2K", target="cortex-m4") == 4
    refused(4, capsys, tmp_path, "bytes of flash")


def test_limits_are_enforced_by_the_linker_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A flash limit that the weights meet, but not with the code."""
    assert compile_digits(tmp_path / "a", "--json", target="cortex-m4") == 0
    total = answer(capsys)["flash"]["total"]
    assert compile_digits(tmp_path / "b", "--flash", str(total), target="cortex-m4") == 0
    capsys.readouterr()
    assert compile_digits(tmp_path / "c", "--flash", str(total - 64), target="cortex-m4") == 4
    refused(4, capsys, tmp_path, "bytes of flash")
    assert not (tmp_path / "c").exists()


def test_dump_after_prints_the_graph(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compile_digits(tmp_path / "out", "--dump-after", "plan") == 0
    assert "lower bound" in capsys.readouterr().err


def test_help_is_quick() -> None:
    """By processor time, which other work on the machine does not change."""

    def used() -> float:
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return children.ru_utime + children.ru_stime

    times = []
    for _ in range(5):
        before = used()
        command = [sys.executable, "-m", "mcugrad", "--help"]
        done = subprocess.run(command, capture_output=True, check=False)
        times.append(used() - before)
        assert done.returncode == 0
    assert min(times) < 0.2


def test_usage_errors_exit_with_2() -> None:
    for arguments in ([], ["compile"], ["fly"], ["compile", "x", "--sram", "much"]):
        with pytest.raises(SystemExit) as stopped:
            main(arguments)
        assert stopped.value.code == 2
