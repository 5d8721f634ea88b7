"""The hand-made model of the device tests, and what it must compute."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mcugrad.build import BuildResult, build
from mcugrad.devices.emulator import require
from mcugrad.errors import MissingToolError
from mcugrad.ir.tensor import Array
from mcugrad.targets import find_target, targets

MODEL = Path(__file__).parent / "model"
ROOT = MODEL.parents[2]
FINGERPRINT = 0x12345678
W, B, HYPER, DY = range(4)  # the numbers of its tensors
BOARDS = [name for name, target in targets().items() if not target.is_host]

_WEIGHTS = np.array([[0.1, 0.2, -0.3, 0.4], [-0.1, 0.0, 0.1, 0.2], [0.3, -0.2, 0.1, 0.0]])
INITIAL_W = _WEIGHTS.astype(np.float32).tobytes()


class Reference:
    """The model in float64."""

    def __init__(self) -> None:
        self.w, self.b, self.rate = _WEIGHTS.copy(), np.zeros(3), 0.5

    def infer(self, x: Array) -> Array:
        """The class probabilities."""
        e = np.exp(self.w @ x + self.b)
        return np.asarray(e / e.sum())

    def train_step(self, x: Array, label: int) -> float:
        """The loss before the update."""
        p = self.infer(x)
        dy = p - np.eye(3)[label]
        self.w -= self.rate * np.outer(dy, x)
        self.b -= self.rate * dy
        return float(-np.log(p[label]))


def samples(count: int, seed: int = 1) -> list[tuple[Array, int]]:
    """Random samples with random labels."""
    random = np.random.default_rng(seed)
    xs = random.normal(size=(count, 4)).astype(np.float32)
    return list(zip(xs, random.integers(0, 3, count).tolist(), strict=True))


def require_emulator(target: str) -> None:
    """Skips the test where the target's emulator is not installed."""
    try:
        require(find_target(target))
    except MissingToolError as error:
        pytest.skip(str(error))


def build_model(target: str, out: Path, toolchain: str = "zig") -> BuildResult:
    """The firmware of the model, or the host's library."""
    return build(MODEL, find_target(target), out, toolchain="gnu" if toolchain == "gnu" else "zig")
