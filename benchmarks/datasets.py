"""The real models and data that benchmarks use, where they are present."""

from __future__ import annotations

import io
import os
import sys
import zipfile
from pathlib import Path

import numpy as np

from mcugrad.data import Data, Samples
from mcugrad.ir.tensor import Array

FOLDER = Path(
    os.environ.get("MCUGRAD_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data"
)
MODELS = FOLDER / "mlperf_tiny_models"
BACKBONES = FOLDER / "tte_backbones_tflite"

FLOWERS = ("daisy", "dandelion", "roses", "sunflowers", "tulips")


def require_data() -> None:
    """Ends the program, with the reason, where the data folder is absent."""
    if not MODELS.is_dir():
        sys.exit(f"the models and data are not in {FOLDER}: set MCUGRAD_DATA to their folder")


def int8_pixels(images: Array) -> Array:
    """uint8 images [N, height, width, 3] as int8 models take them, [N, 1, height, width, 3]."""
    return (images.astype(np.int16) - 128).astype(np.int8)[:, None]


def cifar10(split: str) -> tuple[Array, Array]:
    """Images [N, 32, 32, 3] of uint8, and labels: "test" or "train_batch1"."""
    from PIL import Image

    folder = FOLDER / "cifar10_20k"
    sheet = np.asarray(Image.open(folder / f"{split}_10000.webp").convert("RGB"))
    tiles = sheet.reshape(100, 32, 100, 32, 3).transpose(0, 2, 1, 3, 4)
    return tiles.reshape(-1, 32, 32, 3), np.load(folder / f"{split}_labels.npy").astype(np.int32)


def cifar10_int8(train: int, test: int) -> Data:
    """The first images of each split as the int8 ResNet8 takes them."""

    def samples(split: str, count: int) -> Samples:
        x, y = cifar10(split)
        return Samples(int8_pixels(x[:count]), y[:count])

    return Data(samples("train_batch1", train), samples("test", test))


def flowers(split: str) -> tuple[Array, Array]:
    """Photographs [N, 128, 128, 3] of uint8, and labels: "train" or "val"."""
    from PIL import Image

    with zipfile.ZipFile(FOLDER / "flowers5_128" / "flowers128.zip") as archive:
        names = [n for n in archive.namelist() if n.startswith(f"{split}/") and n.endswith(".jpg")]
        images = [np.asarray(Image.open(io.BytesIO(archive.read(n)))) for n in names]
    labels = [FLOWERS.index(n.split("/")[1]) for n in names]
    return np.stack(images), np.array(labels, np.int32)


def kws_test_set() -> Samples:
    """MLPerf Tiny's 1000 keyword samples, int8."""
    with np.load(FOLDER / "kws01_features" / "kws01.npz") as archive:
        return Samples(archive["x"][:, None], archive["y"].astype(np.int32))


def kws_new_words(count: int = 10) -> tuple[Data, list[str]]:
    """Clips of words that are no class of the keyword model, split by speaker.

    Every third speaker, in the order of their names, is held out; the words are the first
    ``count`` of those that the model calls unknown.
    """
    with np.load(FOLDER / "kws_speakers" / "kws_speakers_300.npz", allow_pickle=False) as archive:
        words, classes = [list(map(str, archive[k])) for k in ("words", "classes12")]
        x, word, speaker = archive["x_int8"], archive["word"], archive["speaker"]
    known = {c.lower() for c in classes}
    new = [i for i, w in enumerate(words) if w.lower() not in known][:count]
    chosen = np.isin(word, new)
    labels = np.array([new.index(w) if w in new else -1 for w in word], np.int32)
    held_out = speaker % 3 == 0

    def samples(mask: Array) -> Samples:
        images = x[mask].astype(np.int8).reshape(-1, 1, 49, 10, 1)
        return Samples(images, labels[mask])

    return Data(samples(chosen & ~held_out), samples(chosen & held_out)), [words[i] for i in new]
