"""Every case of every operator in emulated boards, with the kernels that the compiler chooses.

What a target has of its own shows here alone: its kernels, the size of its words and pointers,
and scratch memory whose size the host has said.
"""

from __future__ import annotations

import pytest

from mcugrad.ops import lookup
from mcugrad.targets import find_target
from tests.devices.hand_made import require_emulator
from tests.kernels.call import has_kernel
from tests.ops.case import Case
from tests.ops.cases import all_types
from tests.support.case_firmware import measure

pytestmark = pytest.mark.emulator

CASES = [case for case in all_types() if has_kernel(case)]
_AT_ONCE = 150


def check(cases: list[Case], target: str) -> None:
    require_emulator(target)
    found = list(measure(cases, find_target(target)))
    assert [str(case) for case, measured in found if measured is None] == []
    worst = [measured.worst for _, measured in found if measured is not None]
    assert [difference for difference in worst if not difference.ok] == []


@pytest.mark.slow
@pytest.mark.parametrize("start", range(0, len(CASES), _AT_ONCE))
@pytest.mark.parametrize("target", ["cortex-m7", "cortex-m3", "cortex-m55", "rv32imfc"])
def test_kernels_equal_their_reference(target: str, start: int) -> None:
    check(CASES[start : start + _AT_ONCE], target)


@pytest.mark.parametrize("target", ["cortex-m4", "cortex-m33", "cortex-m55", "rv32imfc"])
def test_scratch_that_the_host_has_asked_for_is_enough(target: str) -> None:
    features = find_target(target).features

    def has_scratch(case: Case) -> bool:
        rows = lookup(case.op).kernels
        return next(k for k in rows if k.serves(case.call, features)).scratch

    check([case for case in CASES if has_scratch(case)], target)
