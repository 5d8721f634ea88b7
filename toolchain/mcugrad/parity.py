"""Compares a device with the golden model, tensor by tensor, over several training steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np

from mcugrad.devices.base import Device
from mcugrad.errors import CheckFailedError
from mcugrad.golden.interpreter import Trainer
from mcugrad.ir.tensor import Array, DType
from mcugrad.manifest import Manifest
from mcugrad.ops import registered

#: Largest difference of a float32 tensor, relative to its largest magnitude.
F32_BOUND = 1e-5

#: The same of what one operator computes of the same operands, whatever it stores.
OPERATOR_BOUNDS = {DType.F32: F32_BOUND, DType.F16: 2.0**-10}

#: The same of a kernel that sums up to 32 products in half precision before it goes on in single.
HALF_SUM_BOUND = 2.0**-7

#: Root mean square of the differences in a network that learns in half, relative to that of the
#: tensor: single elements differ by more, where a last bit decides whether an activation passes
#: their gradient.
HALF_NETWORK_BOUND = 2.0**-3

#: The same where kernels sum products in half precision.
HALF_SUM_NETWORK_BOUND = 2.0**-2


@dataclass(frozen=True)
class Difference:
    """How far a tensor of the device is from the golden one, and how far it may be.

    Floats: the largest difference over the golden tensor's largest magnitude; in a network that
    learns in half, root mean squares in their place. Integers: the number of elements that
    differ, with a bound of zero.
    """

    step: int
    tensor: str
    error: float
    bound: float

    @property
    def ok(self) -> bool:
        """Whether the error is within the bound; an error that is NaN is not."""
        return self.error <= self.bound

    @property
    def severity(self) -> float:
        """Orders differences: the error in units of what is allowed."""
        if np.isnan(self.error):
            return float("inf")
        if self.bound == 0:
            return float("inf") if self.error else 0.0
        return self.error / self.bound


@dataclass(frozen=True)
class Report:
    """The outcome: how many tensors were compared in how many steps, and the worst of them.

    ``refused`` steps had a loss or gradient that is not finite, on both sides.
    """

    steps: int
    refused: int
    compared: int
    worst: Difference

    @property
    def ok(self) -> bool:
        """Whether every tensor of every step was within its bound."""
        return self.worst.ok

    def document(self) -> dict[str, Any]:
        """The report for ``--json``."""
        return {
            "ok": self.ok,
            "steps": self.steps,
            "refused_steps": self.refused,
            "compared": self.compared,
            "worst": asdict(self.worst),
        }

    def __str__(self) -> str:
        verdict = "holds" if self.ok else "FAILS"
        worst = self.worst
        text = (
            f"parity {verdict}: {self.compared} tensors in {self.steps} steps; worst "
            f"{worst.tensor} in step {worst.step}, error {worst.error:.3g}, bound {worst.bound:.3g}"
        )
        if self.refused:
            text += f"\n{self.refused} steps had a loss or gradient not finite, on both sides"
        return text


@dataclass(frozen=True)
class Step:
    """The differences of one step, and whether both sides took its update."""

    differences: list[Difference]
    applied: bool

    @property
    def worst(self) -> Difference:
        """The difference nearest to its bound, or farthest beyond."""
        return max(self.differences, key=lambda d: d.severity)


def operator_bound(dtype: DType, *, half_sums: bool) -> float:
    """The largest difference of an operator's floats, in which products may be summed in half."""
    return HALF_SUM_BOUND if half_sums and dtype is DType.F16 else OPERATOR_BOUNDS[dtype]


def difference(
    step: int, tensor: str, found: Array, golden: Array, *, half_sums: bool = False
) -> Difference:
    """How far ``found`` is from ``golden``, which has the same type and size.

    They are what an operator made of the same operands, or of a network in float32.
    """
    found, golden = found.reshape(-1), golden.reshape(-1)
    if golden.dtype.kind != "f":
        return Difference(step, tensor, float(np.count_nonzero(found != golden)), 0.0)
    dtype = DType.F32 if golden.dtype == np.float32 else DType.F16
    bound = operator_bound(dtype, half_sums=half_sums)
    if not np.array_equal(np.isnan(found), np.isnan(golden)):
        return Difference(step, tensor, float("nan"), bound)
    with np.errstate(invalid="ignore"):  # of infinities that are equal
        apart = np.where(found == golden, 0.0, np.abs(found.astype(np.float64) - golden))
    largest = float(np.nanmax(np.abs(golden), initial=0.0))
    worst = float(np.nanmax(apart, initial=0.0))
    return Difference(step, tensor, _relative(worst, largest), bound)


def half_difference(
    step: int, tensor: str, found: Array, golden: Array, bound: float = HALF_NETWORK_BOUND
) -> Difference:
    """The same in a network that learns in half.

    Of a tensor that overflows on both sides no more is asked: infinities spread.
    """
    if golden.dtype.kind != "f":
        return difference(step, tensor, found, golden)
    reals = [a.reshape(-1).astype(np.float64) for a in (found, golden)]
    finite = [bool(np.isfinite(r).all()) for r in reals]
    if not all(finite):
        error = float("nan") if any(finite) else 0.0
        return Difference(step, tensor, error, bound)
    apart, size = (float(np.linalg.norm(a)) for a in (reals[0] - reals[1], reals[1]))
    return Difference(step, tensor, _relative(apart, size), bound)


def _relative(error: float, size: float) -> float:
    return error / size if size else (float("inf") if error else 0.0)


def _network_bound(manifest: Manifest) -> float:
    """The bound of a network that learns in half, by the kernels that it calls."""
    called = {call.symbol for call in manifest.calls}
    rows = (row for op in registered().values() for row in op.kernels if row.half_sums)
    return HALF_SUM_NETWORK_BOUND if any(r.symbol in called for r in rows) else HALF_NETWORK_BOUND


def compare(
    device: Device, golden: Trainer, manifest: Manifest, samples: Sequence[tuple[Array, Array]]
) -> Iterator[Step]:
    """Takes one step a sample on both sides and yields each step's differences.

    Every tensor that a step changes is compared, then the golden model takes the device's
    state over: so rounding, which training can amplify without limit, does not add up, and
    the bound is that of one step from the same weights. In the same way the golden update is
    computed from the device's gradients, once these are compared: an int8 weight, whose
    rounding to a whole step can hang on a gradient's last bit, is then equal or wrong.
    """
    half = any(entry.dtype is DType.F16 for entry in manifest.tensors)
    judge = difference
    if half:
        judge = partial(half_difference, bound=_network_bound(manifest))
    device.reset()
    for step, (x, target) in enumerate(samples):
        found = [
            judge(step, "prediction", device.infer(x), golden.infer(x)),
        ]
        wanted = int(target.reshape(-1)[0]) if manifest.classes else target
        result = device.train_step(x, wanted, trace=True)
        traced = {
            entry.name: np.frombuffer(content, entry.dtype.numpy).reshape(entry.shape)
            for entry, content in ((manifest.tensors[n], c) for n, c in result.traced.items())
        }
        expected = golden.step(x, target.reshape(manifest.wanted.shape), traced)
        if result.applied != expected.accepted:
            raise CheckFailedError(
                f"step {step}: the device {'took' if result.applied else 'refused'} an update "
                f"that the golden model {'took' if expected.accepted else 'refused'}"
            )
        loss = np.array([result.loss], np.float32)
        found.append(judge(step, "loss", loss, np.array([expected.loss], np.float32)))
        found += [
            judge(step, name, array, expected.tensors[name]) for name, array in traced.items()
        ]
        for number, entry in enumerate(manifest.tensors):
            if entry.writable:
                array = np.frombuffer(device.read_tensor(number), entry.dtype.numpy)
                found.append(judge(step, entry.name, array, golden.state[entry.name]))
                golden.state[entry.name] = array.reshape(entry.shape)
        yield Step(found, result.applied)


def report(steps: Sequence[Step]) -> Report:
    """The worst of all differences."""
    return Report(
        steps=len(steps),
        refused=sum(not step.applied for step in steps),
        compared=sum(len(step.differences) for step in steps),
        worst=max((step.worst for step in steps), key=lambda d: d.severity),
    )
