"""A case of an operator as a graph of one node."""

from __future__ import annotations

from mcugrad.ir.graph import Graph, Node
from mcugrad.ir.tensor import Array, Storage, Tensor, constant
from tests.ops.case import Case

#: Their operands after the first are parameters, which TFLite wants as constants.
_WITH_PARAMETERS = {"conv2d", "depthwise_conv2d", "fully_connected"}


def case_graph(case: Case) -> tuple[Graph, dict[str, Array]]:
    """The graph, and the content of its inputs."""
    tensors: dict[str, Tensor] = {}
    names: list[str] = []
    feeds: dict[str, Array] = {}
    for index, (tensor, data) in enumerate(zip(case.call.inputs, case.stored, strict=True)):
        if tensor is None or data is None:
            names.append("")
            continue
        names.append(tensor.name)
        if tensor.storage is Storage.VALUE and not (index and case.op in _WITH_PARAMETERS):
            tensors[tensor.name] = tensor
            feeds[tensor.name] = data
        else:
            tensors[tensor.name] = constant(tensor.name, data, tensor.quant)
    outputs = {t.name: t for t in case.call.outputs}
    node = Node("node", case.op, tuple(names), tuple(outputs), case.attrs)
    return Graph(case.label, tensors | outputs, (node,), tuple(feeds), tuple(outputs)), feeds
