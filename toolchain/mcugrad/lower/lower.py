"""Chooses a kernel for every operator of a training graph."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from mcugrad.errors import ModelError
from mcugrad.ir.graph import ABSENT, Graph, Node, Phase, TrainingGraph
from mcugrad.lower.program import KernelCall, Program, Start
from mcugrad.ops import OpCall, lookup
from mcugrad.ops.base import CStruct
from mcugrad.ops.uniform import UniformAttrs

#: (symbol of a kernel, its parameters) -> bytes of scratch, as the C function says.
ScratchSize = Callable[[str, CStruct | None], int]

_WORD = 8


def lower(
    training: TrainingGraph, features: frozenset[str], scratch_size: ScratchSize, cores: int = 1
) -> Program:
    """The program for a target with ``features``, and so many cores.

    Raises:
        ModelError: no kernel of the target serves an operator as the model uses it.
    """
    graph = training.graph
    calls = []
    views = {value: state for state, value in training.next_state.items()}
    for node in graph.nodes:
        if lookup(node.op).view:
            views[node.outputs[0]] = node.inputs[0]
        else:
            call = _call(graph, node, training.phases[node.name], features, scratch_size)
            calls.append(replace(call, scratch=_of_cores(call, cores)))
    sample, target = graph.inputs
    prediction, loss = graph.outputs
    return Program(
        calls=tuple(calls),
        tensors=graph.tensors,
        views=views,
        inputs=(sample, target),
        outputs=(prediction, loss),
        traced=tuple(dict.fromkeys(training.gradients.values())),
        accumulators=training.accumulators,
        batch=training.batch,
        hyper=training.hyper,
        starts=_starts(graph, calls),
    )


def _of_cores(call: KernelCall, cores: int) -> int:
    """The scratch of all cores that share a call, each in whole words that hold any type."""
    return cores * -(-call.scratch // _WORD) * _WORD if call.shared else call.scratch


def _starts(graph: Graph, calls: Iterable[KernelCall]) -> dict[str, Start]:
    """What fills the STATE that is drawn, or that is some channels of a CONSTANT."""
    starts = {}
    for name, tensor in graph.tensors.items():
        if tensor.draw is not None:
            attrs = UniformAttrs(tensor.draw, tensor.shape, tensor.dtype)
            call = OpCall(attrs, (), (tensor,))
            kernel = next(k for k in lookup("uniform").kernels if k.serves(call, frozenset()))
            assert kernel.params is not None
            starts[name] = Start(kernel.symbol, kernel.params(call))
    for merge in calls:
        if merge.op == "merge_channels":
            whole, part = merge.inputs
            assert merge.params is not None
            symbol = f"mg_gather_channels_{graph.tensors[part].dtype}_fwd"
            starts[part] = Start(symbol, merge.params, (whole,))
    return starts


def _call(
    graph: Graph,
    node: Node,
    phase: Phase,
    features: frozenset[str],
    scratch_size: ScratchSize,
) -> KernelCall:
    op = lookup(node.op)
    call = OpCall(node.attrs, graph.operands(node), graph.results(node))
    kernel = next((k for k in op.kernels if k.serves(call, features)), None)
    if kernel is None:
        types = ", ".join(t.dtype for t in call.inputs if t is not None)
        raise ModelError(f"{node.name!r}: no kernel serves {node.op} of {types}")
    params = kernel.params(call) if kernel.params else None
    return KernelCall(
        name=node.name,
        op=node.op,
        phase=phase,
        symbol=kernel.symbol,
        params=params,
        quant=kernel.quant(call) if kernel.quant else None,
        inputs=node.inputs + (ABSENT,) * (kernel.arity - len(node.inputs)),
        outputs=node.outputs,
        scratch=scratch_size(kernel.symbol, params) if kernel.scratch else 0,
        inplace=kernel.inplace_pairs(call),
        products=op.products(call),
        shared=kernel.shared,
    )
