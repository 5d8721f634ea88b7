"""No kernel takes more instructions than are recorded, and each is right in the emulator."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.kernels import baseline
from benchmarks.kernels.layers import Pass, Types
from benchmarks.kernels.sweep import Result

from mcugrad.parity import Difference
from tests.devices.hand_made import require_emulator
from tests.support.case_firmware import Measured


@pytest.mark.emulator
@pytest.mark.parametrize("target", baseline.TARGETS)
def test_no_kernel_is_slower_than_recorded(target: str) -> None:
    require_emulator(target)
    results = baseline.measured(target)
    assert [r.key for r in results if r.measured is None or not r.measured.worst.ok] == []
    slower = "\n".join(baseline.slower(results))
    assert not slower, f"{slower}\nif that is meant to be: {baseline.COMMAND}"


def result(instructions: int, layer: str = "some layer") -> Result:
    worst = Difference(0, "out0", 0.0, 0.0)
    measured = Measured("mg_kernel", 100, instructions, (), worst)
    return Result("cortex-m7", layer, Types.F32, Pass.FORWARD, measured)


def test_three_percent_are_too_many(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(baseline, "FILE", tmp_path / "baseline.json")
    baseline.record([result(1000)])
    assert list(baseline.slower([result(900), result(1030)])) == []
    (said,) = baseline.slower([result(1031)])
    assert said == "cortex-m7: some layer | f32 | forward: 1000 -> 1031 instructions, +3.1 %"
    (unknown,) = baseline.slower([result(1, "new layer")])
    assert "new layer" in unknown
