"""Writes a graph as a .tflite file, the inverse of the importer.

It is written against LiteRT's own schema, so that LiteRT can judge what the importer, the
golden model and the kernels make of the same file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from mcugrad.ir.graph import Graph, Node
from mcugrad.ir.tensor import Array, DType, QuantParams, Tensor, constant
from mcugrad.ops.clamp_range import NONE, Clamp
from mcugrad.ops.window import Window

_TYPES = {
    np.dtype(np.float32): schema.TensorType.FLOAT32,
    np.dtype(np.float16): schema.TensorType.FLOAT16,
    np.dtype(np.int8): schema.TensorType.INT8,
    np.dtype(np.uint8): schema.TensorType.UINT8,
    np.dtype(np.int32): schema.TensorType.INT32,
    np.dtype(np.int64): schema.TensorType.INT64,
}

_ACTIVATIONS = {
    NONE: schema.ActivationFunctionType.NONE,
    Clamp(low=0.0): schema.ActivationFunctionType.RELU,
    Clamp(-1.0, 1.0): schema.ActivationFunctionType.RELU_N1_TO_1,
    Clamp(0.0, 6.0): schema.ActivationFunctionType.RELU6,
}

_RELUS = {Clamp(low=0.0): "RELU", Clamp(-1.0, 1.0): "RELU_N1_TO_1", Clamp(0.0, 6.0): "RELU6"}


class InexpressibleError(Exception):
    """TFLite has no way to say this."""


@dataclass
class ModelWriter:
    """Grows a model by raw TFLite tensors and operators."""

    tensors: list[Any] = field(default_factory=list)
    operators: list[Any] = field(default_factory=list)
    codes: list[Any] = field(default_factory=list)
    buffers: list[Any] = field(default_factory=lambda: [schema.BufferT()])

    def tensor(
        self,
        name: str,
        shape: tuple[int, ...],
        dtype: Any,
        quant: QuantParams | None = None,
        data: Array | None = None,
    ) -> int:
        """Adds a tensor and returns its index."""
        made = schema.TensorT()
        made.name, made.shape, made.type = name, list(shape), _TYPES[np.dtype(dtype)]
        made.buffer = 0
        if quant is not None:
            made.quantization = schema.QuantizationParametersT()
            made.quantization.scale = list(quant.scale)
            made.quantization.zeroPoint = list(quant.zero_point)
            made.quantization.quantizedDimension = quant.axis or 0
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
            made.buffer = len(self.buffers)
            self.buffers.append(buffer)
        self.tensors.append(made)
        return len(self.tensors) - 1

    def numbers(self, name: str, values: Any) -> int:
        """Adds a constant of int32."""
        data = np.asarray(values, np.int32)
        return self.tensor(name, data.shape, np.int32, data=data)

    def operator(
        self, builtin: str, inputs: list[int], outputs: list[int], options: Any = None
    ) -> None:
        """Adds an operator; ``options`` is an object of the schema."""
        code = schema.OperatorCodeT()
        code.builtinCode = getattr(schema.BuiltinOperator, builtin)
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        # LiteRT picks int8 kernels by version; the newest one that all types share.
        code.version = _VERSIONS.get(builtin, 1)
        self.codes.append(code)
        made = schema.OperatorT()
        made.opcodeIndex = len(self.codes) - 1
        made.inputs, made.outputs = inputs, outputs
        if options is not None:
            kind = type(options).__name__.removesuffix("T")
            made.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
            made.builtinOptions = options
        self.operators.append(made)

    def finish(self, inputs: list[int], outputs: list[int]) -> bytes:
        """The file."""
        subgraph = schema.SubGraphT()
        subgraph.tensors, subgraph.operators = self.tensors, self.operators
        subgraph.inputs, subgraph.outputs, subgraph.name = inputs, outputs, "main"
        model = schema.ModelT()
        model.version, model.description = 3, "mcugrad test"
        model.operatorCodes, model.subgraphs, model.buffers = self.codes, [subgraph], self.buffers
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
        return bytes(builder.Output())


_VERSIONS = {
    "CONV_2D": 3,
    "DEPTHWISE_CONV_2D": 3,
    "FULLY_CONNECTED": 4,
    "ADD": 2,
    "SUB": 2,
    "MUL": 2,
    "CONCATENATION": 2,
    "PAD": 2,
    "AVERAGE_POOL_2D": 2,
    "MAX_POOL_2D": 2,
    "MEAN": 2,
    "SOFTMAX": 2,
    "LOGISTIC": 2,
    "TANH": 2,
    "RELU": 2,
    "RELU6": 2,
    "LEAKY_RELU": 2,
    "QUANTIZE": 2,
    "DEQUANTIZE": 2,
}


def write_tflite(graph: Graph) -> bytes:
    """The graph as a file; raises ``InexpressibleError`` where TFLite cannot say it."""
    out = _GraphWriter(graph)
    for node in graph.nodes:
        _WRITERS[node.op](out, node)
    return out.model.finish(
        [out.index(n) for n in graph.inputs], [out.index(n) for n in graph.outputs]
    )


def can_write(op: str) -> bool:
    """Whether TFLite has the operator at all."""
    return op in _WRITERS


class _GraphWriter:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.model = ModelWriter()
        self._indices: dict[str, int] = {}

    def index(self, name: str) -> int:
        if not name:
            return -1
        if name not in self._indices:
            self._indices[name] = self.add(self.graph.tensors[name])
        return self._indices[name]

    def add(self, t: Tensor) -> int:
        return self.model.tensor(t.name, t.shape, t.dtype.numpy, t.quant, t.data)

    def emit(
        self, builtin: str, node: Node, options: Any = None, inputs: list[int] | None = None
    ) -> None:
        indices = [self.index(n) for n in node.inputs] if inputs is None else inputs
        self.model.operator(builtin, indices, [self.index(n) for n in node.outputs], options)


def _fused(clamp: Clamp) -> Any:
    if clamp not in _ACTIVATIONS:
        raise InexpressibleError(f"fused {clamp}")
    return _ACTIVATIONS[clamp]


def same_pads(window: Window, height: int, width: int) -> tuple[int, int, int, int]:
    """What TFLite's SAME comes to."""
    pads: list[int] = []
    for size, k, s, d in zip(
        (height, width), window.kernel, window.stride, window.dilation, strict=True
    ):
        total = max(0, ((size + s - 1) // s - 1) * s + (k - 1) * d + 1 - size)
        pads += [total // 2, total - total // 2]
    return pads[0], pads[1], pads[2], pads[3]


def _stride(options: Any, window: Window) -> None:
    options.strideH, options.strideW = window.stride


def _convolution(builtin: str, options: Any, out: _GraphWriter, node: Node) -> None:
    window: Window = node.attrs.window
    x, w = out.graph.tensors[node.inputs[0]], out.graph.tensors[node.inputs[1]]
    _stride(options, window)
    options.dilationHFactor, options.dilationWFactor = window.dilation
    options.fusedActivationFunction = _fused(node.attrs.clamp)
    inputs = [out.index(x.name), out.index(node.inputs[1]) if builtin == "CONV_2D" else -1]
    if builtin == "DEPTHWISE_CONV_2D":
        options.depthMultiplier = node.attrs.multiplier
        inputs[1] = out.add(_with_first_axis(w))
    if len(node.inputs) > 2 and node.inputs[2]:
        inputs.append(out.add(_with_scale(out.graph.tensors[node.inputs[2]], x, w)))
    options.padding = schema.Padding.VALID
    if any(window.pad):
        if window.pad == same_pads(window, *x.shape[1:3]):
            options.padding = schema.Padding.SAME
        else:
            inputs[0] = _padded(out, x, window)
    out.emit(builtin, node, options, inputs)


def _padded(out: _GraphWriter, x: Tensor, window: Window) -> int:
    """Explicit pads are a PAD before a VALID convolution."""
    top, bottom, left, right = window.pad
    _, h, w, c = x.shape
    shape = (1, h + top + bottom, w + left + right, c)
    padded = out.model.tensor(f"{x.name}/padded", shape, x.dtype.numpy, x.quant)
    paddings = out.model.numbers(
        f"{x.name}/paddings", [[0, 0], [top, bottom], [left, right], [0, 0]]
    )
    out.model.operator("PAD", [out.index(x.name), paddings], [padded], schema.PadOptionsT())
    return padded


def _with_first_axis(w: Tensor) -> Tensor:
    assert w.data is not None
    quant = w.quant
    if quant is not None and quant.axis is not None:
        quant = replace(quant, axis=quant.axis + 1)
    return constant(w.name, w.data[None], quant)


def _with_scale(b: Tensor, x: Tensor, w: Tensor) -> Tensor:
    """LiteRT checks that the bias has the product of the two scales."""
    if b.dtype is not DType.S32 or x.quant is None or w.quant is None:
        return b
    scale = tuple(float(np.float32(x.quant.per_tensor[0] * s)) for s in w.quant.scale)
    axis = 0 if len(scale) > 1 else None
    return replace(b, quant=QuantParams(scale, (0,) * len(scale), axis))


def _conv2d(out: _GraphWriter, node: Node) -> None:
    if not any(node.inputs[2:]):
        raise InexpressibleError("CONV_2D without a bias, which LiteRT refuses")
    _convolution("CONV_2D", schema.Conv2DOptionsT(), out, node)


def _depthwise_conv2d(out: _GraphWriter, node: Node) -> None:
    _convolution("DEPTHWISE_CONV_2D", schema.DepthwiseConv2DOptionsT(), out, node)


def _fully_connected(out: _GraphWriter, node: Node) -> None:
    if node.attrs.wide:
        raise InexpressibleError("FULLY_CONNECTED with int32 results")
    options = schema.FullyConnectedOptionsT()
    options.fusedActivationFunction = _fused(node.attrs.clamp)
    x, w = out.graph.tensors[node.inputs[0]], out.graph.tensors[node.inputs[1]]
    inputs = [out.index(x.name), out.index(w.name)]
    if len(node.inputs) > 2 and node.inputs[2]:
        inputs.append(out.add(_with_scale(out.graph.tensors[node.inputs[2]], x, w)))
    out.emit("FULLY_CONNECTED", node, options, inputs)


def _pool(builtin: str) -> Callable[[_GraphWriter, Node], None]:
    def write(out: _GraphWriter, node: Node) -> None:
        options = schema.Pool2DOptionsT()
        window: Window = node.attrs.window
        _stride(options, window)
        options.filterHeight, options.filterWidth = window.kernel
        options.fusedActivationFunction = _fused(node.attrs.clamp)
        height, width = out.graph.tensors[node.inputs[0]].shape[1:3]
        options.padding = schema.Padding.VALID
        if any(window.pad):
            if window.pad != same_pads(window, height, width):
                raise InexpressibleError(f"a pool with the pads {window.pad}")
            options.padding = schema.Padding.SAME
        out.emit(builtin, node, options)

    return write


def _elementwise(builtin: str, kind: Any) -> Callable[[_GraphWriter, Node], None]:
    def write(out: _GraphWriter, node: Node) -> None:
        options = kind()
        options.fusedActivationFunction = _fused(node.attrs.clamp)
        out.emit(builtin, node, options)

    return write


def _plain(builtin: str, kind: Any = None) -> Callable[[_GraphWriter, Node], None]:
    return lambda out, node: out.emit(builtin, node, kind() if kind else None)


def _dequantize(out: _GraphWriter, node: Node) -> None:
    tensor = out.graph.tensors[node.inputs[0]]
    if tensor.dtype is DType.S32:
        raise InexpressibleError("DEQUANTIZE of int32")
    quant = tensor.quant
    if quant is not None and quant.axis is not None:
        raise InexpressibleError("DEQUANTIZE of a computed tensor with several scales")
    out.emit("DEQUANTIZE", node, schema.DequantizeOptionsT())


def _concat(out: _GraphWriter, node: Node) -> None:
    options = schema.ConcatenationOptionsT()
    options.axis = node.attrs.axis
    options.fusedActivationFunction = schema.ActivationFunctionType.NONE
    out.emit("CONCATENATION", node, options)


def _pad(out: _GraphWriter, node: Node) -> None:
    paddings = out.model.numbers(f"{node.name}/paddings", node.attrs.paddings)
    out.emit("PAD", node, schema.PadOptionsT(), [out.index(node.inputs[0]), paddings])


def _mean(out: _GraphWriter, node: Node) -> None:
    options = schema.ReducerOptionsT()
    options.keepDims = node.attrs.keep_dims
    axes = out.model.numbers(f"{node.name}/axes", node.attrs.axes)
    out.emit("MEAN", node, options, [out.index(node.inputs[0]), axes])


def _reshape(out: _GraphWriter, node: Node) -> None:
    options = schema.ReshapeOptionsT()
    options.newShape = list(node.attrs.shape)
    shape = out.model.numbers(f"{node.name}/shape", node.attrs.shape)
    out.emit("RESHAPE", node, options, [out.index(node.inputs[0]), shape])


def _softmax(out: _GraphWriter, node: Node) -> None:
    options = schema.SoftmaxOptionsT()
    options.beta = node.attrs.beta
    out.emit("SOFTMAX", node, options)


def _leaky_relu(out: _GraphWriter, node: Node) -> None:
    options = schema.LeakyReluOptionsT()
    options.alpha = node.attrs.alpha
    out.emit("LEAKY_RELU", node, options)


def _clamp(out: _GraphWriter, node: Node) -> None:
    if node.attrs not in _RELUS:
        raise InexpressibleError(f"{node.attrs} alone")
    out.emit(_RELUS[node.attrs], node)


_WRITERS: dict[str, Callable[[_GraphWriter, Node], None]] = {
    "conv2d": _conv2d,
    "depthwise_conv2d": _depthwise_conv2d,
    "fully_connected": _fully_connected,
    "add": _elementwise("ADD", schema.AddOptionsT),
    "sub": _elementwise("SUB", schema.SubOptionsT),
    "mul": _elementwise("MUL", schema.MulOptionsT),
    "concat": _concat,
    "pad": _pad,
    "avg_pool2d": _pool("AVERAGE_POOL_2D"),
    "max_pool2d": _pool("MAX_POOL_2D"),
    "mean": _mean,
    "reshape": _reshape,
    "softmax": _softmax,
    "leaky_relu": _leaky_relu,
    "clamp": _clamp,
    "logistic": _plain("LOGISTIC"),
    "tanh": _plain("TANH"),
    "hard_swish": _plain("HARD_SWISH", schema.HardSwishOptionsT),
    "quantize": _plain("QUANTIZE", schema.QuantizeOptionsT),
    "dequantize": _dequantize,
}
