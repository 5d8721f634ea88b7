"""What the accuracy table is about: tasks, and ways of learning them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.datasets import BACKBONES, MODELS, cifar10_int8, flowers, int8_pixels, kws_new_words
from mcugrad.cli.console import Console
from mcugrad.compiler import Request
from mcugrad.data import Data, Samples
from mcugrad.ir.tensor import Array
from mcugrad.manifest import Manifest
from mcugrad.passes.training import Gradients, Precision
from mcugrad.search.analysis import Analysis
from mcugrad.search.auto import Found, Wish, compile_auto


@dataclass(frozen=True)
class Sparse:
    """A sparse scheme: so many biases before the head, and shares of convolutions' weights."""

    biases: int
    shares: Mapping[int, float]


@dataclass(frozen=True)
class Task:
    """A pretrained model, in int8 and in float, and a new task for it.

    ``data`` is that of the int8 model; ``real`` turns its samples into those of the float model.
    With ``mirrored`` an epoch holds every training image and its mirror image. Small sets pick
    the learning rate in more ``folds`` and learn in several ``orders``, for steadier figures.
    """

    int8: Path
    float32: Path
    classes: int
    data: Callable[[], Data]
    real: Callable[[Array], Array]
    epochs: int
    mirrored: bool
    tail: int  # layers that learn in a float32 tail
    sparse: Sparse
    small: Sparse | None = None
    folds: int = 1
    orders: int = 1

    def model(self, way: Way) -> Path:
        """The file that a way of learning starts from."""
        return self.float32 if way.float_model else self.int8


@dataclass(frozen=True)
class Way:
    """What learns of a task's model, and in what arithmetic.

    ``update``: as ``--update``; "bias", "last", "sparse" and "small" stand for the task's own.
    """

    what: str
    update: str
    precision: Precision = Precision.INT8
    float_model: bool = False
    exact: bool = False  # by the golden model in float64, in place of the compiled C
    sram: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


def _flowers() -> Data:
    """1,200 images of the training split, drawn at random, and the whole validation split."""
    x, y = flowers("train")
    drawn = np.random.default_rng(0).permutation(len(y))[:1200]
    pairs = ((x[drawn], y[drawn]), flowers("val"))
    return Data(*(Samples(int8_pixels(x), y) for x, y in pairs))


def _backbone(name: str, sparse: Sparse, small: Sparse | None = None) -> Task:
    return Task(
        BACKBONES / f"{name}_int8.tflite",
        BACKBONES / f"{name}_float32.tflite",
        classes=5,
        data=_flowers,
        real=lambda x: (x + np.float32(128)) / np.float32(127.5) - np.float32(1),
        epochs=1,
        mirrored=True,
        tail=5,
        sparse=sparse,
        small=small,
        orders=3,
    )


TASKS = {
    # The released "49kb" scheme of "On-Device Training Under 256KB Memory".
    "mcunet": _backbone("mcunet-5fps", Sparse(20, {24: 0.25, 27: 0.5, 30: 0.5})),
    # The same kind of layer, the first of a block, in four late blocks; and what 144 KB allow.
    "mbv2": _backbone(
        "mbv2-w0.35", Sparse(20, {36: 1, 39: 1, 42: 0.5, 45: 0.5}), Sparse(5, {47: 1 / 16})
    ),
    "kws": Task(
        MODELS / "kws_ref_model.tflite",
        MODELS / "kws_ref_model_float32.tflite",
        classes=10,
        data=lambda: kws_new_words()[0],
        real=lambda x: (x - np.float32(83)) * np.float32(0.5847029),
        epochs=40,
        mirrored=False,
        tail=5,
        sparse=Sparse(9, {4: 0.5, 6: 0.5, 8: 1}),
        folds=3,
        orders=10,
    ),
    "resnet8": Task(
        MODELS / "pretrainedResnet_quant.tflite",
        MODELS / "pretrainedResnet.tflite",
        classes=10,
        data=lambda: cifar10_int8(2000, 2000),
        real=lambda x: x + np.float32(128),
        epochs=3,
        mirrored=True,
        tail=3,
        sparse=Sparse(9, {3: 0.5, 6: 0.25, 7: 0.25}),
        orders=2,
    ),
}


def searched(
    task: Task, asked: Request, folder: Path, analysis: Analysis = Analysis.FISHER
) -> tuple[Manifest, Found]:
    """Compiles what ``auto`` finds for a task into ``folder / "auto"``.

    Raises:
        DoesNotFitError: not even the head can learn in that much memory.
    """
    data, train = folder / "data.npz", task.data().train
    np.savez(data, x=train.x[:, 0], y=train.y)
    wish = Wish(data, analysis=analysis)
    return compile_auto(asked, wish, folder / "auto", Console(quiet=True), lambda *_: None)


_F16, _F32 = Precision.F16, Precision.F32
WAYS = {
    "head": Way("head only", "head", _F32),
    "bias": Way("biases and head, int8", "bias"),
    "f32": Way("all of the float model, f32", "all", _F32, float_model=True),
    "f16": Way("all of the float model, f16", "all", _F16, float_model=True),
    "tail": Way("last layers of the int8 model, f32", "last", _F32),
    "tail-f16": Way("last layers of the int8 model, f16", "last", _F16),
    "tail-exact": Way("the same in NumPy, float64", "last", _F32, exact=True),
    "int8": Way("all, int8", "all"),
    "sparse": Way("sparse, int8", "sparse"),
    "sparse-f32": Way("the same tensors in f32", "sparse", _F32),
    "sparse-no-qas": Way("sparse, int8 without QAS", "sparse", options={"qas": False}),
    "sparse-s16": Way(
        "sparse, int8, s16 gradients", "sparse", options={"gradients": Gradients.S16}
    ),
    "small": Way("smaller sparse scheme, int8, 144 KB", "small", sram=144 << 10),
    "auto-64": Way("auto, int8, 64 KB", "auto", sram=64 << 10),
    "auto-128": Way("auto, int8, 128 KB", "auto", sram=128 << 10),
    "auto-256": Way("auto, int8, 256 KB", "auto", sram=256 << 10),
}
