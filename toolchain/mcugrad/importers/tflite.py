"""Import of .tflite files: float32 and int8, one subgraph, batch of one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mcugrad.errors import InternalError, ModelError, UsageError
from mcugrad.importers.supported import check_supported
from mcugrad.importers.tflite_file import MAX_FILE_BYTES, ModelFile, Operator, printable
from mcugrad.importers.tflite_ops import IMPORTERS, Use
from mcugrad.importers.tflite_tensors import TensorReader
from mcugrad.ir.graph import Graph, Node
from mcugrad.ir.tensor import Storage, Tensor
from mcugrad.ir.verify import verify


def import_tflite(path: Path) -> Graph:
    """The graph of the forward pass in the file.

    Raises:
        UsageError: the file cannot be read.
        ModelError: it is malformed, or holds something that is not supported.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    return parse_tflite(data, path.name)


def parse_tflite(data: bytes, name: str) -> Graph:
    """As :func:`import_tflite`, of a file's content; the graph is named after the file."""
    with _named(name):
        return _graph(ModelFile(data), printable(Path(name).stem.encode()))


def _graph(file: ModelFile, name: str) -> Graph:
    operators = _needed(file)
    _refuse_unsupported(file, operators)
    reader = TensorReader(file)
    _check_inputs(file, reader)
    written = set(file.inputs)
    tensors: dict[str, Tensor] = {t.name: t for t in map(reader.tensor, file.inputs)}
    nodes: list[Node] = []
    for operator in operators:
        with _named(f"operator {operator.position}, {operator.builtin}"):
            _check_order(operator, reader, written)
            use = Use(operator, reader)
            IMPORTERS[operator.builtin].make(use)
            for tensor in use.tensors:
                known = tensors.setdefault(tensor.name, tensor)
                if (known.shape, known.dtype) != (tensor.shape, tensor.dtype):
                    raise ModelError(f"tensor {tensor.name!r} is used with two types")
            nodes += use.nodes
            written.update(operator.outputs)
    for index in file.outputs:
        if index not in written or reader.tensor(index).storage is Storage.CONSTANT:
            raise ModelError(f"output {reader.name(index)!r} is not computed by any operator")
    outputs = tuple(reader.name(i) for i in file.outputs)
    graph = Graph(name, tensors, tuple(nodes), tuple(reader.name(i) for i in file.inputs), outputs)
    try:
        verify(graph)
    except InternalError as error:
        raise ModelError(str(error)) from error
    check_supported(graph)
    return graph


def _needed(file: ModelFile) -> list[Operator]:
    """The operators that an output depends on, in order."""
    if not file.inputs or not file.outputs:
        raise ModelError("the model has no input or no output")
    wanted = set(file.outputs)
    kept: list[Operator] = []
    for operator in reversed(file.operators):
        if wanted.intersection(operator.outputs):
            importer = IMPORTERS.get(operator.builtin)
            wanted.update(operator.inputs[: importer.reads if importer else None])
            kept.append(operator)
    return kept[::-1]


def _refuse_unsupported(file: ModelFile, operators: list[Operator]) -> None:
    unsupported = [o for o in operators if o.builtin not in IMPORTERS]
    if not unsupported:
        return
    named = [
        f"operator {o.position} of {len(file.operators)}, {o.builtin} "
        f"(output tensor {printable(file.subgraph.Tensors(o.outputs[0]).Name())!r})"
        for o in unsupported[:5]
    ]
    if len(unsupported) > 5:
        named.append(f"{len(unsupported) - 5} more")
    raise ModelError(f"not supported: {'; '.join(named)}; `mcugrad ops` lists what is supported")


def _check_inputs(file: ModelFile, reader: TensorReader) -> None:
    for index in {*file.inputs, *file.outputs}:
        if not 0 <= index < file.tensor_count:
            raise ModelError("an input or output of the model does not exist")
    for index in file.inputs:
        tensor = reader.tensor(index)
        if tensor.storage is Storage.CONSTANT:
            raise ModelError(f"input {tensor.name!r} is a constant")
        if len(tensor.shape) > 1 and tensor.shape[0] != 1:
            raise ModelError(
                f"input {tensor.name!r} has a batch of {tensor.shape[0]}; "
                "convert the model with a batch size of 1"
            )


def _check_order(operator: Operator, reader: TensorReader, written: set[int]) -> None:
    """Every operand is there before it is read, and every tensor has one writer."""
    if len(operator.outputs) != 1:
        raise ModelError(f"{len(operator.outputs)} outputs instead of 1")
    for index in operator.inputs[: IMPORTERS[operator.builtin].reads]:
        if index >= 0 and index not in written and not reader.is_constant(index):
            raise ModelError(f"it reads {reader.name(index)!r} before any operator writes it")
    output = operator.outputs[0]
    if output in written or reader.is_constant(output):
        raise ModelError(f"it writes {reader.name(output)!r}, which already has a value")


@contextmanager
def _named(where: str) -> Iterator[None]:
    """Puts ``where`` before the message of any error that the file causes."""
    try:
        yield
    except (ModelError, ValueError) as error:
        raise ModelError(f"{where}: {error}") from error
