"""Reading targets/*/target.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

from mcugrad.errors import UsageError
from mcugrad.resources import data_root
from mcugrad.targets import find_target, read_target, targets


def test_the_targets_of_the_first_release_are_there() -> None:
    assert next(iter(targets())) == "host"
    assert set(targets()) >= {
        *("host", "cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33"),
        *("cortex-m55", "stm32f405"),
        *("rv32imc", "rv32imfc", "rv32-rvv", "rv32-xfvec", "rv32-cluster8"),
    }


@pytest.mark.parametrize(
    ("name", "flash", "sram"),
    [("stm32f405", 1 << 20, (128 + 64) << 10), ("cortex-m0plus", 256 << 10, 16 << 10)],
)
def test_a_chip_has_its_true_memories(name: str, flash: int, sram: int) -> None:
    target = find_target(name)
    assert (target.flash_bytes, target.ram_bytes) == (flash, sram)


def test_an_unknown_target_names_those_that_are_known() -> None:
    with pytest.raises(UsageError, match="cortex-m4"):
        find_target("cortex-m99")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("description", "#", "description is missing"),
        ('family = "cortex-m"', 'family = "z80"', "z80"),
        ('arena = ["sram", "ccm"]', 'arena = ["dram"]', "placement.arena names no memory: 'dram'"),
        ('arena = ["sram", "ccm"]', 'arena = "sram"', "list of 1 to 4 memories: 'sram'"),
        ('arena = ["sram", "ccm"]', "arena = []", "list of 1 to 4 memories"),
        ('arena = ["sram", "ccm"]', 'arena = ["ccm", "ccm"]', "list of 1 to 4 memories"),
        ('stack = "sram"', "", "stack"),
        ("size = 0x100000", 'size = "big"', "big"),
        ('family = "cortex-m"', 'family = "cortex-m"\ncores = 0', "cores is no number of cores: 0"),
        ("[compiler]", "[compiler", "line 6"),
    ],
)
def test_a_damaged_target_says_what_is_wrong(
    old: str, new: str, reason: str, tmp_path: Path
) -> None:
    text = (data_root() / "targets" / "stm32f405" / "target.toml").read_text()
    assert old in text
    (tmp_path / "target.toml").write_text(text.replace(old, new))
    with pytest.raises(UsageError, match=reason):
        read_target(tmp_path)
