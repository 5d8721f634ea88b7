"""The data of the example model: scikit-learn's handwritten digits, upright or turned."""

from __future__ import annotations

import numpy as np

from mcugrad.data import Data, Samples
from mcugrad.errors import MissingToolError

_TRAINING_IMAGES = 1197
_DARKEST = 16  # of a pixel in the source


def load_digits() -> Data:
    """The digits, pixels in [0, 1] as [N, 8, 8, 1], in a fixed split.

    Raises:
        MissingToolError: scikit-learn is not installed.
    """
    try:
        from sklearn import datasets
    except ImportError as error:
        raise MissingToolError(
            'scikit-learn, which brings the digits, is missing: pip install "mcugrad[demo]"'
        ) from error
    digits = datasets.load_digits()
    order = np.random.default_rng(0).permutation(len(digits.target))
    x = (digits.images[order, :, :, np.newaxis] / _DARKEST).astype(np.float32)
    y = digits.target[order].astype(np.int32)
    at = _TRAINING_IMAGES
    return Data(Samples(x[:at], y[:at]), Samples(x[at:], y[at:]))


def quarter_turn(samples: Samples) -> Samples:
    """The images as a camera that was mounted on its side sees them."""
    return Samples(np.rot90(samples.x, axes=(1, 2)), samples.y)
