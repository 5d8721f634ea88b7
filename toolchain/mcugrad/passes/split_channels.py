"""Runs a convolution and the depthwise convolution behind it for a group of channels at a time.

The blocks of mobile networks widen their input several times over, only to filter each channel
on its own. A channel of the wide feature map goes into no other channel of the result, so that
of the map no more than a group of channels need ever be there. No number changes; what it costs
is that the narrow input is read once a group, and that the groups' results are joined.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

from mcugrad.ir.graph import Graph, GraphBuilder, Node, Phase, TrainingGraph
from mcugrad.ir.tensor import QuantParams, Storage, Tensor, constant
from mcugrad.ops.concat import ConcatAttrs


def splittable(training: TrainingGraph) -> frozenset[str]:
    """The feature maps that can be computed in groups: nothing in or behind them learns."""
    graph = training.graph
    producers, consumers = graph.producers(), graph.consumers()
    return frozenset(
        name
        for name, node in producers.items()
        if node.op == "conv2d"
        and node.attrs.groups == 1
        and name not in graph.outputs
        and [n.op for n in consumers[name]] == ["depthwise_conv2d"]
        and consumers[name][0].inputs[0] == name
        and all(_is_frozen(graph, n) for n in (node, consumers[name][0]))
    )


def _is_frozen(graph: Graph, node: Node) -> bool:
    return all(graph.tensors[n].storage is Storage.CONSTANT for n in node.inputs[1:] if n)


def split_channels(training: TrainingGraph, name: str, groups: int) -> TrainingGraph:
    """With the feature map ``name``, one of :func:`splittable`, in ``groups`` groups."""
    graph = training.graph
    convolution = graph.producers()[name]
    (depthwise,) = graph.consumers()[name]
    builder = GraphBuilder(dict(graph.tensors))
    phases = dict(training.phases)

    def add(node: Node) -> str:
        added = builder.add_node(replace(node, name=builder.unique(node.name)))
        phases[added.name] = Phase.FORWARD
        return node.outputs[0]

    def slices(node: Node, x: str, low: int, high: int) -> str:
        """The node for channels ``low`` to ``high`` of its result."""
        operands = [_sliced(builder, n, low, high) if n else n for n in node.inputs[1:]]
        out = builder.tensors[node.outputs[0]]
        part = replace(out, name=f"{out.name}/{low}", shape=(*out.shape[:3], high - low))
        result = builder.add_tensor(part)
        return add(replace(node, inputs=(x, *operands), outputs=(result,)))

    count, multiplier = graph.tensors[name].shape[3], depthwise.attrs.multiplier
    for node in graph.nodes:
        if node is depthwise:
            parts = []
            for low, high in pairwise(count * i // groups for i in range(groups + 1)):
                wide = slices(convolution, convolution.inputs[0], low, high)
                parts.append(slices(depthwise, wide, low * multiplier, high * multiplier))
            add(Node(depthwise.name, "concat", tuple(parts), depthwise.outputs, ConcatAttrs(3)))
        elif node is not convolution:
            builder.add_node(node)
    split = builder.build(graph.name, graph.inputs, graph.outputs)
    used = {n for node in split.nodes for n in (*node.inputs, *node.outputs)}
    # A sample has its place, as the hyper-parameters have theirs, where nothing learns too.
    used |= {*graph.inputs, training.hyper}
    kept = {n: t for n, t in split.tensors.items() if n in used}
    names = {node.name for node in split.nodes}
    return replace(
        training,
        graph=split.with_(tensors=kept),
        phases={n: p for n, p in phases.items() if n in names},
    )


def _sliced(builder: GraphBuilder, name: str, low: int, high: int) -> str:
    """The constant for output channels ``low`` to ``high``: a bias or weights."""
    tensor = builder.tensors[name]
    axis = _output_axis(tensor)
    part = tensor.initial()[(slice(None),) * axis + (slice(low, high),)]
    quant = tensor.quant
    if quant is not None and quant.axis is not None:
        quant = QuantParams(quant.scale[low:high], quant.zero_point[low:high], quant.axis)
    return builder.add_tensor(constant(f"{name}/{low}", part, quant))


def _output_axis(tensor: Tensor) -> int:
    """Of a bias [O], a convolution's weights [O, KH, KW, C], a depthwise one's [KH, KW, O]."""
    return 2 if len(tensor.shape) == 3 else 0


def with_splits(training: TrainingGraph, splits: Iterable[tuple[str, int]]) -> TrainingGraph:
    """With each of these feature maps in so many groups, where it can be split."""
    for name, groups in splits:
        if name in splittable(training):
            training = split_channels(training, name, groups)
    return training
