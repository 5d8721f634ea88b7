"""What the importer makes of operators that are not simply ours under another name."""

from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from mcugrad.errors import ModelError
from mcugrad.golden.interpreter import run
from mcugrad.importers.tflite import parse_tflite
from mcugrad.ir.graph import Graph
from mcugrad.ir.tensor import DType, QuantParams
from tests.support.litert import LiteRT
from tests.support.tflite_writer import ModelWriter

RNG = np.random.default_rng(0)


def _import(data: bytes) -> Graph:
    return parse_tflite(data, "model.tflite")


def _agrees(data: bytes, x: np.ndarray, tolerance: float = 1e-6) -> Graph:
    """The imported graph, which computes from ``x`` what LiteRT does."""
    graph = _import(data)
    (y,) = run(graph, {graph.inputs[0]: x}, keep=False).values()
    (expected,) = LiteRT(data).run([x])
    np.testing.assert_allclose(y, expected, rtol=tolerance, atol=tolerance)
    return graph


def _layer(model: ModelWriter, w: int, x_shape: tuple[int, ...], y_shape: tuple[int, ...]) -> bytes:
    """FULLY_CONNECTED of an input with the weights ``w``."""
    x = model.tensor("x", x_shape, np.float32)
    y = model.tensor("y", y_shape, np.float32)
    options = schema.FullyConnectedOptionsT()
    options.keepNumDims = len(y_shape) != 2
    model.operator("FULLY_CONNECTED", [x, w, -1], [y], options)
    return model.finish([x], [y])


def test_half_weights_become_float() -> None:
    model = ModelWriter()
    half = RNG.normal(size=(3, 4)).astype(np.float16)
    stored = model.tensor("w16", (3, 4), np.float16, data=half)
    w = model.tensor("w", (3, 4), np.float32)
    model.operator("DEQUANTIZE", [stored], [w], schema.DequantizeOptionsT())
    graph = _agrees(_layer(model, w, (1, 4), (1, 3)), RNG.normal(size=(1, 4)).astype(np.float32))
    assert [n.op for n in graph.nodes] == ["fully_connected"]
    np.testing.assert_array_equal(graph.tensors["w"].initial(), half.astype(np.float32))


def test_dequantised_constant_is_folded() -> None:
    model = ModelWriter()
    codes = RNG.integers(-127, 128, (3, 4)).astype(np.int8)
    stored = model.tensor("w8", (3, 4), np.int8, QuantParams((0.25,), (0,)), codes)
    w = model.tensor("w", (3, 4), np.float32)
    model.operator("DEQUANTIZE", [stored], [w], schema.DequantizeOptionsT())
    graph = _agrees(_layer(model, w, (1, 4), (1, 3)), RNG.normal(size=(1, 4)).astype(np.float32))
    assert [n.op for n in graph.nodes] == ["fully_connected"]
    np.testing.assert_array_equal(graph.tensors["w"].initial(), codes * np.float32(0.25))


@pytest.mark.parametrize("per_channel", [False, True])
def test_int8_weights_of_a_float_layer_become_float(per_channel: bool) -> None:
    model = ModelWriter()
    codes = RNG.integers(-127, 128, (3, 4)).astype(np.int8)
    scales = (0.5, 0.25, 2.0) if per_channel else (0.5,)
    quant = QuantParams(scales, (0,) * len(scales), 0 if per_channel else None)
    w = model.tensor("w", (3, 4), np.int8, quant, codes)
    graph = _import(_layer(model, w, (1, 4), (1, 3)))
    weights = graph.tensors["w"]
    assert (weights.dtype, weights.quant) == (DType.F32, None)
    expected = codes * np.array(scales, np.float32)[:, None]
    np.testing.assert_array_equal(weights.initial(), expected)


def test_layer_that_keeps_dimensions_is_followed_by_a_reshape() -> None:
    model = ModelWriter()
    w = model.tensor("w", (3, 4), np.float32, data=RNG.normal(size=(3, 4)).astype(np.float32))
    data = _layer(model, w, (1, 2, 4), (1, 2, 3))
    graph = _agrees(data, RNG.normal(size=(1, 2, 4)).astype(np.float32))
    assert [n.op for n in graph.nodes] == ["fully_connected", "reshape"]
    assert graph.outputs == ("y",)


@pytest.mark.parametrize("builtin", ["SQUEEZE", "EXPAND_DIMS"])
def test_shapes_alone_are_reshapes(builtin: str) -> None:
    model = ModelWriter()
    shapes = {"SQUEEZE": ((1, 1, 4), (1, 4)), "EXPAND_DIMS": ((1, 4), (1, 1, 4))}[builtin]
    x, y = (model.tensor(n, s, np.float32) for n, s in zip("xy", shapes, strict=True))
    if builtin == "SQUEEZE":
        options = schema.SqueezeOptionsT()
        options.squeezeDims = [1]
        model.operator(builtin, [x], [y], options)
    else:
        model.operator(builtin, [x, model.numbers("axis", 1)], [y], schema.ExpandDimsOptionsT())
    graph = _agrees(model.finish([x], [y]), RNG.normal(size=shapes[0]).astype(np.float32))
    assert [n.op for n in graph.nodes] == ["reshape"]


def test_negative_axes() -> None:
    model = ModelWriter()
    x = model.tensor("x", (1, 3, 4, 2), np.float32)
    mean = model.tensor("mean", (1, 3, 2), np.float32)
    y = model.tensor("y", (1, 3, 4), np.float32)
    model.operator("MEAN", [x, model.numbers("axes", [-2])], [mean], schema.ReducerOptionsT())
    options = schema.ConcatenationOptionsT()
    options.axis = -1
    model.operator("CONCATENATION", [mean, mean], [y], options)
    _agrees(model.finish([x], [y]), RNG.normal(size=(1, 3, 4, 2)).astype(np.float32))


def test_fused_activation_that_is_not_supported() -> None:
    model = ModelWriter()
    x, y = (model.tensor(n, (1, 4), np.float32) for n in "xy")
    options = schema.AddOptionsT()
    options.fusedActivationFunction = schema.ActivationFunctionType.TANH
    model.operator("ADD", [x, x], [y], options)
    with pytest.raises(ModelError, match=r"operator 0, ADD: fused activation .* not supported"):
        _import(model.finish([x], [y]))


def test_activation_of_a_concatenation_stands_alone() -> None:
    model = ModelWriter()
    x = model.tensor("x", (1, 4), np.float32)
    y = model.tensor("y", (1, 8), np.float32)
    options = schema.ConcatenationOptionsT()
    options.axis = 1
    options.fusedActivationFunction = schema.ActivationFunctionType.RELU
    model.operator("CONCATENATION", [x, x], [y], options)
    graph = _import(model.finish([x], [y]))
    assert [n.op for n in graph.nodes] == ["concat", "clamp"]


def test_options_that_are_left_out_have_their_defaults() -> None:
    model = ModelWriter()
    x, y = (model.tensor(n, (1, 4), np.float32) for n in "xy")
    model.operator("ADD", [x, x], [y])
    _agrees(model.finish([x], [y]), RNG.normal(size=(1, 4)).astype(np.float32))
