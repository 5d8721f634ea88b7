"""What the two poolings share. Shapes: x [1, H, W, C], y [1, OH, OW, C]."""

from __future__ import annotations

from dataclasses import dataclass

from mcugrad.ir.tensor import DType
from mcugrad.ops.base import CStruct, OpCall, Spec, require
from mcugrad.ops.clamp_range import NONE, Clamp
from mcugrad.ops.requantize import quant_of
from mcugrad.ops.shapes import require_same_quant
from mcugrad.ops.window import Window


@dataclass(frozen=True)
class PoolAttrs:
    """The window, which must touch the image wherever it stands, and the fused activation."""

    window: Window
    clamp: Clamp = NONE


@dataclass(frozen=True)
class PoolBwdAttrs:
    """The pooling's window, and the height and width of its input."""

    window: Window
    height: int
    width: int


def infer(call: OpCall) -> tuple[Spec, ...]:
    """The pooled image."""
    x = call.input(0)
    window: Window = call.attrs.window
    require(len(x.shape) == 4 and x.shape[0] == 1, f"input must be [1, H, W, C], not {x.shape}")
    require(window.dilation == (1, 1), "dilated pooling")
    (kh, kw), (top, bottom, left, right) = window.kernel, window.pad
    require(max(top, bottom) < kh and max(left, right) < kw, "a window in the padding alone")
    oh, ow = window.output_size(x.shape[1], x.shape[2])
    require_same_quant(call)
    return (Spec((1, oh, ow, x.shape[3]), x.dtype),)


def infer_input(call: OpCall) -> tuple[Spec, ...]:
    """The gradient by the image, from the gradient by the pooled image."""
    attrs: PoolBwdAttrs = call.attrs
    dy = call.input(0)
    sizes = attrs.window.output_size(attrs.height, attrs.width)
    require(dy.shape[1:3] == sizes, f"gradient of shape {dy.shape} for {sizes}")
    return (Spec((1, attrs.height, attrs.width, dy.shape[3]), dy.dtype),)


def _params(window: Window, x: tuple[int, ...], y: tuple[int, ...]) -> CStruct:
    return CStruct(
        "mg_pool2d_params",
        {
            "in_h": x[1],
            "in_w": x[2],
            "channels": x[3],
            "out_h": y[1],
            "out_w": y[2],
            "kernel_h": window.kernel[0],
            "kernel_w": window.kernel[1],
            "stride_h": window.stride[0],
            "stride_w": window.stride[1],
            "pad_top": window.pad[0],
            "pad_left": window.pad[2],
        },
    )


def params(call: OpCall) -> CStruct:
    """The geometry of a forward kernel."""
    return _params(call.attrs.window, call.input(0).shape, call.outputs[0].shape)


def bwd_params(call: OpCall) -> CStruct:
    """The forward geometry for a backward kernel."""
    return _params(call.attrs.window, call.outputs[0].shape, call.input(0).shape)


def code_range(call: OpCall) -> tuple[int, int]:
    """The range of int8 codes that the fused activation leaves."""
    attrs: PoolAttrs = call.attrs
    return attrs.clamp.quantized(quant_of(call.outputs[0]))


def range_quant(call: OpCall) -> CStruct:
    """The fused activation as a C structure."""
    if call.dtype is DType.S8:
        low, high = code_range(call)
        return CStruct("mg_range_s8", {"low": low, "high": high})
    attrs: PoolAttrs = call.attrs
    return attrs.clamp.params()
