"""Whether the portable kernels can run an imported graph."""

from __future__ import annotations

from mcugrad.errors import ModelError
from mcugrad.ir.graph import Graph, Node
from mcugrad.ops import OpCall, lookup


def check_supported(graph: Graph) -> None:
    """Raises ``ModelError`` for a node that no kernel takes, or whose parameters have none."""
    for node in graph.nodes:
        if not lookup(node.op).view:
            _check(graph, node)


def _check(graph: Graph, node: Node) -> None:
    call = OpCall(node.attrs, graph.operands(node), graph.results(node))
    kernel = lookup(node.op).kernel(call, frozenset())
    where = f"node {node.name!r} ({node.op}), output {node.outputs[0]!r}"
    if kernel is None:
        raise ModelError(f"{where}: no kernel takes {call.dtype}")
    for make in (kernel.params, kernel.quant):
        try:
            if make is not None:
                make(call)
        except (ValueError, OverflowError) as error:
            raise ModelError(f"{where}: {error}") from error
