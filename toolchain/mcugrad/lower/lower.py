"""Chooses a kernel for every operator of a training graph."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from mcugrad.errors import ModelError
from mcugrad.ir.graph import ABSENT, Graph, Node, Phase, TrainingGraph
from mcugrad.lower.layouts import choose_layouts, packed
from mcugrad.lower.program import KernelCall, Program, Start
from mcugrad.ops import OpCall, lookup
from mcugrad.ops.base import CStruct, Kernel, Layout
from mcugrad.ops.uniform import UniformAttrs

#: (symbol of a kernel, its parameters) -> bytes of scratch, as the C function says.
ScratchSize = Callable[[str, CStruct | None], int]

_WORD = 8


def lower(
    training: TrainingGraph,
    features: frozenset[str],
    scratch_size: ScratchSize,
    cores: int = 1,
    *,
    pack: bool = True,
) -> Program:
    """The program for a target with ``features``, and so many cores.

    With ``pack``, constant weights lie as their kernels want them, where these agree.

    Raises:
        ModelError: no kernel of the target serves an operator as the model uses it.
    """
    graph = training.graph
    layouts = choose_layouts(graph, features) if pack else {}
    calls = []
    views = {value: state for state, value in training.next_state.items()}
    for node in graph.nodes:
        if lookup(node.op).view:
            views[node.outputs[0]] = node.inputs[0]
        else:
            kernel, operands = _kernel(graph, node, features, layouts)
            call = _call(kernel, operands, node, training.phases[node.name], scratch_size)
            calls.append(replace(call, scratch=_of_cores(call, cores)))
    sample, target = graph.inputs
    prediction, loss = graph.outputs
    return Program(
        calls=tuple(calls),
        tensors={
            name: packed(tensor, layouts[name]) if name in layouts else tensor
            for name, tensor in graph.tensors.items()
        },
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
            kernel = _portable("uniform", call)
            assert kernel.params is not None
            starts[name] = Start(kernel.symbol, kernel.params(call))
    for merge in calls:
        if merge.op == "merge_channels":
            whole, part = merge.inputs
            gather = _portable("gather_channels", OpCall(None, (graph.tensors[whole],), ()))
            assert merge.params is not None
            starts[part] = Start(gather.symbol, merge.params, (whole,))
    return starts


def _portable(op: str, call: OpCall) -> Kernel:
    kernel = lookup(op).kernel(call, frozenset())
    assert kernel is not None
    return kernel


def _kernel(
    graph: Graph, node: Node, features: frozenset[str], layouts: Mapping[str, Layout]
) -> tuple[Kernel, OpCall]:
    """The kernel of a node, and the operands it is for."""
    call = OpCall(node.attrs, graph.operands(node), graph.results(node))
    layout = next((layouts[n] for n in node.inputs if n in layouts), None)
    kernel = lookup(node.op).kernel(call, features, layout)
    if kernel is None:
        types = ", ".join(t.dtype for t in call.inputs if t is not None)
        raise ModelError(f"{node.name!r}: no kernel serves {node.op} of {types}")
    return kernel, call


def _call(
    kernel: Kernel, call: OpCall, node: Node, phase: Phase, scratch_size: ScratchSize
) -> KernelCall:
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
        products=lookup(node.op).products(call),
        shared=kernel.shared,
    )
