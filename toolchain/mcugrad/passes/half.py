"""Turns what is float32 in a forward graph into half precision, save its input and output."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from mcugrad.errors import ModelError
from mcugrad.ir.graph import Graph, GraphBuilder, Node
from mcugrad.ir.tensor import DType, Storage, Tensor
from mcugrad.ops import lookup
from mcugrad.ops.base import NoAttrs

_LARGEST = float(np.finfo(np.float16).max)


def in_half(graph: Graph) -> Graph:
    """``graph`` with its float operators in half, and casts where others meet them.

    int8 activations become half where they become real. Constants that only operators in half read
    keep their names.

    Raises:
        ModelError: a constant lies beyond the range of half precision.
    """
    found = _Half(graph)
    for node in graph.nodes:
        found.add(node)
    outputs = [found.operand(name, DType.F32) for name in graph.outputs]
    return found.builder.build(graph.name, graph.inputs, outputs).pruned()


def _has_half(graph: Graph, node: Node) -> bool:
    """Whether a node computes in half: it has floats, and kernels for half."""
    operands = [t for t in (*graph.operands(node), *graph.results(node)) if t is not None]
    floats = [t.dtype is DType.F32 for t in operands]
    if node.op == "dequantize":
        return graph.tensors[node.inputs[0]].dtype is DType.S8
    return all(floats) and lookup(node.op).supports(DType.F16)


@dataclass
class _Half:
    """The graph under construction; ``known`` has each tensor's name in either type."""

    graph: Graph
    builder: GraphBuilder = field(init=False)
    known: dict[tuple[str, DType], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.builder = GraphBuilder(dict(self.graph.tensors))
        self._consumers = self.graph.consumers()

    def add(self, node: Node) -> None:
        """Adds a node, in half if it can be."""
        half = _has_half(self.graph, node)
        dtype = DType.F16 if half else DType.F32
        inputs = tuple(self.operand(name, dtype) for name in node.inputs)
        for name in node.outputs:
            if half:
                tensor = replace(self.graph.tensors[name], dtype=DType.F16, quant=None)
                self.builder.tensors[name] = tensor
                self.known[name, DType.F16] = name
        op = "dequantize_half" if half and node.op == "dequantize" else node.op
        self.builder.add_node(replace(node, op=op, inputs=inputs))

    def operand(self, name: str, dtype: DType) -> str:
        """The name under which a tensor, if it is of floats, stands in that type."""
        tensor = self.builder.tensors.get(name)
        if tensor is None or not tensor.dtype.is_float:
            return name
        if (name, dtype) not in self.known:
            self.known[name, dtype] = self._other(tensor, dtype)
        return self.known[name, dtype]

    def _other(self, tensor: Tensor, dtype: DType) -> str:
        if tensor.dtype is dtype:
            return tensor.name
        if tensor.storage is not Storage.VALUE:
            return self._constant(tensor)
        new = self.builder.add_tensor(Tensor(f"{tensor.name}/{dtype}", tensor.shape, dtype))
        self.builder.add_node(
            Node(self.builder.unique(f"cast:{new}"), "cast", (tensor.name,), (new,), NoAttrs())
        )
        return new

    def _constant(self, tensor: Tensor) -> str:
        values = tensor.initial()
        greatest = float(np.max(np.abs(values), initial=0.0))
        if not greatest <= _LARGEST:
            raise ModelError(
                f"{tensor.name!r} holds {greatest:.6g}, beyond the {_LARGEST:.0f} of half "
                "precision: use --precision f32"
            )
        data = None if tensor.data is None else values.astype(np.float16)
        half = replace(tensor, dtype=DType.F16, data=data)
        if all(_has_half(self.graph, n) for n in self._consumers[tensor.name]):
            self.builder.tensors[tensor.name] = half
            return tensor.name
        return self.builder.add_tensor(half)
