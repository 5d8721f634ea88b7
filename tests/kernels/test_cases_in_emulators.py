"""Every case of every operator in emulated boards, with the kernels that the compiler chooses.

What a target has of its own shows here alone: its kernels, the size of its words and pointers,
and scratch memory whose size the host has said.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from mcugrad.ops import lookup
from mcugrad.ops.base import Kernel
from mcugrad.ops.window import Window
from mcugrad.targets import Target, find_target
from tests.devices.hand_made import require_emulator
from tests.kernels.call import has_kernel
from tests.ops.case import Case, in_half
from tests.ops.cases import all_types
from tests.ops.cases.conv2d import layer_cases
from tests.ops.convolutions import Image
from tests.support.case_firmware import measure

pytestmark = pytest.mark.emulator

CASES = [case for case in all_types() if has_kernel(case)]
_AT_ONCE = 150


def chosen(case: Case, target: Target) -> Kernel:
    """The kernel that serves the case on the target."""
    kernel = lookup(case.op).kernel(case.call, target.features)
    assert kernel is not None
    return kernel


def check(cases: list[Case], target: Target, *, frozen: bool = False) -> set[str]:
    """Gives the symbols of the kernels."""
    require_emulator(target.name)
    found = list(measure(cases, target, frozen=frozen))
    assert [str(case) for case, measured in found if measured is None] == []
    ran = [measured for _, measured in found if measured is not None]
    assert [m.worst for m in ran if not m.worst.ok] == []
    return {m.symbol for m in ran}


@pytest.mark.slow
@pytest.mark.parametrize("start", range(0, len(CASES), _AT_ONCE))
@pytest.mark.parametrize(
    "target", ["cortex-m7", "cortex-m3", "cortex-m55", "rv32imfc", "rv32-rvv", "rv32-xfvec"]
)
def test_kernels_equal_their_reference(target: str, start: int) -> None:
    check(CASES[start : start + _AT_ONCE], find_target(target))


@pytest.mark.slow
@pytest.mark.parametrize("start", range(0, len(CASES), _AT_ONCE))
def test_eight_cores_compute_the_bits_of_one(start: int) -> None:
    require_emulator("rv32-cluster8")
    cases = CASES[start : start + _AT_ONCE]
    one, many = (list(measure(cases, find_target(t))) for t in ("rv32imfc", "rv32-cluster8"))
    for (case, alone), (_, shared) in zip(one, many, strict=True):
        assert alone is not None, str(case)
        assert shared is not None, str(case)
        assert shared.results == alone.results, str(case)


@pytest.mark.parametrize(
    "target", ["cortex-m4", "cortex-m33", "cortex-m55", "rv32imfc", "rv32-rvv", "rv32-xfvec"]
)
def test_scratch_that_the_host_has_asked_for_is_enough(target: str) -> None:
    machine = find_target(target)
    check([case for case in CASES if chosen(case, machine).scratch], machine)


@pytest.mark.parametrize("target", ["cortex-m55", "rv32-rvv"])
def test_frozen_weights_lie_as_their_kernels_read_them(target: str) -> None:
    machine = find_target(target)
    cases = [c for c in CASES if lookup(c.op).layout(c.call, machine.features) is not None]
    symbols = check(cases, machine, frozen=True)
    assert {symbol.rpartition("_")[2] for symbol in symbols} == {"packed"}
    assert {lookup(case.op).name for case in cases} == {"conv2d", "conv2d_bwd_data"}


def test_weights_of_outputs_may_lie_far_apart() -> None:
    """Helium loads elements whose offsets fit into 16 bits; a layer's last ones would not."""
    image = Image("far", (2, 2, 1041), Window((3, 3), pad=(1, 1, 1, 1)))
    halves = (in_half(case) for case in layer_cases(image, 8))
    cases = [case for case in halves if case is not None]
    machine = find_target("cortex-m55")
    check(cases, machine)
    assert "mg_conv2d_f16_fwd_mve_packed" in check(cases, machine, frozen=True)


def test_vectors_may_have_another_length() -> None:
    """The kernels for vectors, on a core whose registers are twice as long."""
    target = find_target("rv32-rvv")
    tool = target.emulator
    assert tool is not None
    longer = tuple(name.replace("vlen=128", "vlen=256") for name in tool.cpus)
    assert not set(longer) & set(tool.cpus)
    machine = replace(target, emulator=replace(tool, cpus=longer))
    cases = [case for case in CASES if "rvv" in chosen(case, machine).features]
    check(cases, machine)
    check([case for case in cases if case.op.startswith("conv2d")], machine, frozen=True)


def test_weights_in_half_are_rounded_alike_on_vectors() -> None:
    """No bit of what is rounded at random may depend on the device."""
    require_emulator("rv32-rvv")
    cases = [case for case in CASES if case.op == "sgd_half"]
    found = dict(measure(cases, find_target("rv32-rvv")))
    assert {m.symbol for m in found.values() if m is not None} == {"mg_sgd_f16_step_rvv"}
    assert {m.worst.error for m in found.values() if m is not None} == {0.0}
