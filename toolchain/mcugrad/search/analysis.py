"""What the learning of each tensor would gain, found out on the user's own samples.

The compiled C runs on this computer. Where the model gets a new head, that is trained alone
first: behind a head of random weights no gradient and no accuracy says anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import numpy as np

from mcugrad.compiler import GRAPH, Request, compile_model, import_model, prepare
from mcugrad.data import Data, Samples, split
from mcugrad.devices import Device, open_device
from mcugrad.errors import CheckFailedError, ModelError
from mcugrad.fit import Hyper, fit, score, set_hyper
from mcugrad.ir.graph import Graph
from mcugrad.ir.serial import load_training_graph
from mcugrad.ir.tensor import Array, Tensor
from mcugrad.manifest import Manifest
from mcugrad.onlooker import Onlooker
from mcugrad.passes.layers import Layer, layers
from mcugrad.passes.scheme import largest_channels, resolve_scheme
from mcugrad.passes.training import Gradients, Precision, TrainingOptions, training_graph
from mcugrad.search.contribution import (
    NOT_AT_ALL,
    Contribution,
    Option,
    Worth,
    pick,
    shares_of,
)

HEAD_STEPS = 1000  # at most, to train a new head
FISHER_SAMPLES = 256  # at most
TUNING_STEPS = 200  # of each fine-tuning in the accuracy analysis
TUNING_TESTS = 500  # samples at most to measure it on


class Analysis(StrEnum):
    """How contributions are found."""

    FISHER = "fisher"
    ACCURACY = "accuracy"


@dataclass(frozen=True)
class _Trial:
    """The model on the host with all layers learning that can."""

    graph: Graph
    layers: Sequence[Layer]
    device: Device
    manifest: Manifest
    folder: Path
    data: Data
    seed: int

    def write(self, state: Mapping[str, Array]) -> None:
        """Gives the device these tensors."""
        for number, entry in enumerate(self.manifest.tensors):
            if entry.name in state:
                self.device.write_tensor(number, state[entry.name].tobytes())

    def read(self) -> dict[str, Array]:
        """The learning tensors."""
        return _learned(self.device, self.manifest)


def contribution(
    request: Request,
    data: Data,
    analysis: Analysis,
    folder: Path,
    onlooker: Onlooker,
) -> Contribution:
    """The contribution of each layer that can learn, by ``analysis``; works in ``folder``.

    Raises:
        ModelError: not even the head can learn.
        CheckFailedError: no step of a training had finite gradients.
    """
    graph = prepare(import_model(request.model))
    options = replace(request.training, batch=1, momentum=0.0, gradients=Gradients.F32)
    if options.precision is Precision.F16:  # what tensors are worth does not depend on it
        options = replace(options, precision=Precision.F32)
    host = replace(request, target="host", training=options, sram=None, flash=None)
    seed = options.seed
    data = split(data, seed) if analysis is Analysis.ACCURACY else data
    head: Mapping[str, Array] = {}
    if options.classes is not None:
        head = _trained_head(host, data.train, folder / "head", onlooker)
    count = learnable(graph, replace(options, gradients=request.training.gradients))
    manifest = compile_model(replace(host, update=f"last:{count}"), folder / "all")
    with open_device("host", folder / "all") as device:
        chosen = layers(graph)[-count:]
        trial = _Trial(graph, chosen, device, manifest, folder / "all", data, seed)
        trial.write(head)
        run = _fisher if analysis is Analysis.FISHER else _accuracy
        return run(trial, onlooker)


def learnable(graph: Graph, options: TrainingOptions) -> int:
    """How many of the last layers a gradient reaches.

    Raises:
        ModelError: it reaches not even the head.
    """
    for count in range(len(layers(graph)), 1, -1):
        try:
            training_graph(graph, resolve_scheme(graph, f"last:{count}"), options)
        except ModelError:
            continue
        return count
    training_graph(graph, resolve_scheme(graph, "head"), options)
    return 1


def _trained_head(
    host: Request, train: Samples, folder: Path, onlooker: Onlooker
) -> Mapping[str, Array]:
    manifest = compile_model(replace(host, update="head"), folder)
    some = _some(train, HEAD_STEPS, host.training.seed)
    epochs = max(1, HEAD_STEPS // len(some))
    with (
        open_device("host", folder) as device,
        onlooker.progress("training the new head", epochs * len(some)) as advance,
    ):
        fit(device, some, epochs, 0, lambda done, loss: advance(done, f"loss {loss:.4f}"))
        return _learned(device, manifest)


def _some(samples: Samples, count: int, seed: int) -> Samples:
    """At most ``count`` samples, drawn from ``seed``."""
    return samples.take(np.random.default_rng(seed).permutation(len(samples))[:count])


def _learned(device: Device, manifest: Manifest) -> dict[str, Array]:
    return {
        e.name: np.frombuffer(device.read_tensor(n), e.dtype.numpy).reshape(e.shape)
        for n, e in enumerate(manifest.tensors)
        if e.name in manifest.learning
    }


def _fisher(trial: _Trial, onlooker: Onlooker) -> Contribution:
    """The Fisher information of each input channel, from one backward pass a sample.

    TinyTrain (ICML 2024, section 2.2) takes ``1/(2N) sum_n (sum_d a_nd g_nd)^2`` for a channel
    of activations a with gradients g. Products of activations with their gradients sum up to
    those of the weights that read the channel, so the same comes from the weights' gradients:
    ``1/(2N) sum_n (sum_w w g_nw)^2``. That form serves biases too, and a change of a layer's
    scale does not change it.

    A step of gradient descent lowers the loss by its rate times the squared gradient. Tensors that
    are steeper than the head get a lower rate, such that they lower it as much; or the one rate
    that the steepest can take would be too low for the head.
    """
    graph = load_training_graph(trial.folder / GRAPH)
    gradients = {i.tensor: i.gradient for i in graph.learning}
    numbers = {e.name: n for n, e in enumerate(trial.manifest.tensors)}
    values = {n: _real(graph.graph.tensors[n], v) for n, v in trial.read().items()}
    axes = {y.weight: y.channel_axis for y in trial.layers}  # a bias has but one
    names = [n for y in trial.layers for n in (y.weight, y.bias) if n]
    energies: dict[str, Array] = {n: np.zeros(()) for n in names}
    squares: dict[str, Array] = {n: np.zeros(()) for n in names}
    samples = _some(trial.data.train, FISHER_SAMPLES, trial.seed)
    set_hyper(trial.device, trial.manifest, Hyper(learning_rate=0.0))
    used = 0
    with onlooker.progress("gradients", len(samples)) as advance:
        for done, (x, y) in enumerate(zip(samples.x, samples.y, strict=True)):
            result = trial.device.train_step(x, y, trace=True)
            advance(done + 1, "")
            if not result.applied:
                continue
            used += 1
            for name in names:
                content = result.traced[numbers[gradients[name]]]
                gradient = np.frombuffer(content, np.float32).reshape(values[name].shape)
                others = tuple(a for a in range(gradient.ndim) if a != axes.get(name, 0))
                part = (values[name] * gradient).sum(others)
                energies[name] = energies[name] + np.square(part)
                squares[name] = squares[name] + np.square(gradient, dtype=np.float64).sum(others)
    if not used:
        raise CheckFailedError("no sample has a finite loss and finite gradients")
    total = sum(float(np.sum(e)) for e in energies.values())
    scale = 100.0 / total if total else 0.0
    steepest = float(np.sum(squares[trial.layers[-1].weight]))

    def rate(square: Array) -> float:
        """At which a tensor lowers the loss no faster than the head does at a rate of 1."""
        steep = float(np.sum(square))
        return float(f"{min(1.0, steepest / steep):.2g}") if steep else 1.0

    found = []
    for layer in trial.layers:
        importance, square = energies[layer.weight] * scale, squares[layer.weight]
        options = []
        for share, count in shares_of(trial.graph, layer):
            channels = pick(importance, count)
            some = slice(None) if channels is None else list(channels)
            gain = float(importance[some].sum())
            options.append(Option(share, channels, gain, rate(square[some])))
        bias, bias_rate = 0.0, 1.0
        if layer.bias:
            bias = float(np.sum(energies[layer.bias])) * scale
            bias_rate = rate(squares[layer.bias])
        found.append(_worth(trial, layer, options, bias, bias_rate))
    return Contribution(tuple(found), "% of the gain of learning everything")


def _real(tensor: Tensor, value: Array) -> Array:
    """The real values of a learning tensor, whose zero points are 0."""
    if tensor.quant is None:
        return value.astype(np.float64)
    shape = [1] * value.ndim
    if tensor.quant.axis is not None:
        shape[tensor.quant.axis] = -1
    return np.asarray(value * np.reshape(np.array(tensor.quant.scale), shape))


def _worth(
    trial: _Trial, layer: Layer, options: Sequence[Option], bias: float, bias_rate: float = 1.0
) -> Worth:
    """The head learns as a whole in any case."""
    is_head = layer is trial.layers[-1]
    ways = (options[-1],) if is_head else (NOT_AT_ALL, *options)
    return Worth(layer, ways, bias, bias_rate)


def _accuracy(trial: _Trial, onlooker: Onlooker) -> Contribution:
    """The accuracy that fine-tuning gains.

    Of the biases of the last k layers for each k, and of each weight alone, by each share,
    beside all biases: "On-Device Training Under 256KB Memory", section 2.2. The channels of a
    share are those with the largest weights.
    """
    start = trial.read()
    biases: dict[str, tuple[int, ...] | None] = {y.bias: None for y in trial.layers if y.bias}
    head = trial.layers[-1]
    ways = {
        layer.weight: [
            Option(s, _largest(trial.graph, layer, c), 0.0)
            for s, c in shares_of(trial.graph, layer)
        ]
        for layer in trial.layers[:-1]
    }
    runs = len(trial.layers) + sum(map(len, ways.values()))
    classes = trial.manifest.classes
    with onlooker.progress("fine-tuning", runs) as advance:
        done = 0

        def tuned(learning: Mapping[str, tuple[int, ...] | None]) -> float:
            nonlocal done
            reached = _tuned(trial, start, {head.weight: None, **learning})
            done += 1
            advance(done, f"{reached:.3f}")
            return 100 * reached if classes else -reached

        cumulated = []
        for k in range(1, len(trial.layers) + 1):
            last = [y.bias for y in trial.layers[-k:] if y.bias]
            cumulated.append(tuned(dict.fromkeys(last)))
        gains = np.diff([cumulated[0], *cumulated])[::-1]
        found = []
        for layer, bias in zip(trial.layers, gains, strict=True):
            options = [
                replace(o, gain=tuned(biases | {layer.weight: o.channels}) - cumulated[-1])
                for o in ways.get(layer.weight, ())
            ]
            whole = Option(1.0, None, 0.0)
            found.append(_worth(trial, layer, options or [whole], float(bias)))
    unit = "percentage points of accuracy" if classes else "of mean squared error"
    return Contribution(tuple(found), unit)


def _largest(graph: Graph, layer: Layer, count: int) -> tuple[int, ...] | None:
    tensor = graph.tensors[layer.weight]
    if count == tensor.shape[layer.channel_axis]:
        return None
    return largest_channels(tensor, layer.channel_axis, count)


def _tuned(
    trial: _Trial, start: Mapping[str, Array], learning: Mapping[str, tuple[int, ...] | None]
) -> float:
    """What is reached from ``start`` when only this learns; the rest is put back at each step."""
    axes = {y.weight: y.channel_axis for y in trial.layers}
    trial.device.reset()
    trial.write(start)
    rng = np.random.default_rng(trial.seed)
    train = trial.data.train
    order = np.concatenate(
        [rng.permutation(len(train)) for _ in range(-(-TUNING_STEPS // len(train)))]
    )
    for i in order[:TUNING_STEPS]:
        trial.device.train_step(train.x[i], train.y[i])
        restored = {n: v for n, v in start.items() if n not in learning}
        parts = {n: c for n, c in learning.items() if c is not None}
        if parts:
            now = trial.read()
            for name, channels in parts.items():
                index = (slice(None),) * axes[name] + (list(channels),)
                restored[name] = start[name].copy()
                restored[name][index] = now[name][index]
        trial.write(restored)
    tests = _some(trial.data.measured, TUNING_TESTS, trial.seed)
    return score(trial.device, trial.manifest, Data(train, tests))
