"""The demonstration: a model that knows upright digits learns turned ones, on the device.

What happens is what any use of mcugrad does: compile a .tflite file with an update scheme, open
a device, stream samples to it, measure, and compare with the golden model.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mcugrad.compiler import GRAPH, Request, compile_model
from mcugrad.data import Data, Samples, load_data
from mcugrad.devices import Device, Statistics, open_device
from mcugrad.digits import load_digits, quarter_turn
from mcugrad.fit import Hyper, Outcome, accuracy, fit, set_hyper
from mcugrad.golden.interpreter import Trainer
from mcugrad.ir.serial import load_training_graph
from mcugrad.manifest import Manifest
from mcugrad.onlooker import Onlooker
from mcugrad.parity import Report, compare, report
from mcugrad.passes.training import TrainingOptions
from mcugrad.resources import data_root

UPDATE = "last:3"
SRAM_BYTES = 256 * 1024
PARITY_STEPS = 3
TURNED = "turned.npz"  # in the compiled folder: what the device learns
UPRIGHT = "upright.npz"  # and what it knew before

_LEARNING_RATE = 0.02  # in the first epoch
_DECAY = 0.25  # of the rate, from epoch to epoch


@dataclass(frozen=True)
class Plan:
    """What to run. ``samples`` limits the training images; None: all of them."""

    target: str
    on: str
    epochs: int
    samples: int | None
    seed: int


@dataclass(frozen=True)
class Change:
    """The accuracy on held-out images before and after the training."""

    before: float
    after: float


@dataclass(frozen=True)
class Result:
    """What came of it, and what the device measured."""

    manifest: Manifest
    turned: Change
    upright: Change
    tested: int  # held-out images
    outcome: Outcome
    statistics: Statistics
    parity: Report


def example_model() -> Path:
    """The int8 model that ``examples/digits/train.py`` made."""
    return data_root() / "examples" / "digits" / "digits_int8.tflite"


def demonstrate(plan: Plan, folder: Path, onlooker: Onlooker) -> Result:
    """Compiles into ``folder``, trains on turned digits, and measures before and after."""
    digits = load_digits()
    request = Request(
        model=example_model(),
        target=plan.target,
        update=UPDATE,
        training=TrainingOptions(learning_rate=_LEARNING_RATE),
        sram=SRAM_BYTES,
    )
    onlooker.note(f"compiling {request.model.name} for {plan.target}, {UPDATE} learns")
    manifest = compile_model(request, folder)
    upright = _stored(folder / UPRIGHT, manifest, digits.train, digits.measured)
    turned = _stored(
        folder / TURNED,
        manifest,
        quarter_turn(_first(digits.train, plan.samples)),
        quarter_turn(digits.measured),
    )
    onlooker.note(f"starting it on the {plan.on}, measuring")
    with open_device(plan.on, folder) as device:
        before = [accuracy(device, data.measured) for data in (turned, upright)]
        onlooker.note(f"streaming {plan.epochs} x {len(turned.train)} turned digits to it")
        outcome = _teach(device, manifest, turned.train, plan, onlooker)
        after = [accuracy(device, data.measured) for data in (turned, upright)]
        statistics = device.statistics()
        onlooker.note("comparing it with the golden model")
        golden = Trainer(load_training_graph(folder / GRAPH))
        pairs = list(zip(turned.train.x, turned.train.y, strict=True))[:PARITY_STEPS]
        parity = report(list(compare(device, golden, manifest, pairs)))
    return Result(
        manifest=manifest,
        turned=Change(before[0], after[0]),
        upright=Change(before[1], after[1]),
        tested=len(turned.measured),
        outcome=outcome,
        statistics=statistics,
        parity=parity,
    )


def _teach(
    device: Device, manifest: Manifest, train: Samples, plan: Plan, onlooker: Onlooker
) -> Outcome:
    """Epochs at a falling rate, which the device takes at run time."""
    steps = refused = 0
    with onlooker.progress("training", plan.epochs * len(train)) as advance:

        def watch(done: int, loss: float) -> None:
            advance(steps + done, f"loss {loss:.4f}")

        for epoch in range(plan.epochs):
            set_hyper(device, manifest, Hyper(learning_rate=_LEARNING_RATE * _DECAY**epoch))
            outcome = fit(device, train, 1, plan.seed + epoch, watch)
            steps, refused = steps + outcome.steps, refused + outcome.refused
    return Outcome(steps, outcome.loss, refused)


def _first(samples: Samples, count: int | None) -> Samples:
    return Samples(samples.x[:count], samples.y[:count])


def _stored(path: Path, manifest: Manifest, train: Samples, test: Samples) -> Data:
    """The data as the device takes it, by way of a file that ``mcugrad train`` takes too."""
    np.savez(path, x=train.x, y=train.y, x_test=test.x, y_test=test.y)
    return load_data(path, manifest)
