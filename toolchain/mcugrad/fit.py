"""Teaching a device: epochs over samples, and accuracy before and after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from math import cos, pi

import numpy as np

from mcugrad.data import Data, Samples
from mcugrad.devices.base import Device, StepResult
from mcugrad.errors import CheckFailedError, UsageError
from mcugrad.ir.tensor import Array
from mcugrad.manifest import Manifest

#: Called with the number of samples done and the loss so far.
Watch = Callable[[int, float], None]

#: Called a hundred times a run or so with the share of the steps done, from 0 to 1.
Anneal = Callable[[float], None]

_ANNEALINGS = 100

#: Skipped steps after which a scale of the loss cannot get lower.
_MOST_SKIPPED = 15


class Schedule(StrEnum):
    """How the learning rate goes over a run."""

    CONSTANT = "constant"
    COSINE = "cosine"  # Loshchilov and Hutter, "SGDR", equation 5, down to zero, no restart


@dataclass(frozen=True)
class Hyper:
    """Hyper-parameters to set on the device; None leaves what was compiled in."""

    learning_rate: float | None = None
    momentum: float | None = None
    weight_decay: float | None = None


@dataclass(frozen=True)
class Outcome:
    """What a training run did. ``loss`` is the mean over the last epoch."""

    steps: int
    loss: float
    refused: int  # steps whose loss or gradients were not finite


def set_hyper(device: Device, manifest: Manifest, hyper: Hyper) -> None:
    """Writes the hyper-parameters that are given.

    Raises:
        UsageError: momentum is asked of a model that was compiled without memory for it.
    """
    if hyper.momentum and not manifest.has_velocity:
        raise UsageError("the model was compiled without momentum: compile it with --momentum M")
    values = np.frombuffer(device.read_tensor(manifest.hyper), np.float32).copy()
    for i, value in enumerate((hyper.learning_rate, hyper.momentum, hyper.weight_decay)):
        if value is not None:
            values[i] = value
    device.write_tensor(manifest.hyper, values.tobytes())


def skipped_steps(device: Device, manifest: Manifest) -> int:
    """The steps that changed nothing as their scaled gradients overflowed; 0 without a scale."""
    if manifest.scale_steps is None:
        return 0
    return int(np.frombuffer(device.read_tensor(manifest.scale_steps), np.int32)[1])


def updating_step(device: Device, manifest: Manifest, x: Array, target: int | Array) -> StepResult:
    """The last of the steps that it takes to update once.

    A mini-batch has to be complete, and the scale of a loss in half low enough that no gradient
    overflows: each step that is skipped halves it.
    """
    skipped = -1
    while (now := skipped_steps(device, manifest)) != skipped:
        skipped = now
        for _ in range(manifest.batch):
            result = device.train_step(x, target)
        if not result.applied or skipped > _MOST_SKIPPED:
            break
    return result


def annealing(device: Device, manifest: Manifest, schedule: Schedule) -> Anneal | None:
    """What sets the device's learning rate by ``schedule``, beginning at the present one."""
    if schedule is Schedule.CONSTANT:
        return None
    first = float(np.frombuffer(device.read_tensor(manifest.hyper), np.float32)[0])
    return lambda done: set_hyper(device, manifest, Hyper(first * (1 + cos(pi * done)) / 2))


def fit(
    device: Device,
    data: Samples,
    epochs: int,
    seed: int,
    watch: Watch,
    *,
    anneal: Anneal | None = None,
) -> Outcome:
    """Trains on every sample once an epoch, in an order drawn from ``seed``.

    Raises:
        CheckFailedError: no step of an epoch could be taken.
    """
    rng = np.random.default_rng(seed)
    steps = refused = 0
    total = epochs * len(data)
    interval = -(-total // _ANNEALINGS)
    mean = float("nan")
    for _ in range(epochs):
        losses = []
        for index in rng.permutation(len(data)):
            if anneal is not None and steps % interval == 0:
                anneal(steps / total)
            result = device.train_step(data.x[index], data.y[index])
            steps += 1
            if result.applied:
                losses.append(result.loss)
            else:
                refused += 1
            mean = float(np.mean(losses)) if losses else float("nan")
            watch(steps, mean)
        if not losses:
            raise CheckFailedError(
                "every step of an epoch had a loss or gradient that is not finite: "
                "lower the learning rate, or scale the inputs as the model expects"
            )
    if anneal is not None:
        anneal(0.0)  # the device keeps the rate that it had
    return Outcome(steps, mean, refused)


def accuracy(device: Device, data: Samples) -> float:
    """The share of samples whose largest output is that of their class."""
    labels = (int(y) for y in data.y)
    return device.evaluate(zip(data.x, labels, strict=True)).accuracy


def mean_squared_error(device: Device, data: Samples) -> float:
    """The mean over samples and outputs of the squared difference, for models without classes."""
    errors = [np.mean(np.square(device.infer(x) - y.reshape(-1))) for x, y in _pairs(data)]
    return float(np.mean(errors))


def _pairs(data: Samples) -> zip[tuple[np.ndarray, np.ndarray]]:
    return zip(data.x, data.y, strict=True)


def score(device: Device, manifest: Manifest, data: Data) -> float:
    """Accuracy, or the mean squared error of a model without classes, on what is measured."""
    measured = data.measured
    return accuracy(device, measured) if manifest.classes else mean_squared_error(device, measured)
