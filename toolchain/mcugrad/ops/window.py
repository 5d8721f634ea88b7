"""What convolutions and pools share: a window that slides over an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mcugrad.ir.tensor import Array
from mcugrad.ops.base import CStruct, require


@dataclass(frozen=True)
class Window:
    """How a window of ``kernel`` (height, width) moves; ``pad`` is (top, bottom, left, right)."""

    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    pad: tuple[int, int, int, int] = (0, 0, 0, 0)
    dilation: tuple[int, int] = (1, 1)

    def output_size(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns of the result; raises ``ValueError`` where none fits."""
        sizes = []
        for size, k, s, d, before, after in (
            (height, self.kernel[0], self.stride[0], self.dilation[0], *self.pad[:2]),
            (width, self.kernel[1], self.stride[1], self.dilation[1], *self.pad[2:]),
        ):
            require(min(k, s, d) >= 1 and min(before, after) >= 0, "window of impossible geometry")
            span = (k - 1) * d + 1
            require(size + before + after >= span, "window larger than the padded image")
            sizes.append((size + before + after - span) // s + 1)
        return sizes[0], sizes[1]

    def fields(self) -> dict[str, int]:
        """The fields that C parameter structures share."""
        return {
            "kernel_h": self.kernel[0],
            "kernel_w": self.kernel[1],
            "stride_h": self.stride[0],
            "stride_w": self.stride[1],
            "pad_top": self.pad[0],
            "pad_left": self.pad[2],
            "dilation_h": self.dilation[0],
            "dilation_w": self.dilation[1],
        }

    def conv_params(self, x: tuple[int, ...], y: tuple[int, ...], groups: int) -> CStruct:
        """The C structure of a convolution from x [1, H, W, C] to y [1, OH, OW, O]."""
        return CStruct(
            "mg_conv2d_params",
            {
                "in_h": x[1],
                "in_w": x[2],
                "in_c": x[3],
                "out_h": y[1],
                "out_w": y[2],
                "out_c": y[3],
                "groups": groups,
                **self.fields(),
            },
        )

    def padded(self, x: Array, fill: Any = 0) -> Array:
        """``x`` [H, W, C] with its border filled."""
        top, bottom, left, right = self.pad
        return np.pad(x, ((top, bottom), (left, right), (0, 0)), constant_values=fill)

    def taps(self, x: Array, fill: Any = 0) -> Array:
        """Every window of ``x`` [H, W, C], as a read-only view [OH, OW, KH, KW, C]."""
        padded = self.padded(x, fill)
        oh, ow = self.output_size(x.shape[0], x.shape[1])
        sh, sw, sc = padded.strides
        return np.lib.stride_tricks.as_strided(
            padded,
            (oh, ow, *self.kernel, x.shape[2]),
            (
                sh * self.stride[0],
                sw * self.stride[1],
                sh * self.dilation[0],
                sw * self.dilation[1],
                sc,
            ),
            writeable=False,
        )

    def scatter(self, dtaps: Array, height: int, width: int) -> Array:
        """The adjoint of :meth:`taps`: sums each tap back into the image [H, W, C]."""
        top, bottom, left, right = self.pad
        oh, ow = dtaps.shape[:2]
        image = np.zeros((height + top + bottom, width + left + right, dtaps.shape[-1]))
        (sh, sw), (dh, dw) = self.stride, self.dilation
        for ky in range(self.kernel[0]):
            for kx in range(self.kernel[1]):
                y0, x0 = ky * dh, kx * dw
                image[y0 : y0 + oh * sh : sh, x0 : x0 + ow * sw : sw] += dtaps[:, :, ky, kx]
        return image[top : top + height, left : left + width]
