"""TFLite's builtin operators as ours: one row each in ``IMPORTERS``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import isfinite
from typing import Any

import numpy as np
import tflite

from mcugrad.errors import ModelError
from mcugrad.importers.tflite_file import Operator
from mcugrad.importers.tflite_tensors import TensorReader
from mcugrad.ir.graph import Node
from mcugrad.ir.tensor import Array, DType, Tensor, constant
from mcugrad.ops.base import NoAttrs
from mcugrad.ops.clamp_range import NONE, Clamp
from mcugrad.ops.concat import ConcatAttrs
from mcugrad.ops.conv2d_attrs import Conv2dAttrs
from mcugrad.ops.depthwise_conv2d import DepthwiseConv2dAttrs
from mcugrad.ops.elementwise import ElementwiseAttrs
from mcugrad.ops.fully_connected import FullyConnectedAttrs
from mcugrad.ops.leaky_relu import LeakyReluAttrs
from mcugrad.ops.mean import MeanAttrs
from mcugrad.ops.pad import PadAttrs
from mcugrad.ops.pool import PoolAttrs
from mcugrad.ops.reshape import ReshapeAttrs
from mcugrad.ops.softmax import SoftmaxAttrs
from mcugrad.ops.window import Window

_RELU = Clamp(low=0.0)
_RELU6 = Clamp(0.0, 6.0)
_RELU_N1_TO_1 = Clamp(-1.0, 1.0)

_FUSED = {
    tflite.ActivationFunctionType.NONE: NONE,
    tflite.ActivationFunctionType.RELU: _RELU,
    tflite.ActivationFunctionType.RELU6: _RELU6,
    tflite.ActivationFunctionType.RELU_N1_TO_1: _RELU_N1_TO_1,
}

#: A larger stride, dilation or border than this serves no model.
_MAX_GEOMETRY = 1 << 10


class Use:
    """One operator of the file while it becomes nodes."""

    def __init__(self, operator: Operator, reader: TensorReader) -> None:
        self.operator = operator
        self.nodes: list[Node] = []
        self.tensors: list[Tensor] = []
        self._reader = reader

    @property
    def x(self) -> Tensor:
        """The first input."""
        return self.input(0)

    @property
    def y(self) -> Tensor:
        """The output."""
        return self._reader.tensor(self.operator.outputs[0])

    @property
    def inputs(self) -> list[Tensor]:
        """All inputs, of which none may be absent."""
        return [self.input(i) for i in range(len(self.operator.inputs))]

    def input(self, index: int) -> Tensor:
        """The input at ``index``."""
        return self._reader.tensor(self._index(index))

    def numbers(self, index: int) -> list[int]:
        """The integers of the constant input at ``index``."""
        values = self._reader.content(self._index(index))
        if values.dtype.kind != "i":
            raise ModelError(f"input {index} must hold integers")
        return [int(v) for v in values.reshape(-1)]

    def weights(self) -> list[Tensor]:
        """The constant weights and, where it is given, the bias.

        The int8 weights of a float operator (dynamic-range quantisation) become float.
        """
        tensors = [self.input(1)]
        if self.has_input(2):
            tensors.append(self.input(2))
        for tensor in tensors:
            if tensor.data is None:
                raise ModelError(f"its weights {tensor.name!r} are not constant")
        if self.x.dtype is DType.F32 and tensors[0].dtype is DType.S8:
            tensors[0] = constant(tensors[0].name, _real(tensors[0]))
        return tensors

    def has_input(self, index: int) -> bool:
        """Whether the optional input at ``index`` is given."""
        return index < len(self.operator.inputs) and self.operator.inputs[index] >= 0

    def options(self, kind: Any) -> Any:
        """The operator's options, as the accessor class ``kind``."""
        return self.operator.options(kind)

    def between(self, suffix: str, shape: tuple[int, ...]) -> Tensor:
        """A tensor of the output's type between two nodes."""
        y = self.y
        return Tensor(self._reader.fresh_name(f"{y.name}.{suffix}"), shape, y.dtype, y.quant)

    def emit(
        self, op: str, attrs: Any, inputs: Sequence[Tensor], output: Tensor | None = None
    ) -> None:
        """Adds a node that writes ``output``, or else the operator's output."""
        result = self.y if output is None else output
        name = f"{op}_{self.operator.position}"
        self.nodes.append(Node(name, op, tuple(t.name for t in inputs), (result.name,), attrs))
        self.tensors += [*inputs, result]

    def become(self, content: Array) -> None:
        """Makes the output a constant, so that no node is left."""
        y = self.y
        if content.shape != y.shape:
            raise ModelError(f"constant of shape {list(content.shape)} for {list(y.shape)}")
        self._reader.replace(self.operator.outputs[0], constant(y.name, content, y.quant))

    def constant_input(self) -> Array | None:
        """The content of the first input if it is a constant, of any type that is read."""
        index = self._index(0)
        return self._reader.content(index) if self._reader.is_constant(index) else None

    def _index(self, index: int) -> int:
        if not self.has_input(index):
            raise ModelError(f"input {index} is missing")
        return self.operator.inputs[index]


def _clamp(activation: int) -> Clamp:
    if activation not in _FUSED:
        raise ModelError(f"fused activation {activation} is not supported")
    return _FUSED[activation]


def _window(
    use: Use, options: Any, kernel: tuple[int, int], dilation: tuple[int, int] = (1, 1)
) -> Window:
    """Stride and explicit pads; SAME puts the odd row or column at the end."""
    stride = (options.StrideH(), options.StrideW())
    if not all(1 <= n <= _MAX_GEOMETRY for n in (*stride, *dilation, *kernel)):
        raise ModelError(f"window {kernel} with stride {stride} and dilation {dilation}")
    if options.Padding() == tflite.Padding.VALID:
        return Window(kernel, stride, (0, 0, 0, 0), dilation)
    _, height, width, _ = _image(use.x)
    pads = []
    for size, k, s, d in zip((height, width), kernel, stride, dilation, strict=True):
        total = max(0, (-(-size // s) - 1) * s + (k - 1) * d + 1 - size)
        pads += [total // 2, total - total // 2]
    top, bottom, left, right = pads
    if max(pads) > _MAX_GEOMETRY:
        raise ModelError(f"it pads its input by {max(pads)}")
    return Window(kernel, stride, (top, bottom, left, right), dilation)


def _image(tensor: Tensor) -> tuple[int, int, int, int]:
    if len(tensor.shape) != 4:
        raise ModelError(f"{tensor.name!r} must have four dimensions, not {list(tensor.shape)}")
    a, b, c, d = tensor.shape
    return a, b, c, d


def _finite(value: float) -> float:
    if not isfinite(value):
        raise ModelError(f"its parameter is {value}")
    return value


def _conv2d(use: Use) -> None:
    options = use.options(tflite.Conv2DOptions)
    weights = use.weights()
    _, height, width, channels = _image(weights[0])
    dilation = (options.DilationHFactor(), options.DilationWFactor())
    attrs = Conv2dAttrs(
        _window(use, options, (height, width), dilation),
        _image(use.x)[3] // channels,
        _clamp(options.FusedActivationFunction()),
    )
    use.emit("conv2d", attrs, [use.x, *weights])


def _depthwise_conv2d(use: Use) -> None:
    options = use.options(tflite.DepthwiseConv2DOptions)
    weights, *bias = use.weights()
    one, height, width, filters = _image(weights)
    channels = _image(use.x)[3]
    if one != 1 or filters % channels:
        raise ModelError(f"weights {list(weights.shape)} for {channels} channels")
    dilation = (options.DilationHFactor(), options.DilationWFactor())
    attrs = DepthwiseConv2dAttrs(
        _window(use, options, (height, width), dilation),
        filters // channels,
        _clamp(options.FusedActivationFunction()),
    )
    use.emit("depthwise_conv2d", attrs, [use.x, _without_first_axis(weights), *bias])


def _without_first_axis(weights: Tensor) -> Tensor:
    """[1, KH, KW, O] as [KH, KW, O]."""
    assert weights.data is not None
    quant = weights.quant
    if quant is not None and quant.axis is not None:
        quant = replace(quant, axis=quant.axis - 1)
    return constant(weights.name, weights.data[0], quant)


def _fully_connected(use: Use) -> None:
    options = use.options(tflite.FullyConnectedOptions)
    if options.WeightsFormat() != tflite.FullyConnectedOptionsWeightsFormat.DEFAULT:
        raise ModelError("shuffled weights are not supported")
    weights = use.weights()
    if len(weights[0].shape) != 2:
        raise ModelError(f"its weights have the shape {list(weights[0].shape)}")
    rows = (use.y.size // weights[0].shape[0], weights[0].shape[0])
    attrs = FullyConnectedAttrs(_clamp(options.FusedActivationFunction()))
    if use.y.shape == rows:
        use.emit("fully_connected", attrs, [use.x, *weights])
    else:
        flat = use.between("rows", rows)
        use.emit("fully_connected", attrs, [use.x, *weights], flat)
        use.emit("reshape", ReshapeAttrs(use.y.shape), [flat])


def _elementwise(op: str, kind: Any, use: Use) -> None:
    clamp = _clamp(use.options(kind).FusedActivationFunction())
    use.emit(op, ElementwiseAttrs(clamp), [use.x, use.input(1)])


def _concatenation(use: Use) -> None:
    options = use.options(tflite.ConcatenationOptions)
    clamp = _clamp(options.FusedActivationFunction())
    rank = len(use.y.shape)
    if not -rank <= options.Axis() < rank:
        raise ModelError(f"axis {options.Axis()} of {rank} dimensions")
    attrs = ConcatAttrs(options.Axis() % rank)
    if clamp.active:
        joined = use.between("joined", use.y.shape)
        use.emit("concat", attrs, use.inputs, joined)
        use.emit("clamp", clamp, [joined])
    else:
        use.emit("concat", attrs, use.inputs)


def _pad(use: Use) -> None:
    numbers = use.numbers(1)
    if len(numbers) != 2 * len(use.x.shape) or not all(0 <= n <= _MAX_GEOMETRY for n in numbers):
        raise ModelError(f"paddings {numbers} for {len(use.x.shape)} dimensions")
    pairs = tuple(zip(numbers[::2], numbers[1::2], strict=True))
    use.emit("pad", PadAttrs(pairs), [use.x])


def _pool2d(op: str, use: Use) -> None:
    options = use.options(tflite.Pool2DOptions)
    window = _window(use, options, (options.FilterHeight(), options.FilterWidth()))
    clamp = _clamp(options.FusedActivationFunction())
    use.emit(op, PoolAttrs(window, clamp), [use.x])


def _mean(use: Use) -> None:
    rank = len(use.x.shape)
    axes = use.numbers(1)
    if not all(-rank <= a < rank for a in axes):
        raise ModelError(f"axes {axes} of {rank} dimensions")
    keep_dims = bool(use.options(tflite.ReducerOptions).KeepDims())
    use.emit("mean", MeanAttrs(tuple(sorted({a % rank for a in axes})), keep_dims), [use.x])


def _reshape(use: Use) -> None:
    use.emit("reshape", ReshapeAttrs(use.y.shape), [use.x])


def _softmax(use: Use) -> None:
    beta = _finite(use.options(tflite.SoftmaxOptions).Beta())
    use.emit("softmax", SoftmaxAttrs(beta), [use.x])


def _leaky_relu(use: Use) -> None:
    alpha = _finite(use.options(tflite.LeakyReluOptions).Alpha())
    use.emit("leaky_relu", LeakyReluAttrs(alpha), [use.x])


def _relu(clamp: Clamp, use: Use) -> None:
    use.emit("clamp", clamp, [use.x])


def _plain(op: str, use: Use) -> None:
    use.emit(op, NoAttrs(), [use.x])


def _dequantize(use: Use) -> None:
    content = use.constant_input()
    if content is None:
        _plain("dequantize", use)
    elif content.dtype.kind == "f":
        use.become(content.astype(np.float32))
    else:
        use.become(_real(use.x))


def _real(tensor: Tensor) -> Array:
    """The values that a quantised constant stands for."""
    quant = tensor.quant
    if tensor.data is None or quant is None:
        raise ModelError(f"{tensor.name!r} is not a quantised constant")
    shape = [1] * len(tensor.shape)
    if quant.axis is not None:
        shape[quant.axis] = -1
    scale = np.array(quant.scale, np.float32).reshape(shape)
    zero_point = np.array(quant.zero_point, np.float32).reshape(shape)
    return np.asarray(scale * (tensor.data.astype(np.float32) - zero_point), np.float32)


@dataclass(frozen=True)
class Importer:
    """How a builtin becomes nodes, chiefly one of ``op``.

    ``reads`` limits the inputs that it depends on.
    """

    op: str
    make: Callable[[Use], None]
    reads: int | None = None


IMPORTERS: Mapping[str, Importer] = {
    "CONV_2D": Importer("conv2d", _conv2d),
    "DEPTHWISE_CONV_2D": Importer("depthwise_conv2d", _depthwise_conv2d),
    "FULLY_CONNECTED": Importer("fully_connected", _fully_connected),
    "ADD": Importer("add", partial(_elementwise, "add", tflite.AddOptions)),
    "SUB": Importer("sub", partial(_elementwise, "sub", tflite.SubOptions)),
    "MUL": Importer("mul", partial(_elementwise, "mul", tflite.MulOptions)),
    "CONCATENATION": Importer("concat", _concatenation),
    "PAD": Importer("pad", _pad),
    "AVERAGE_POOL_2D": Importer("avg_pool2d", partial(_pool2d, "avg_pool2d")),
    "MAX_POOL_2D": Importer("max_pool2d", partial(_pool2d, "max_pool2d")),
    "MEAN": Importer("mean", _mean),
    # The output's static shape says it all; the input that computes it is not needed.
    "RESHAPE": Importer("reshape", _reshape, reads=1),
    "SQUEEZE": Importer("reshape", _reshape, reads=1),
    "EXPAND_DIMS": Importer("reshape", _reshape, reads=1),
    "SOFTMAX": Importer("softmax", _softmax),
    "LOGISTIC": Importer("logistic", partial(_plain, "logistic")),
    "TANH": Importer("tanh", partial(_plain, "tanh")),
    "RELU": Importer("clamp", partial(_relu, _RELU)),
    "RELU6": Importer("clamp", partial(_relu, _RELU6)),
    "RELU_N1_TO_1": Importer("clamp", partial(_relu, _RELU_N1_TO_1)),
    "LEAKY_RELU": Importer("leaky_relu", _leaky_relu),
    "HARD_SWISH": Importer("hard_swish", partial(_plain, "hard_swish")),
    "QUANTIZE": Importer("quantize", partial(_plain, "quantize")),
    "DEQUANTIZE": Importer("dequantize", _dequantize),
}
