"""The attributes of a convolution and of its gradients."""

from __future__ import annotations

from dataclasses import dataclass

from mcugrad.ops.clamp_range import NONE, Clamp
from mcugrad.ops.window import Window


@dataclass(frozen=True)
class Conv2dAttrs:
    """Geometry, groups and the fused activation."""

    window: Window
    groups: int = 1
    clamp: Clamp = NONE


@dataclass(frozen=True)
class Conv2dBwdDataAttrs:
    """The convolution, and the height and width of its input."""

    conv: Conv2dAttrs
    height: int
    width: int
