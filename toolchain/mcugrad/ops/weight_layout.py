"""Layouts of convolutions' constant weights: output channels side by side.

The model's weights are [O, KH, KW, I], and groups divide O.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mcugrad.ir.tensor import Array


@dataclass(frozen=True)
class OutputsInnermost:
    """[groups][KH * KW * I][O / groups]."""

    groups: int

    def pack(self, w: Array) -> Array:
        """The same elements."""
        return _rows(w.reshape(self.groups, w.shape[0] // self.groups, -1))


@dataclass(frozen=True)
class OutputVectors:
    """Rows of two vectors of output channels; what is left of a group fills one up, or two.

    [groups][O / groups / two vectors][KH * KW * I][two vectors], then the same of what is left.
    """

    groups: int
    lanes: int

    def pack(self, w: Array) -> Array:
        """The elements in one dimension, zeros where a vector is not full."""
        channels = w.shape[0] // self.groups
        whole = channels - channels % (2 * self.lanes)
        grouped = w.reshape(self.groups, channels, -1)
        parts = (grouped[:, :whole], grouped[:, whole:])
        return np.concatenate([self._blocks(part) for part in parts])

    def _blocks(self, w: Array) -> Array:
        """[groups][channels][products] in the order of one of the two parts."""
        groups, channels, products = w.shape
        row = 2 * self.lanes if channels > self.lanes else self.lanes
        blocks = -(-channels // row)
        filled = np.zeros((groups, blocks * row, products), w.dtype)
        filled[:, :channels] = w
        return _rows(filled.reshape(groups * blocks, row, products)).reshape(-1)


def _rows(w: Array) -> Array:
    return np.ascontiguousarray(w.swapaxes(1, 2))
