"""What the two poolings share. Shapes: x [1, H, W, C], y [1, OH, OW, C]."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mcugrad.ir.tensor import Array, DType
from mcugrad.ops.base import (
    FLOATS,
    CStruct,
    GradientContext,
    IntegerRule,
    Kernel,
    Op,
    OpCall,
    Spec,
    register,
    require,
)
from mcugrad.ops.clamp import clamp_gradient
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


def _infer(call: OpCall) -> tuple[Spec, ...]:
    x = call.input(0)
    window: Window = call.attrs.window
    require(len(x.shape) == 4 and x.shape[0] == 1, f"input must be [1, H, W, C], not {x.shape}")
    require(window.dilation == (1, 1), "dilated pooling")
    (kh, kw), (top, bottom, left, right) = window.kernel, window.pad
    require(max(top, bottom) < kh and max(left, right) < kw, "a window in the padding alone")
    oh, ow = window.output_size(x.shape[1], x.shape[2])
    require_same_quant(call)
    return (Spec((1, oh, ow, x.shape[3]), x.dtype),)


def _infer_bwd(call: OpCall) -> tuple[Spec, ...]:
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


def _fwd_params(call: OpCall) -> CStruct:
    return _params(call.attrs.window, call.input(0).shape, call.outputs[0].shape)


def _bwd_params(call: OpCall) -> CStruct:
    return _params(call.attrs.window, call.outputs[0].shape, call.input(0).shape)


def code_range(call: OpCall) -> tuple[int, int]:
    """The range of int8 codes that the fused activation leaves."""
    attrs: PoolAttrs = call.attrs
    return attrs.clamp.quantized(quant_of(call.outputs[0]))


def _range(call: OpCall) -> CStruct:
    if call.dtype is DType.S8:
        low, high = code_range(call)
        return CStruct("mg_range_s8", {"low": low, "high": high})
    attrs: PoolAttrs = call.attrs
    return attrs.clamp.params()


Reference = Callable[[OpCall, Sequence[Array | None]], tuple[Array, ...]]


def register_pool(
    op: str,
    reference: Reference,
    bwd_reference: Reference,
    *,
    bwd_reads_input: bool,
    integer: IntegerRule | None = None,
) -> None:
    """Registers a pooling and its gradient, which may read the pooling's input too."""

    def gradient(
        ctx: GradientContext,
        attrs: PoolAttrs,
        inputs: Sequence[str],
        outputs: Sequence[str],
        dys: Sequence[str],
    ) -> Sequence[str | None]:
        (x,) = inputs
        dy = clamp_gradient(ctx, attrs.clamp, outputs[0], dys[0])
        _, height, width, _ = ctx.tensor(x).shape
        operands = (dy, x) if bwd_reads_input else (dy,)
        bwd = PoolBwdAttrs(attrs.window, height, width)
        return (ctx.emit(f"{op}_bwd", bwd, operands, f"d.{x}"),)

    forward = tuple(
        Kernel(f"mg_{op}_{dtype}_fwd", dtype, params=_fwd_params, quant=_range, shared=True)
        for dtype in (DType.S8, *FLOATS)
    )
    types = (DType.S16, *FLOATS) if integer else FLOATS
    backward = tuple(
        Kernel(f"mg_{op}_{d}_bwd_data", d, params=_bwd_params, shared=True) for d in types
    )
    register(Op(op, PoolAttrs, _infer, reference, kernels=forward, gradient=gradient))
    register(
        Op(
            f"{op}_bwd",
            PoolBwdAttrs,
            _infer_bwd,
            bwd_reference,
            kernels=backward,
            integer=integer,
        )
    )
