"""What each operator of a compiled model costs on its target, counted in the emulator."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elftools.common.exceptions import ELFError

from mcugrad.devices.opening import emulated_firmware
from mcugrad.errors import CheckFailedError, UsageError
from mcugrad.fit import updating_step
from mcugrad.image import read_code
from mcugrad.ir.tensor import Array
from mcugrad.manifest import CallInfo, Manifest
from mcugrad.profiling.calls import Entry, Work, cut, marks
from mcugrad.profiling.counting import Segment, counting
from mcugrad.profiling.cycles import Estimate, timing_of
from mcugrad.targets import find_target


@dataclass(frozen=True)
class Cost:
    """Multiply-accumulates, retired instructions, and cycles by the core's timing table.

    ``cycles`` is None where the core has no published table.
    """

    products: int
    instructions: int
    cycles: int | None

    @property
    def per_product(self) -> float | None:
        """Instructions per product; None without products."""
        return self.instructions / self.products if self.products else None

    def document(self) -> dict[str, Any]:
        """The cost for ``--json``."""
        return {
            "products": self.products,
            "instructions": self.instructions,
            "instructions_per_product": self.per_product,
            "cycles_estimate": self.cycles,
        }


@dataclass(frozen=True)
class OpCost:
    """A kernel call and what it costs.

    ``share`` is that of the training step, or for the phase ``output`` of the inference.
    """

    call: CallInfo
    cost: Cost
    share: float

    def document(self) -> dict[str, Any]:
        """The call for ``--json``."""
        call = self.call
        name = {"name": call.name, "op": call.op, "pass": call.phase, "kernel": call.symbol}
        return {**name, **self.cost.document(), "bytes": call.bytes, "share": self.share}


@dataclass(frozen=True)
class Profile:
    """An inference, a training step, and every kernel call of the two in order.

    ``other`` are the instructions of a step that belong to no call: what runs after the last
    one. ``timing`` is the source of the timing table, None where there is none.
    """

    infer: Cost
    step: Cost
    ops: Sequence[OpCost]
    other: int
    timing: str | None


def profile(folder: Path, x: Array, target: int | Array) -> Profile:
    """Profiles the compiled model in ``folder`` with one sample.

    Raises:
        UsageError: the folder is not a compiled model, or is one for the host.
        MissingToolError: there is no emulator, or it cannot count.
        CheckFailedError: the loss of the sample is not finite.
    """
    manifest = Manifest.read(folder)
    machine = find_target(manifest.target)
    if machine.emulator is None:
        raise UsageError(
            f"{folder} is compiled for {machine.name}, where instructions are not counted: "
            "compile it for a target that is emulated ('mcugrad targets')"
        )
    with tempfile.TemporaryDirectory(prefix="mcugrad-") as name:
        firmware = emulated_firmware(folder, manifest, Path(name))
        try:
            code = read_code(firmware)
            places = list(marks(code, manifest.calls))
        except (OSError, ELFError, KeyError) as error:
            raise UsageError(
                f"{firmware} is not the firmware of the manifest ({error}): compile again"
            ) from error
        with counting(machine, firmware, manifest.fingerprint, places) as counted:
            counted.device.infer(x)
            result = updating_step(counted.device, manifest, x, target)
            segments = counted.segments()
    if not result.applied:
        raise CheckFailedError("the loss of the sample is not finite, so no step was taken")
    timing = timing_of(machine)
    estimate = Estimate(timing, code) if timing else None
    infer, step = (cut(segments, code, entry, manifest.calls) for entry in Entry)
    return _profile(manifest, infer, step, estimate)


def _profile(manifest: Manifest, infer: Work, step: Work, estimate: Estimate | None) -> Profile:
    def cost(products: int, segments: Sequence[Segment]) -> Cost:
        cycles = estimate.cycles(segments) if estimate else None
        return Cost(products, sum(s.instructions for s in segments), cycles)

    wholes: list[Cost] = []
    taken: dict[str, OpCost] = {}  # a forward call as it is in the step, which comes last
    for entry, work in ((Entry.INFER, infer), (Entry.STEP, step)):
        calls = [c for c in manifest.calls if c.phase in entry.phases]
        whole = cost(sum(c.products for c in calls), work.segments)
        wholes.append(whole)
        for call, segments in zip(calls, work.calls, strict=True):
            found = cost(call.products, segments)
            share = found.instructions / whole.instructions
            taken[call.name] = OpCost(call, found, share)
    source = estimate.timing.source if estimate else None
    infer_cost, step_cost = wholes
    other = step_cost.instructions - sum(s.instructions for c in step.calls for s in c)
    return Profile(infer_cost, step_cost, [taken[c.name] for c in manifest.calls], other, source)
