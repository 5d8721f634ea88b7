"""Takes mask, bias sum and scaling of a gradient in one pass over it.

Each alone would read the whole gradient, and most would write it, for an operation an element.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from mcugrad.ir.graph import Graph, Node, TrainingGraph


def fuse_sums(training: TrainingGraph) -> TrainingGraph:
    """With each bias sum in one node with the mask or the scaling of the gradient it is of.

    A mask goes along with a scaling where nothing else reads what it lets through. No result
    changes.
    """
    found = _Sums(training.graph)
    for node in training.graph.nodes:
        if node.op == "channel_sum":
            found.fuse(node)
    return training.with_nodes(found.nodes())


@dataclass
class _Sums:
    """What was found to fuse: the new node by the name of the first that it stands for."""

    graph: Graph
    fused: dict[str, Node] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._producers, self._consumers = self.graph.producers(), self.graph.consumers()

    def nodes(self) -> list[Node]:
        """All nodes, in an order in which they can run."""
        kept = [n for n in self.graph.nodes if n.name not in self.gone or n.name in self.fused]
        return [self.fused.get(n.name, n) for n in kept]

    def fuse(self, total: Node) -> None:
        """Looks for what goes along with a bias sum."""
        dy, *gathered = total.inputs
        mask = self._producers.get(dy)
        if mask is not None and mask.op != "saturation_mask_bwd":
            mask = None
        readers = self._consumers[dy]
        scaling = next((n for n in readers if n.op == "scale_channels"), None)
        if self.graph.tensors[dy].dtype.is_float:
            if mask is not None:
                inputs, outputs = (*mask.inputs, *gathered), (dy, *total.outputs)
                self._take(
                    (mask, total), replace(total, op="masked_sum", inputs=inputs, outputs=outputs)
                )
        elif scaling is not None:
            alone = mask is not None and len(readers) == 2
            first = mask if mask is not None and alone else scaling
            node = replace(
                scaling,
                op="scaled_sum",
                inputs=first.inputs,
                outputs=(*scaling.outputs, *total.outputs),
            )
            self._take((first, scaling, total), node)

    def _take(self, nodes: tuple[Node, ...], fused: Node) -> None:
        names = {n.name for n in nodes}
        first = next(n.name for n in self.graph.nodes if n.name in names)
        self.fused[first] = fused
        self.gone |= names
