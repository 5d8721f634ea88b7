"""What cannot be imported is refused in one line that says what and where."""

from __future__ import annotations

import struct
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from mcugrad.errors import ModelError, UsageError
from mcugrad.importers.flatbuffer import MAX_TABLES
from mcugrad.importers.tflite import import_tflite, parse_tflite
from mcugrad.importers.tflite_file import MAX_FILE_BYTES
from mcugrad.ir.tensor import QuantParams
from tests.support.tflite_files import small_networks
from tests.support.tflite_writer import ModelWriter

Q = QuantParams((0.5,), (3,))


def _refused(data: bytes, reason: str) -> None:
    with pytest.raises(ModelError, match=reason) as caught:
        parse_tflite(data, "model.tflite")
    assert str(caught.value).isprintable()
    assert str(caught.value).startswith("model.tflite: ")
    assert caught.value.exit_code == 3


def _unary(builtin: str = "RELU", options: Any = None, **changes: Any) -> bytes:
    """A model of one operator, with attributes of its tensor ``x`` changed."""
    model = ModelWriter()
    x = model.tensor("x", (1, 4), np.float32)
    y = model.tensor("y", (1, 4), np.float32)
    for name, value in changes.items():
        setattr(model.tensors[x], name, value)
    model.operator(builtin, [x], [y], options)
    return model.finish([x], [y])


def test_unsupported_operators_are_named_with_their_positions() -> None:
    model = ModelWriter()
    names = [model.tensor(n, (1, 4), np.float32) for n in "abcde"]
    for i, builtin in enumerate(("RELU", "TRANSPOSE", "RELU", "COS")):
        model.operator(builtin, [names[i]], [names[i + 1]])
    _refused(
        model.finish(names[:1], names[-1:]),
        r"operator 1 of 4, TRANSPOSE \(output tensor 'c'\); operator 3 of 4, COS \(output tensor "
        r"'e'\); `mcugrad ops` lists what is supported$",
    )


def test_custom_operator_is_named() -> None:
    model = ModelWriter()
    x, y = (model.tensor(n, (1, 4), np.float32) for n in "xy")
    model.operator("CUSTOM", [x], [y])
    model.codes[0].customCode = "Flex\nDetect"
    _refused(model.finish([x], [y]), "CUSTOM 'Flex_Detect'")


def test_operators_that_no_output_needs_may_be_anything() -> None:
    """As the SHAPE chains are that Keras exports beside a RESHAPE with a static result."""
    model = ModelWriter()
    x = model.tensor("x", (1, 4), np.float32)
    shape = model.tensor("shape", (2,), np.int32)
    y = model.tensor("y", (2, 2), np.float32)
    model.operator("SHAPE", [x], [shape])
    model.operator("RESHAPE", [x, shape], [y])
    graph = parse_tflite(model.finish([x], [y]), "model.tflite")
    assert [n.op for n in graph.nodes] == ["reshape"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "0 bytes are too few"),
        (b"\x08\0\0\0ABCD" + bytes(40), "the file identifier is not 'TFL3'"),
        (struct.pack("<I", 1 << 31) + b"TFL3" + bytes(40), "outside the file"),
        (b"\x0c\0\0\0TFL3" + bytes(100), "impossible header"),
        (_unary(type=schema.TensorType.UINT8), "'x' is UINT8; tensors must be FLOAT32 or INT8"),
        (_unary(type=schema.TensorType.INT16), "'x' is INT16"),
        (_unary(type=schema.TensorType.INT32), "'x' is INT32"),
        (_unary(type=schema.TensorType.INT8), "'x' is INT8 without quantisation"),
        (_unary(type=99), "'x' is type 99"),
        (_unary(isVariable=True), "'x' is a variable"),
        (_unary(sparsity=schema.SparsityParametersT()), "'x' is sparse"),
        (_unary(buffer=77), "'x' has buffer 77, which does not exist"),
        (_unary(shape=[7, 4]), "batch of 7; convert the model with a batch size of 1"),
        (_unary(shape=[1] * 7), "'x' has 7 dimensions"),
        (_unary(shape=[1, 0]), r"'x' has the impossible shape \[1, 0\]"),
        (_unary(shape=[1, -3]), r"'x' has the impossible shape"),
        (_unary(shape=[1, 1 << 30]), "'x' of shape .* is too large"),
        (_unary(shapeSignature=[-1, -1]), "dynamic shape .* export with a fixed shape"),
        (_unary(shape=[1, 5]), r"'y' is f32 \[1, 4\], not f32 \[1, 5\]"),
        (_unary("ADD", schema.MulOptionsT()), "operator 0, ADD: its options are those of another"),
        (_unary("ADD", schema.AddOptionsT()), "operator 0, ADD: input 1 is missing"),
    ],
)
def test_malformed_or_unsupported(data: bytes, reason: str) -> None:
    _refused(data, reason)


def test_a_dynamic_batch_is_a_batch_of_one() -> None:
    graph = parse_tflite(_unary(shapeSignature=[-1, 4]), "model.tflite")
    assert graph.tensors["x"].shape == (1, 4)


def _quantised(**changes: Any) -> bytes:
    """A model of one operator, with attributes of its operand's quantisation changed."""
    model = ModelWriter()
    x, y = (model.tensor(n, (1, 4), np.int8, Q) for n in "xy")
    for name, value in changes.items():
        setattr(model.tensors[x].quantization, name, value)
    model.operator("RELU", [x], [y])
    return model.finish([x], [y])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (_quantised(scale=[0.0]), "scale that no tensor can have"),
        (_quantised(scale=[-0.5]), "scale that no tensor can have"),
        (_quantised(scale=[float("nan")]), "scale that no tensor can have"),
        (_quantised(zeroPoint=[200]), "zero point that is not an int8 value"),
        (_quantised(zeroPoint=[1, 2]), "one zero point for each scale"),
        (_quantised(scale=[0.5, 0.5]), "2 scales, which do not fit its shape"),
        (
            _quantised(scale=[0.5] * 4, zeroPoint=[0] * 4, quantizedDimension=1),
            "'x' is computed, but quantised per channel",
        ),
    ],
)
def test_quantisation_that_makes_no_sense(data: bytes, reason: str) -> None:
    _refused(data, reason)


def test_operators_out_of_order() -> None:
    model = ModelWriter()
    a, b, c = (model.tensor(n, (1, 4), np.float32) for n in "abc")
    model.operator("RELU", [b], [c])
    model.operator("RELU", [a], [b])
    _refused(model.finish([a], [c]), "operator 0, RELU: it reads 'b' before any operator writes it")


def test_cycle() -> None:
    model = ModelWriter()
    x, b, c = (model.tensor(n, (1, 4), np.float32) for n in "xbc")
    model.operator("ADD", [x, c], [b], schema.AddOptionsT())
    model.operator("RELU", [b], [c])
    _refused(model.finish([x], [c]), "it reads 'c' before any operator writes it")


def test_two_writers() -> None:
    model = ModelWriter()
    a, b = (model.tensor(n, (1, 4), np.float32) for n in "ab")
    model.operator("RELU", [a], [b])
    model.operator("RELU6", [a], [b])
    _refused(model.finish([a], [b]), "it writes 'b', which already has a value")


def test_output_that_nothing_computes() -> None:
    model = ModelWriter()
    a, b = (model.tensor(n, (1, 4), np.float32) for n in "ab")
    _refused(model.finish([a], [b]), "output 'b' is not computed by any operator")


def test_weights_that_do_not_fill_their_buffer() -> None:
    model = ModelWriter()
    x = model.tensor("x", (1, 4), np.float32)
    w = model.tensor("w", (2, 4), np.float32, data=np.zeros(7, np.float32))
    y = model.tensor("y", (1, 2), np.float32)
    model.operator("FULLY_CONNECTED", [x, w, -1], [y], schema.FullyConnectedOptionsT())
    _refused(model.finish([x], [y]), r"'w' is \[2, 4\] of FLOAT32 but its buffer has 28 bytes")


def test_weights_that_are_not_finite() -> None:
    model = ModelWriter()
    x = model.tensor("x", (1, 4), np.float32)
    w = model.tensor("w", (2, 4), np.float32, data=np.full((2, 4), np.inf, np.float32))
    y = model.tensor("y", (1, 2), np.float32)
    model.operator("FULLY_CONNECTED", [x, w, -1], [y], schema.FullyConnectedOptionsT())
    _refused(model.finish([x], [y]), "'w' holds a value that is not finite")


def test_several_subgraphs() -> None:
    model = schema.ModelT.InitFromPackedBuf(_unary())
    model.subgraphs *= 2
    _refused(_packed(model), "2 subgraphs; only a model of one subgraph")


def test_many_references_to_one_table() -> None:
    """A short file can refer to one table often, which must not take long."""
    data = bytearray(_unary())
    model = schema.ModelT.InitFromPackedBuf(bytes(data))
    model.operatorCodes *= MAX_TABLES + 1
    _refused(_packed(model), f"more than {MAX_TABLES} tables")


def _packed(model: Any) -> bytes:
    import flatbuffers

    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def test_names_are_made_unique_and_printable() -> None:
    model = ModelWriter()
    names = ["x", "", "x", "new\nline\x1b[31m", "x" * 1000]
    indices = [model.tensor(n, (1, 4), np.float32) for n in names]
    for a, b in pairwise(indices):
        model.operator("RELU", [a], [b])
    graph = parse_tflite(model.finish(indices[:1], indices[-1:]), "model.tflite")
    assert len(graph.tensors) == len(names)
    assert all(n.isprintable() and len(n) <= 256 for n in graph.tensors)
    assert {"x", "tensor_1", "new_line_[31m"} <= graph.tensors.keys()


def test_every_truncation_is_refused() -> None:
    data = small_networks()[1]
    for size in range(0, len(data) - 8, 7):
        with pytest.raises(ModelError):
            parse_tflite(data[:size], "model.tflite")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read"):
        import_tflite(tmp_path / "absent.tflite")
    with pytest.raises(UsageError, match="cannot read"):
        import_tflite(tmp_path)


def test_huge_file_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "huge.tflite"
    with path.open("wb") as file:
        file.truncate(MAX_FILE_BYTES * 1000)
    with pytest.raises(ModelError, match=f"larger than {MAX_FILE_BYTES} bytes"):
        import_tflite(path)
