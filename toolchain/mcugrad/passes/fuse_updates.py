"""Updates weights as their gradient is formed, so that it is never there as a whole.

With integer gradients alone: they are finite when the loss is, which is looked at before. A float
gradient has to be complete before it is known to be finite, and nothing may change unless it is.
"""

from __future__ import annotations

from mcugrad.ir.graph import Node, TrainingGraph
from mcugrad.ops.weight_step import WeightStepAttrs

_GRADIENT = "_bwd_weight_integer"


def fuse_updates(training: TrainingGraph) -> TrainingGraph:
    """With the weight gradients that only an update reads, and that update, as one node each.

    No result changes.
    """
    graph = training.graph
    producers, consumers = graph.producers(), graph.consumers()
    fused: dict[str, Node | None] = {}
    for node in graph.nodes:
        if node.op != "sgd_integer":
            continue
        w, dw, *rest = node.inputs
        gradient = producers[dw]
        if gradient.op.endswith(_GRADIENT) and len(consumers[dw]) == 1:
            fused[gradient.name] = None
            fused[node.name] = Node(
                node.name,
                f"{gradient.op.removesuffix(_GRADIENT)}_weight_step",
                (*gradient.inputs, w, *rest),
                node.outputs,
                WeightStepAttrs(gradient.attrs, node.attrs),
            )
    nodes = (fused.get(n.name, n) for n in graph.nodes)
    return training.with_nodes(n for n in nodes if n is not None)
