"""Samples and labels from .npz files, checked against what the model takes."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mcugrad.errors import UsageError
from mcugrad.ir.tensor import Array, DType
from mcugrad.manifest import Manifest, Port

_MAX_BYTES = 4 << 30


@dataclass(frozen=True)
class Samples:
    """``x`` [N, ...] as the device takes it; ``y`` [N] class indices or [N, ...] wanted values."""

    x: Array
    y: Array

    def __len__(self) -> int:
        return len(self.x)

    def take(self, index: Array) -> Samples:
        """These samples, in this order."""
        return Samples(self.x[index], self.y[index])


@dataclass(frozen=True)
class Data:
    """What to learn from, and what to measure on; the latter is None where not given."""

    train: Samples
    test: Samples | None

    @property
    def measured(self) -> Samples:
        """What accuracy is measured on."""
        return self.test if self.test is not None else self.train


def load_data(path: Path, manifest: Manifest) -> Data:
    """Reads ``x`` and ``y``, and ``x_test`` and ``y_test`` where the file has them.

    ``x`` is [N, *sample shape] (the leading 1 of the model's input left out). Its type is
    the model's own; floats are quantised for an int8 model.

    Raises:
        UsageError: the file or its content is not as the model needs it.
    """
    arrays = _read(path)
    for name in ("x", "y"):
        if name not in arrays:
            raise UsageError(f"{path} has no array {name!r}; it holds {', '.join(arrays)}")
    if ("x_test" in arrays) != ("y_test" in arrays):
        raise UsageError(f"{path} must hold both x_test and y_test, or neither")
    train = _samples(path, manifest, arrays, "")
    test = _samples(path, manifest, arrays, "_test") if "x_test" in arrays else None
    return Data(train, test)


def _read(path: Path) -> dict[str, Array]:
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(i.file_size for i in archive.infolist()) > _MAX_BYTES:
                raise UsageError(f"{path} unpacks to more than {_MAX_BYTES} bytes")
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, KeyError, MemoryError, zipfile.BadZipFile) as error:
        raise UsageError(f"cannot read {path} as an .npz file of plain arrays: {error}") from error


def _samples(path: Path, manifest: Manifest, arrays: dict[str, Array], suffix: str) -> Samples:
    x, y = arrays[f"x{suffix}"], arrays[f"y{suffix}"]
    if x.ndim == 0 or len(x) == 0:
        raise UsageError(f"{path}: 'x{suffix}' is empty")
    if y.ndim == 0 or len(y) != len(x):
        raise UsageError(
            f"{path}: {len(x)} samples in 'x{suffix}', but {len(np.atleast_1d(y))} in 'y{suffix}'"
        )
    samples = _inputs(f"{path}: 'x{suffix}'", manifest.sample, x)
    if manifest.classes:
        return Samples(samples, _labels(f"{path}: 'y{suffix}'", manifest.classes, y))
    return Samples(samples, _wanted(f"{path}: 'y{suffix}'", manifest.wanted, y))


def _inputs(what: str, port: Port, x: Array) -> Array:
    shape = port.shape[1:] if port.shape[:1] == (1,) else port.shape
    if x.shape[1:] not in (shape, port.shape):
        raise UsageError(f"{what} has samples of shape {x.shape[1:]}, the model takes {shape}")
    if x.dtype.kind == "f":
        finite = np.isfinite(_single(x)).reshape(len(x), -1)
        if not finite.all():
            bad = int(np.argwhere(~finite.all(axis=1))[0, 0])
            raise UsageError(
                f"{what} has a value that is not finite in float32, first in sample {bad}"
            )
        if port.dtype is DType.S8 and port.scale is not None and port.zero_point is not None:
            x = np.clip(np.round(x / port.scale) + port.zero_point, -128, 127)
        elif port.dtype is not DType.F32:
            raise UsageError(f"{what} holds {x.dtype}, the model takes {port.dtype.numpy}")
    elif x.dtype != port.dtype.numpy and port.dtype is not DType.F32:
        raise UsageError(
            f"{what} holds {x.dtype}, the model takes {port.dtype.numpy} (or real values as floats)"
        )
    elif x.dtype.kind not in "iu":
        raise UsageError(f"{what} holds {x.dtype}, not numbers")
    return np.ascontiguousarray(x.reshape(len(x), *port.shape), port.dtype.numpy)


def _single(x: Array) -> Array:
    """In single precision, where what is too large is not finite."""
    with np.errstate(over="ignore"):
        return x.astype(np.float32)


def _labels(what: str, classes: int, y: Array) -> Array:
    labels = y.reshape(len(y), -1)
    if y.dtype.kind not in "iu" or labels.shape[1] != 1:
        raise UsageError(f"{what} must hold one whole number a sample: its class")
    if labels.min() < 0 or labels.max() >= classes:
        raise UsageError(
            f"{what} has class {int(labels.max() if labels.max() >= classes else labels.min())}, "
            f"the model has classes 0 to {classes - 1}"
        )
    return labels[:, 0].astype(np.int32)


def _wanted(what: str, port: Port, y: Array) -> Array:
    if y.dtype.kind not in "fiu" or y.reshape(len(y), -1).shape[1] != int(np.prod(port.shape)):
        raise UsageError(f"{what} must hold values of shape {port.shape} for each sample")
    if not np.isfinite(_single(y)).all():
        raise UsageError(f"{what} has a value that is not finite in float32")
    return np.ascontiguousarray(y.reshape(len(y), *port.shape), np.float32)


def split(data: Data, seed: int) -> Data:
    """``data`` with a fifth of its samples, drawn from ``seed``, to measure on if it has none."""
    count = len(data.train)
    if data.test is not None or count < 2:
        return data
    mixed = np.random.default_rng(seed).permutation(count)
    apart = max(1, count // 5)
    return Data(data.train.take(mixed[apart:]), data.train.take(mixed[:apart]))


def random_samples(manifest: Manifest, count: int, seed: int) -> Samples:
    """Samples drawn at random: normal floats, uniform integers, uniform classes."""
    rng = np.random.default_rng(seed)
    port = manifest.sample
    if port.dtype is DType.F32:
        x = rng.standard_normal((count, *port.shape)).astype(np.float32)
    else:
        x = rng.integers(-128, 128, (count, *port.shape)).astype(port.dtype.numpy)
    if manifest.classes:
        return Samples(x, rng.integers(0, manifest.classes, count).astype(np.int32))
    return Samples(x, rng.standard_normal((count, *manifest.wanted.shape)).astype(np.float32))
