"""The golden model: a graph interpreted with each operator's NumPy reference.

Tensors are held as devices hold them. Each operator computes floats in float64 and rounds
its results once to the tensor's type, so that the golden model is more exact than any device
and equals it bit for bit where arithmetic is on integers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from mcugrad.ir.graph import Graph, Node, Phase, TrainingGraph
from mcugrad.ir.tensor import Array, DType, Storage, Tensor
from mcugrad.ops import OpCall, lookup


def run(
    graph: Graph,
    feeds: Mapping[str, Array],
    nodes: Iterable[Node] | None = None,
    keep: bool = True,
    exact: bool = False,
) -> dict[str, Array]:
    """The tensors that ``nodes`` (all, if not given) compute from ``feeds``.

    ``feeds`` holds the graph's inputs, and states that differ from their initial content.
    Without ``keep`` only the graph's outputs are returned, and the rest is freed early. With
    ``exact`` floats stay in float64 from operator to operator, as on no device.
    """
    todo = list(graph.nodes if nodes is None else nodes)
    last_use = {} if keep else {name: i for i, n in enumerate(todo) for name in n.inputs}
    values = {name: _checked(graph, name, value, exact) for name, value in feeds.items()}
    for index, node in enumerate(todo):
        values.update(_compute(graph, node, values, exact))
        for name in () if keep else {*node.inputs, *node.outputs}:
            if last_use.get(name, index) == index and name not in graph.outputs:
                values.pop(name, None)
    return values if keep else {n: values[n] for n in graph.outputs if n in values}


def _stored(tensor: Tensor, value: Array, exact: bool) -> Array:
    keeps = exact and tensor.dtype.is_float
    return np.asarray(value, np.float64 if keeps else tensor.dtype.numpy)


def _checked(graph: Graph, name: str, value: Array, exact: bool) -> Array:
    tensor = graph.tensors[name]
    stored = _stored(tensor, value, exact)
    if stored.shape != tensor.shape:
        raise ValueError(f"{name!r} is fed with {stored.shape} instead of {tensor.shape}")
    return stored


def _compute(
    graph: Graph, node: Node, values: Mapping[str, Array], exact: bool
) -> dict[str, Array]:
    operands: list[Array | None] = []
    for name in node.inputs:
        if not name:
            operands.append(None)
            continue
        stored = values[name] if name in values else graph.tensors[name].initial()
        operands.append(stored.astype(np.float64) if stored.dtype.kind == "f" else stored)
    results = graph.results(node)
    with np.errstate(all="ignore"):  # beyond the range is infinite or NaN, as on a device
        computed = lookup(node.op).reference(
            OpCall(node.attrs, graph.operands(node), results), operands
        )
        return {
            tensor.name: _stored(tensor, value, exact)
            for tensor, value in zip(results, computed, strict=True)
        }


@dataclass(frozen=True)
class StepResult:
    """One training step: its loss, and every tensor that it computed.

    ``accepted`` is False where the loss or a gradient was not finite, so that no weight changed.
    """

    loss: float
    tensors: dict[str, Array]
    accepted: bool


class Trainer:
    """Runs a training graph step by step, and keeps its state between them."""

    def __init__(self, training: TrainingGraph, exact: bool = False) -> None:
        self.training = training
        self.exact = exact
        tensors = training.graph.tensors.items()
        self.state = {n: t.initial().copy() for n, t in tensors if t.storage is Storage.STATE}
        self.gathered = 0

    def infer(self, x: Array) -> Array:
        """The prediction for one sample."""
        graph = self.training.graph
        values = self._run({graph.inputs[0]: x}, Phase.FORWARD, Phase.OUTPUT)
        return values[graph.outputs[0]]

    def step(self, x: Array, target: Array, given: Mapping[str, Array] | None = None) -> StepResult:
        """Learns from one sample; the update comes with the last one of a mini-batch.

        ``given`` holds gradients to update from in place of those computed here.
        """
        graph = self.training.graph
        values = self._run(
            dict(zip(graph.inputs, (x, target), strict=True)),
            Phase.FORWARD,
            Phase.KEEP,
            Phase.BACKWARD,
        )
        loss = float(values[graph.outputs[1]].reshape(-1)[0])
        if not np.isfinite(loss):
            return StepResult(loss, values, accepted=False)
        self._advance(values, Phase.BACKWARD)
        self.gathered += 1
        if self.gathered < self.training.batch:
            return StepResult(loss, values, accepted=True)
        self.gathered = 0
        used = {**values, **(given or {})}
        known = (item.gradient for item in self.training.learning)
        # Operators of the update look through those in half.
        tensors = [graph.tensors[g] for g in known if g in graph.tensors]
        gradients = [used[t.name] for t in tensors if t.dtype is not DType.F16]
        finite = all(np.isfinite(g).all() for g in gradients)
        if finite:
            updated = self._run(used, Phase.UPDATE)
            self._advance(updated, Phase.UPDATE)
            values |= {name: updated[name] for name in self.training.next_state.values()}
        for state in self.training.accumulators:
            self.state[state] = np.zeros_like(self.state[state])
        return StepResult(loss, values, accepted=finite)

    def _advance(self, values: Mapping[str, Array], phase: Phase) -> None:
        """Takes over the next values of the states that ``phase`` changes."""
        written = {out for node in self.training.nodes_in(phase) for out in node.outputs}
        for state, value in self.training.next_state.items():
            if value in written:
                self.state[state] = values[value]

    def _run(self, feeds: Mapping[str, Array], *phases: Phase) -> dict[str, Array]:
        known = {**self.state, **feeds}
        nodes = self.training.nodes_in(*phases)
        return run(self.training.graph, known, nodes, exact=self.exact)
