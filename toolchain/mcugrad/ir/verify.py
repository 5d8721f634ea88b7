"""The graph verifier, which runs between every two stages."""

from __future__ import annotations

from collections.abc import Sequence

from mcugrad.errors import InternalError
from mcugrad.ir.graph import Graph, Node
from mcugrad.ir.tensor import DType, Storage, Tensor
from mcugrad.ops import OpCall, lookup, registered


def verify(graph: Graph) -> None:
    """Raises ``InternalError`` that names node and tensor unless the graph is sound."""
    for name, tensor in graph.tensors.items():
        _verify_tensor(name, tensor)
    known = {n for n, t in graph.tensors.items() if t.storage is not Storage.VALUE}
    for name in graph.inputs:
        _require(name in graph.tensors, f"graph input {name!r} does not exist")
        _require(name not in known, f"graph input {name!r} is not a value, or stands twice")
        known.add(name)
    names: set[str] = set()
    for node in graph.nodes:
        where = f"node {node.name!r} ({node.op})"
        _require(node.name not in names, f"{where}: its name stands twice")
        names.add(node.name)
        _verify_operands(graph, node, known, where)
        _verify_types(graph, node, where)
        known.update(node.outputs)
    for name in graph.outputs:
        _require(name in known, f"graph output {name!r} is never computed")


def _verify_tensor(name: str, tensor: Tensor) -> None:
    where = f"tensor {name!r}"
    _require(tensor.name == name, f"{where} is called {tensor.name!r}")
    _require(all(d > 0 for d in tensor.shape), f"{where} has the shape {tensor.shape}")
    if tensor.data is not None:
        _require(
            tensor.data.shape == tensor.shape and tensor.data.dtype == tensor.dtype.numpy,
            f"{where} holds {tensor.data.dtype} {tensor.data.shape}",
        )
    if tensor.draw is not None:
        _require(
            tensor.data is None and tensor.storage is Storage.STATE, f"{where} is drawn, yet stored"
        )
    if tensor.storage is Storage.CONSTANT:
        _require(tensor.data is not None, f"{where} is a constant without data")
    if tensor.storage is Storage.VALUE:
        _require(tensor.data is None, f"{where} is a value, yet holds data")
    if tensor.dtype is DType.S8 and tensor.storage is not Storage.STATE:
        _require(tensor.quant is not None, f"{where} is int8 without quantisation")
    if tensor.quant is not None:
        q = tensor.quant
        axis_fits = q.axis is None or 0 <= q.axis < len(tensor.shape)
        wanted = 1 if q.axis is None or not axis_fits else tensor.shape[q.axis]
        _require(
            axis_fits and len(q.scale) == len(q.zero_point) == wanted,
            f"{where} has quantisation that does not fit its shape",
        )


def _verify_operands(graph: Graph, node: Node, known: set[str], where: str) -> None:
    _require(node.op in registered(), f"{where}: no such operator")
    wanted = lookup(node.op).attrs
    _require(
        type(node.attrs) is wanted,
        f"{where}: attributes are {type(node.attrs).__name__}, not {wanted.__name__}",
    )
    for name in node.inputs:
        _require(not name or name in graph.tensors, f"{where}: input {name!r} does not exist")
        _require(not name or name in known, f"{where}: input {name!r} is read before it is written")
    _require(len(set(node.outputs)) == len(node.outputs), f"{where}: an output stands twice")
    for name in node.outputs:
        _require(name in graph.tensors, f"{where}: output {name!r} does not exist")
        _require(name not in known, f"{where}: output {name!r} already has a value")


def _verify_types(graph: Graph, node: Node, where: str) -> None:
    results = graph.results(node)
    call = OpCall(node.attrs, graph.operands(node), results)
    try:
        specs = lookup(node.op).infer(call)
    except ValueError as error:
        raise InternalError(f"{where}, output {_names(results)}: {error}") from error
    _require(len(specs) == len(results), f"{where}: {len(results)} outputs instead of {len(specs)}")
    for spec, tensor in zip(specs, results, strict=True):
        _require(
            spec.shape == tensor.shape and spec.dtype is tensor.dtype,
            f"{where}: output {tensor.name!r} is {tensor.dtype} {list(tensor.shape)}, "
            f"not {spec.dtype} {list(spec.shape)}",
        )


def _names(tensors: Sequence[Tensor]) -> str:
    return ", ".join(repr(t.name) for t in tensors)


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise InternalError(message)
