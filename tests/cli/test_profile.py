"""``mcugrad profile``: exact counts per operator, and what stands in its way."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest

from mcugrad.build import host_library
from mcugrad.cli import main
from mcugrad.data import random_samples
from mcugrad.devices import open_device
from mcugrad.errors import UsageError
from mcugrad.manifest import Manifest
from mcugrad.profiling import counting
from mcugrad.targets import find_target
from tests.cli.test_compile import answer, compile_digits
from tests.devices.hand_made import require_emulator

#: Instructions that reading the counter adds, or that no operator has: a few dozen, and on a
#: Cortex-M a 64-bit division.
_READING = 200


def test_a_folder_that_spike_cannot_take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a,b").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "a,b"))
    marks = [range(4)]
    with (
        pytest.raises(UsageError, match="set TMPDIR"),
        counting.counting(find_target("rv32-xfvec"), tmp_path / "firmware.elf", 0, marks),
    ):
        pass


def profiled(folder: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["profile", str(folder), "--json"]) == 0
    return answer(capsys)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The digits model for a Cortex-M4."""
    require_emulator("cortex-m4")
    out = tmp_path_factory.mktemp("digits") / "out"
    assert compile_digits(out, "--update", "last:3", target="cortex-m4") == 0
    return out


@pytest.mark.emulator
@pytest.mark.parametrize(
    ("target", "more"),
    [
        ("rv32imfc", ("--update", "all")),
        ("rv32imc", ("--update", "last:2", "--precision", "int8", "--gradients", "s16")),
        ("rv32imfc", ("--update", "last:2", "--batch", "2")),
        ("cortex-m33", ("--update", "bias:3", "--precision", "int8")),
        ("stm32f405", ("--update", "head")),
    ],
    ids=lambda v: v if isinstance(v, str) else "-".join(v[1::2]),
)
def test_operators_add_up_to_what_the_device_counts_itself(
    target: str, more: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    require_emulator(target)
    out = tmp_path / "out"
    assert compile_digits(out, *more, target=target) == 0
    found = profiled(out, capsys)
    manifest = Manifest.read(out)
    sample = random_samples(manifest, 1, 0)
    with open_device("emulator", out) as device:
        device.infer(sample.x[0])
        for _ in range(manifest.batch):
            device.train_step(sample.x[0], sample.y[0])
        own, resolution = device.statistics(), device.info.resolution
    assert own.infer is not None
    assert own.step is not None
    slack = _READING + 2 * resolution
    assert 0 <= own.infer - found["infer"]["instructions"] + resolution <= slack
    assert 0 <= own.step - found["step"]["instructions"] + resolution <= slack
    assert [op["name"] for op in found["ops"]] == [c.name for c in manifest.calls]
    step = [op for op in found["ops"] if op["pass"] != "output"]
    for unit, rest in (("products", 0), ("instructions", found["other"])):
        assert found["step"][unit] == sum(op[unit] for op in step) + rest
    share = found["other"] / found["step"]["instructions"]
    assert 0 <= share < 0.02 * manifest.batch  # a mini-batch ends with clearing its gradients
    assert sum(op["share"] for op in step) + share == pytest.approx(1)


@pytest.mark.emulator
def test_what_an_operator_moves_and_needs(
    compiled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = profiled(compiled, capsys)
    (layer,) = (op for op in found["ops"] if op["op"] == "fully_connected")
    # 128 inputs, ten classes, float32: x, w, b and y.
    assert layer["bytes"] == 4 * (128 + 1280 + 10 + 10)
    assert layer["products"] == 1280
    assert layer["instructions_per_product"] == layer["instructions"] / 1280
    assert layer["pass"] == "forward"
    assert layer["kernel"] == "mg_fully_connected_f32_fwd"


@pytest.mark.emulator
def test_cycles_are_an_estimate_by_a_table_and_absent_without_one(
    compiled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = profiled(compiled, capsys)
    assert "Cortex-M4 Technical Reference Manual" in found["cycles_from"]
    for op in (*found["ops"], found["infer"], found["step"]):
        assert op["instructions"] < op["cycles_estimate"] < 3 * op["instructions"]
    assert main(["profile", str(compiled)]) == 0
    text = capsys.readouterr().out
    assert "an estimate by the Cortex-M4 Technical Reference Manual" in text
    assert f"{found['step']['instructions']:,}" in text
    require_emulator("rv32imfc")
    assert compile_digits(tmp_path / "out", target="rv32imfc") == 0
    other = profiled(tmp_path / "out", capsys)
    assert other["cycles_from"] is None
    assert other["step"]["cycles_estimate"] is None
    assert main(["profile", str(tmp_path / "out"), "-q"]) == 0
    assert "cycles" not in capsys.readouterr().out


def test_counts_are_the_same_in_every_run(
    compiled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert profiled(compiled, capsys) == profiled(compiled, capsys)


def refused(code: int, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert main(["profile", *arguments]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("mcugrad: error: ")
    assert "Traceback" not in captured.err
    return captured.err


def test_a_folder_for_the_host_says_where_counts_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compile_digits(tmp_path / "out") == 0
    assert "compile it for a target that is emulated" in refused(2, [str(tmp_path / "out")], capsys)


def test_folders_that_are_none(
    compiled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "is not a compiled model" in refused(2, [str(tmp_path)], capsys)
    for name, content in (("none", None), ("text", b"no firmware"), ("head", b"\x7fELF")):
        folder = tmp_path / name
        shutil.copytree(compiled, folder)
        (folder / "firmware.elf").unlink()
        if content is not None:
            (folder / "firmware.elf").write_bytes(content)
        assert "compile again" in refused(2, [str(folder)], capsys)


def test_without_qemu_the_command_that_installs_it_is_named(
    compiled: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "apt-get install qemu-system-arm" in refused(5, [str(compiled)], capsys)


def test_a_qemu_without_plugins_is_told_apart(
    compiled: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fake = tmp_path / "qemu-system-arm"
    fake.write_text('#!/bin/sh\necho "qemu-system-arm: -plugin: invalid option" >&2\nexit 1\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    said = refused(5, [str(compiled)], capsys)
    assert "cannot load the plugin" in said
    assert "apt-get install qemu-system-arm" in said


def test_the_plugin_is_made_for_the_interface_that_qemu_asks_for(
    compiled: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """QEMU 9 refuses the first version of the interface, and says which one it takes."""
    asked = []
    real = shutil.which("qemu-system-arm")

    def recorded(source: Path, defines: dict[str, str]) -> Path:
        asked.append(defines["PLUGIN_VERSION"])
        return host_library(source, defines)

    fake = tmp_path / "qemu-system-arm"
    fake.write_text(
        "#!/bin/sh\n"
        f'test -e {tmp_path}/again && exec {real} "$@"\n'
        f"touch {tmp_path}/again\n"
        'echo "Could not load plugin x.so: plugin requires API version 1, but this QEMU '
        'supports only a minimum version of 2" >&2\n'
        "exit 1\n"
    )
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setattr(counting, "host_library", recorded)
    refused(5, [str(compiled)], capsys)  # for this QEMU does not know version 2
    assert asked == ["1", "2"]


@pytest.mark.emulator
def test_a_step_of_a_mini_batch_is_one_that_updates(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``emulate`` and ``profile`` count the same one."""
    require_emulator("rv32imfc")
    out = tmp_path / "out"
    assert compile_digits(out, "--update", "last:2", "--batch", "3", target="rv32imfc") == 0
    step = profiled(out, capsys)["step"]["instructions"]
    assert main(["emulate", str(out), "--json"]) == 0
    assert abs(answer(capsys)["step"] - step) < _READING
