"""The logistic function 1 / (1 + exp(-x))."""

from __future__ import annotations

import numpy as np

from mcugrad.ops.activation import Activation
from mcugrad.ops.base import Floats, NoAttrs
from mcugrad.ops.lookup_table import Singles, real_rule


def _single(x: Singles) -> Singles:
    one = np.float32(1)
    with np.errstate(over="ignore"):
        return np.asarray(one / (one + np.exp(-x.astype(np.float64)).astype(np.float32)))


def _forward(_attrs: NoAttrs, x: Floats) -> Floats:
    small = np.exp(-np.abs(x))
    return np.asarray(np.where(x < 0, small, 1.0) / (1.0 + small))


def _backward(_attrs: NoAttrs, dy: Floats, y: Floats) -> Floats:
    return dy * y * (1.0 - y)


Activation("logistic", real_rule(_single), _forward, _backward, keeps_result=True).register()
