"""What a device has learned, to and from a file."""

from __future__ import annotations

import os
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from mcugrad.devices.base import Device
from mcugrad.errors import UsageError
from mcugrad.ir.tensor import Array
from mcugrad.manifest import Manifest


def read_state(device: Device, manifest: Manifest) -> dict[str, Array]:
    """Every tensor that learning changes, hyper-parameters included."""
    return {
        entry.name: np.frombuffer(device.read_tensor(number), entry.dtype.numpy).reshape(
            entry.shape
        )
        for number, entry in enumerate(manifest.tensors)
        if entry.writable
    }


def save_state(device: Device, manifest: Manifest, path: Path) -> None:
    """Writes what the device has learned; the file appears complete or not at all.

    Raises:
        UsageError: the file cannot be written.
    """
    arrays = [np.array(manifest.fingerprint, np.uint32), *read_state(device, manifest).values()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".mcugrad-", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(file, *arrays)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error


def load_state(device: Device, manifest: Manifest, path: Path) -> None:
    """Gives the device what another run saved.

    Raises:
        UsageError: the file cannot be read, or is of another model or another compilation.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = [archive[f"arr_{i}"] for i in range(len(archive.files))]
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise UsageError(f"cannot read {path} as saved weights: {error}") from error
    writable = [(n, e) for n, e in enumerate(manifest.tensors) if e.writable]
    if not arrays or arrays[0].shape != () or int(arrays[0]) != manifest.fingerprint:
        raise UsageError(f"{path} was not saved from this compiled model")
    if len(arrays) != len(writable) + 1:
        raise UsageError(f"{path} is damaged: {len(arrays) - 1} tensors, not {len(writable)}")
    for (number, entry), array in zip(writable, arrays[1:], strict=True):
        if array.shape != entry.shape or array.dtype != entry.dtype.numpy:
            raise UsageError(f"{path} is damaged: {entry.name!r} has another type")
        device.write_tensor(number, array.tobytes())
