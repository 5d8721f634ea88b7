"""Graphs in a folder: structure as JSON, contents of tensors as .npz.

What is read back is trusted no more than a model file: declared types decide how each value
is decoded, and the graph is verified.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mcugrad.errors import InternalError, ModelError
from mcugrad.ir.codec import decode, encode
from mcugrad.ir.graph import Graph, Learning, Node, Phase, TrainingGraph
from mcugrad.ir.tensor import Array, DType, QuantParams, Storage, Tensor
from mcugrad.ir.verify import verify
from mcugrad.ops import registered

FORMAT = 1
MAX_BYTES = 1 << 28

_STRUCTURE, _CONTENTS = "graph.json", "graph.npz"


@dataclass(frozen=True)
class _Tensor:
    """A tensor; ``data`` is the number of its content in the .npz."""

    name: str
    shape: tuple[int, ...]
    dtype: DType
    quant: QuantParams | None
    storage: Storage
    data: int | None


@dataclass(frozen=True)
class _Training:
    phases: Mapping[str, Phase]
    learning: tuple[Learning, ...]
    next_state: Mapping[str, str]
    gradients: Mapping[str, str]
    batch: int
    hyper: str


@dataclass(frozen=True)
class _Saved:
    format: int
    name: str
    tensors: tuple[_Tensor, ...]
    nodes: tuple[Node, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    training: _Training | None = None


def save_graph(graph: Graph | TrainingGraph, folder: Path) -> None:
    """Writes the graph to ``folder``, which is made; the same graph gives the same bytes."""
    forward, training = graph, None
    if isinstance(graph, TrainingGraph):
        forward = graph.graph
        training = _Training(
            graph.phases,
            graph.learning,
            graph.next_state,
            graph.gradients,
            graph.batch,
            graph.hyper,
        )
    assert isinstance(forward, Graph)
    contents: list[Array] = []
    tensors = []
    for t in forward.tensors.values():
        number = None
        if t.data is not None or t.draw is not None:
            number = len(contents)
            contents.append(t.initial())
        tensors.append(_Tensor(t.name, t.shape, t.dtype, t.quant, t.storage, number))
    saved = _Saved(
        FORMAT,
        forward.name,
        tuple(tensors),
        forward.nodes,
        forward.inputs,
        forward.outputs,
        training,
    )
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / _CONTENTS, *contents)
    text = json.dumps(encode(saved), indent=1, allow_nan=False)
    (folder / _STRUCTURE).write_text(text + "\n", encoding="utf-8")


def load_graph(folder: Path) -> Graph:
    """The graph that was saved there; of a training graph, its operators alone."""
    return _load(folder)[0]


def load_training_graph(folder: Path) -> TrainingGraph:
    """The training graph that was saved there."""
    graph, training = _load(folder)
    if training is None:
        raise ModelError(f"{folder}: it holds no training graph")
    loaded = TrainingGraph(graph=graph, **vars(training))
    try:
        _verify_training(loaded)
    except ValueError as error:
        raise ModelError(f"{folder}: {error}") from error
    return loaded


def _load(folder: Path) -> tuple[Graph, _Training | None]:
    try:
        if (folder / _STRUCTURE).stat().st_size > MAX_BYTES:
            raise ModelError(f"{folder}: {_STRUCTURE} is too large")
        saved = decode(_Saved, json.loads((folder / _STRUCTURE).read_text(encoding="utf-8")))
        if saved.format != FORMAT:
            raise ModelError(f"{folder}: format {saved.format} instead of {FORMAT}")
        with zipfile.ZipFile(folder / _CONTENTS) as archive:
            tensors = {t.name: _tensor(t, archive) for t in saved.tensors}
        nodes = tuple(replace(n, attrs=_attrs(n)) for n in saved.nodes)
        graph = Graph(saved.name, tensors, nodes, saved.inputs, saved.outputs)
        verify(graph)
    except OSError as error:
        raise ModelError(f"{folder}: cannot be read: {error.strerror or error}") from error
    except (ValueError, KeyError, RecursionError, zipfile.BadZipFile, InternalError) as error:
        raise ModelError(f"{folder}: not a saved graph: {error}") from error
    return graph, saved.training


def _attrs(node: Node) -> Any:
    if node.op not in registered():
        raise ValueError(f"no operator {node.op!r}")
    return decode(registered()[node.op].attrs, node.attrs)


def _tensor(saved: _Tensor, archive: zipfile.ZipFile) -> Tensor:
    tensor = Tensor(saved.name, saved.shape, saved.dtype, saved.quant, saved.storage)
    return tensor if saved.data is None else replace(tensor, data=_content(tensor, saved, archive))


def _content(tensor: Tensor, saved: _Tensor, archive: zipfile.ZipFile) -> Array:
    """The array, whose header must agree with the tensor before any memory is taken."""
    info = archive.getinfo(f"arr_{saved.data}.npy")
    if info.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{tensor.name!r} is compressed")
    with archive.open(info) as file:
        version = np.lib.format.read_magic(file)
        if version != (1, 0):
            raise ValueError(f"{tensor.name!r} has an array of version {version}")
        shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(file)
        if fortran_order or shape != tensor.shape or dtype != tensor.dtype.numpy:
            raise ValueError(f"{tensor.name!r} does not hold {tensor.dtype} {tensor.shape}")
        return np.frombuffer(file.read(), dtype).reshape(shape)


def _verify_training(training: TrainingGraph) -> None:
    graph = training.graph
    named = {n.name for n in graph.nodes}
    tensors = {
        *(t for item in training.learning for t in (item.tensor, item.gradient)),
        *training.next_state.keys(),
        *training.next_state.values(),
        *training.gradients.keys(),
        *training.gradients.values(),
        training.hyper,
    }
    if set(training.phases) != named:
        raise ValueError("not every node has a phase")
    if unknown := tensors - graph.tensors.keys():
        raise ValueError(f"there is no tensor {min(unknown)!r}")
    if len(graph.inputs) != 2 or len(graph.outputs) != 2 or training.batch < 1:
        raise ValueError("it is not a training graph")
    computed = graph.producers()
    for state, value in training.next_state.items():
        if graph.tensors[state].storage is not Storage.STATE or value not in computed:
            raise ValueError(f"{state!r} cannot become {value!r}")
        if graph.tensors[state].shape != graph.tensors[value].shape:
            raise ValueError(f"{state!r} and {value!r} differ in shape")
