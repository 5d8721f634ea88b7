"""A graph as text: one line a tensor that is stored, one line a node."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from mcugrad.ir.graph import Graph, Node
from mcugrad.ir.tensor import QuantParams, Storage, Tensor


def graph_text(graph: Graph) -> str:
    """The same text for the same graph; constants stand for themselves by a checksum."""
    return "\n".join(_lines(graph)) + "\n"


def _lines(graph: Graph) -> Iterator[str]:
    yield f"graph {graph.name!r}"
    for name in graph.inputs:
        yield f"input {_typed(graph.tensors[name])}"
    for tensor in graph.tensors.values():
        if tensor.storage is not Storage.VALUE:
            crc = zlib.crc32(tensor.initial().tobytes())
            yield f"{tensor.storage} {_typed(tensor)} crc {crc:08x}"
    for node in graph.nodes:
        yield _node(graph, node)
    for name in graph.outputs:
        yield f"output {name!r}"


def _node(graph: Graph, node: Node) -> str:
    results = ", ".join(_typed(t) for t in graph.results(node))
    operands = ", ".join(repr(n) if n else "-" for n in node.inputs)
    attrs = _attrs(node.attrs)
    return f"{node.name}: {results} = {node.op}({operands})" + (f" {attrs}" if attrs else "")


def _typed(tensor: Tensor) -> str:
    shape = ", ".join(map(str, tensor.shape))
    return f"{tensor.name!r} {tensor.dtype}[{shape}]{_quant(tensor.quant)}"


def _quant(quant: QuantParams | None) -> str:
    if quant is None:
        return ""
    if quant.axis is None:
        scale, zero_point = quant.per_tensor
        return f" scale {scale:.6g} zero {zero_point}"
    return f" scales {min(quant.scale):.6g}..{max(quant.scale):.6g} axis {quant.axis}"


def _attrs(attrs: Any) -> str:
    """The fields that differ from their defaults."""
    changed = [(f.name, getattr(attrs, f.name)) for f in fields(attrs)]
    defaults = {f.name: f.default for f in fields(attrs)}
    return ", ".join(f"{name} {_value(v)}" for name, v in changed if v != defaults[name])


def _value(value: Any) -> str:
    if is_dataclass(value):
        return f"({_attrs(value)})"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
