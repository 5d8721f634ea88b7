"""The range of an activation that is fused into the operator before it."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np

from mcugrad.ir.tensor import QuantParams
from mcugrad.ops.base import CStruct, Floats


@dataclass(frozen=True)
class Clamp:
    """Limits a result to [low, high], in real values: ReLU is (0, inf), ReLU6 is (0, 6)."""

    low: float = -inf
    high: float = inf

    @property
    def active(self) -> bool:
        """Whether it changes anything."""
        return self.low > -inf or self.high < inf

    def apply(self, y: Floats) -> Floats:
        """The limited values."""
        return np.clip(y, self.low, self.high) if self.active else y

    def params(self) -> CStruct:
        """The C structure that float kernels take."""
        return CStruct("mg_clamp_f32", {"low": self.low, "high": self.high})

    def quantized(self, quant: QuantParams) -> tuple[int, int]:
        """The int8 range that LiteRT's ``CalculateActivationRangeQuantized`` gives.

        The bound is rounded half away from zero in single precision.
        """
        scale, zero_point = quant.per_tensor

        def q(bound: float) -> int:
            ratio = float(np.float32(bound) / np.float32(scale))
            return zero_point + int(np.copysign(np.floor(abs(ratio) + 0.5), ratio))

        low = -128 if self.low == -inf else max(-128, q(self.low))
        high = 127 if self.high == inf else min(127, q(self.high))
        return low, high


NONE = Clamp()
