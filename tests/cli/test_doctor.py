"""What ``mcugrad doctor`` says of emulators and their extensions."""

from __future__ import annotations

from pathlib import Path

import pytest

from mcugrad.cli import main
from mcugrad.devices import spike
from tests.cli.test_compile import answer
from tests.devices.hand_made import require_emulator


def test_it_builds_what_an_emulator_has_to_learn(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    require_emulator("rv32-xfvec")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for arguments, version in (([], None), (["--build"], "built"), ([], "built")):
        assert main(["doctor", *arguments, "--json"]) == 0
        tools = {tool["name"]: tool for tool in answer(capsys)["tools"]}
        assert tools["xfvec"]["version"] == version
        assert tools["xfvec"]["install"] == "mcugrad doctor --build"
        assert {"spike", "dtc", "g++"} <= tools.keys()


def test_it_names_what_building_lacks(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(spike, "installation", lambda: None)
    assert main(["doctor", "--build"]) == 5
    assert "pip install 'mcugrad[spike]'" in capsys.readouterr().err
    monkeypatch.undo()
    if spike.installation() is not None:
        monkeypatch.setenv("PATH", str(tmp_path))
        assert main(["doctor", "--build"]) == 5
        assert "apt-get install g++" in capsys.readouterr().err
