"""Turns the trained network into an int8 .tflite file.

The scheme is that of TFLite's 8-bit quantisation specification: weights symmetric with a scale
for each output channel, activations with a scale and zero point each, taken from the smallest
and largest value that a calibration set produces, biases in int32 at the product of the scales.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from network import IMAGE, LAYERS, SIZE, Array, Kind, Layer, Parameters, forward

#: What TFLite prescribes for the result of an int8 softmax.
_PROBABILITY = (np.float32(1 / 256), -128)

#: Results that share the scale and zero point of their operand.
_PASSING = (Kind.POOL, Kind.RESHAPE)

_VERSIONS = {
    Kind.CONV: 3,
    Kind.DEPTHWISE: 3,
    Kind.DENSE: 12,  # with a scale for each output channel
    Kind.ADD: 2,
    Kind.POOL: 2,
    Kind.RESHAPE: 1,
    Kind.SOFTMAX: 2,
}


@dataclass(frozen=True)
class Range:
    """``real = scale * (q - zero_point)`` for a whole tensor."""

    scale: np.float32
    zero_point: int


def quantize(parameters: Parameters, images: Array) -> bytes:
    """The .tflite file; ``images`` are what the ranges of the activations are taken from."""
    ranges = calibrate(parameters, images)
    model = _Writer()
    indices = {IMAGE: model.activation(IMAGE, (1, SIZE, SIZE, 1), ranges[IMAGE])}
    shapes = {name: value.shape[1:] for name, value in forward(parameters, images[:1]).items()}
    for layer in LAYERS:
        inputs = [indices[name] for name in layer.inputs]
        if layer.weights is not None:
            inputs += _weights(model, layer, parameters, ranges[layer.inputs[0]])
        if layer.kind is Kind.RESHAPE:
            inputs.append(model.numbers(f"{layer.name}/shape", (1, *shapes[layer.name])))
        output = model.activation(layer.name, (1, *shapes[layer.name]), ranges[layer.name])
        model.operator(layer, inputs, output)
        indices[layer.name] = output
    return model.finish(indices[IMAGE], indices[LAYERS[-1].name])


def calibrate(parameters: Parameters, images: Array) -> dict[str, Range]:
    """The range of every layer's result; zero is always a value that int8 can express."""
    ranges = {}
    for name, values in forward(parameters, images).items():
        low, high = min(values.min(), 0.0), max(values.max(), 0.0)
        scale = np.float32((high - low) / 255)
        ranges[name] = Range(scale, int(np.clip(round(-128 - low / scale), -128, 127)))
    for layer in LAYERS:
        if layer.kind in _PASSING:
            ranges[layer.name] = ranges[layer.inputs[0]]
        elif layer.kind is Kind.SOFTMAX:
            ranges[layer.name] = Range(*_PROBABILITY)
    return ranges


def _weights(model: _Writer, layer: Layer, parameters: Parameters, x: Range) -> list[int]:
    """Adds a layer's weights and bias; returns their indices."""
    w, b = parameters[f"{layer.name}/w"], parameters[f"{layer.name}/b"]
    axis = layer.channel_axis
    others = tuple(i for i in range(w.ndim) if i != axis)
    scale = (np.abs(w).max(axis=others) / 127).astype(np.float32)
    along = [-1 if i == axis else 1 for i in range(w.ndim)]
    content = np.clip(np.round(w / scale.reshape(along)), -127, 127).astype(np.int8)
    bias_scale = x.scale * scale
    bias = np.round(b / bias_scale).astype(np.int32)
    return [
        model.constant(f"{layer.name}/w", content, scale, axis),
        model.constant(f"{layer.name}/b", bias, bias_scale, 0),
    ]


class _Writer:
    """Collects tensors and operators in the objects of TFLite's schema."""

    def __init__(self) -> None:
        self._tensors: list[Any] = []
        self._operators: list[Any] = []
        self._codes: list[Any] = []
        self._buffers: list[Any] = [schema.BufferT()]  # the first one stands for no content

    def activation(self, name: str, shape: tuple[int, ...], values: Range) -> int:
        """Adds a tensor that an operator computes."""
        tensor = self._tensor(name, shape, schema.TensorType.INT8)
        tensor.quantization = _quantization([values.scale], [values.zero_point], 0)
        return len(self._tensors) - 1

    def constant(self, name: str, content: Array, scale: Array, axis: int) -> int:
        """Adds weights or a bias, quantised along ``axis``."""
        kind = schema.TensorType.INT8 if content.dtype == np.int8 else schema.TensorType.INT32
        tensor = self._tensor(name, content.shape, kind, content)
        tensor.quantization = _quantization(scale.tolist(), [0] * len(scale), axis)
        return len(self._tensors) - 1

    def numbers(self, name: str, values: tuple[int, ...]) -> int:
        """Adds a vector of int32."""
        content = np.array(values, np.int32)
        self._tensor(name, content.shape, schema.TensorType.INT32, content)
        return len(self._tensors) - 1

    def _tensor(
        self, name: str, shape: tuple[int, ...], kind: int, content: Array | None = None
    ) -> Any:
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type, tensor.buffer = name, list(shape), kind, 0
        if content is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(content).tobytes(), np.uint8)
            tensor.buffer = len(self._buffers)
            self._buffers.append(buffer)
        self._tensors.append(tensor)
        return tensor

    def operator(self, layer: Layer, inputs: list[int], output: int) -> None:
        """Adds the operator of a layer."""
        operator = schema.OperatorT()
        operator.opcodeIndex = self._code(layer.kind)
        operator.inputs, operator.outputs = inputs, [output]
        operator.builtinOptions = _options(layer)
        kind = type(operator.builtinOptions).__name__.removesuffix("T")
        operator.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
        self._operators.append(operator)

    def _code(self, kind: Kind) -> int:
        builtin = getattr(schema.BuiltinOperator, kind)
        for index, code in enumerate(self._codes):
            if code.builtinCode == builtin:
                return index
        code = schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = builtin
        code.version = _VERSIONS[kind]
        self._codes.append(code)
        return len(self._codes) - 1

    def finish(self, first: int, last: int) -> bytes:
        """The file, from the input ``first`` to the output ``last``."""
        graph = schema.SubGraphT()
        graph.tensors, graph.operators = self._tensors, self._operators
        graph.inputs, graph.outputs, graph.name = [first], [last], "main"
        model = schema.ModelT()
        model.version, model.description = 3, "mcugrad example: handwritten digits"
        model.operatorCodes, model.subgraphs, model.buffers = self._codes, [graph], self._buffers
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
        return bytes(builder.Output())


def _quantization(scale: list[Any], zero_point: list[int], axis: int) -> Any:
    made = schema.QuantizationParametersT()
    made.scale, made.zeroPoint, made.quantizedDimension = scale, zero_point, axis
    return made


def _options(layer: Layer) -> Any:
    """The options of a layer's operator: strides are one but for the pool's."""
    options = getattr(schema, f"{_OPTIONS[layer.kind]}T")()
    if layer.kind in (Kind.CONV, Kind.DEPTHWISE, Kind.POOL):
        options.padding = schema.Padding.SAME if layer.same else schema.Padding.VALID
        options.strideH = options.strideW = 2 if layer.kind is Kind.POOL else 1
    if layer.kind is Kind.POOL:
        options.filterHeight = options.filterWidth = 2
    if layer.kind is Kind.DEPTHWISE:
        options.depthMultiplier = 1
    if layer.kind is Kind.SOFTMAX:
        options.beta = 1.0
    if layer.relu:
        options.fusedActivationFunction = schema.ActivationFunctionType.RELU
    return options


_OPTIONS = {
    Kind.CONV: "Conv2DOptions",
    Kind.DEPTHWISE: "DepthwiseConv2DOptions",
    Kind.DENSE: "FullyConnectedOptions",
    Kind.ADD: "AddOptions",
    Kind.POOL: "Pool2DOptions",
    Kind.RESHAPE: "ReshapeOptions",
    Kind.SOFTMAX: "SoftmaxOptions",
}
