"""Published models: they import, and the golden model equals LiteRT's reference kernels."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mcugrad.compiler import prepare
from mcugrad.golden.interpreter import run
from mcugrad.importers.tflite import import_tflite
from tests.support.litert import LiteRT
from tests.support.tflite_writer import write_tflite

FEW, MANY = 8, 200

KWS_QUANT = (0.5847029, 83)


def _images(count: int) -> np.ndarray:
    from benchmarks.datasets import cifar10

    return cifar10("test")[0][:count].astype(np.float64)


def _keywords(count: int) -> np.ndarray:
    from benchmarks.datasets import kws_test_set

    return kws_test_set().x[:count, 0]


def _flowers(count: int) -> np.ndarray:
    from benchmarks.datasets import FOLDER
    from PIL import Image

    with zipfile.ZipFile(FOLDER / "flowers5_128" / "flowers128.zip") as archive:
        names = [n for n in archive.namelist() if n.endswith(".jpg")]
        chosen = names[:: len(names) // count][:count]
        images = [np.asarray(Image.open(io.BytesIO(archive.read(n)))) for n in chosen]
    return np.stack(images).astype(np.float64)


def _int8(pixels: np.ndarray) -> np.ndarray:
    return (pixels - 128).astype(np.int8)


def _float_keywords(count: int) -> np.ndarray:
    scale, zero_point = KWS_QUANT
    return ((_keywords(count).astype(np.float64) - zero_point) * scale).astype(np.float32)


#: Model -> (folder, number of operators after the clean-ups, its inputs).
Source = tuple[str, int, Callable[[int], np.ndarray]]
INT8: dict[str, Source] = {
    "pretrainedResnet_quant": ("mlperf_tiny_models", 16, lambda n: _int8(_images(n))),
    "kws_ref_model": ("mlperf_tiny_models", 13, _keywords),
    "vww_96_int8": ("mlperf_tiny_models", 31, lambda n: _int8(_flowers(n)[:, 16:112, 16:112])),
    "mbv2-w0.35_int8": ("tte_backbones_tflite", 63, lambda n: _int8(_flowers(n))),
    "mcunet-5fps_int8": ("tte_backbones_tflite", 51, lambda n: _int8(_flowers(n))),
}
FLOAT: dict[str, Source] = {
    "pretrainedResnet": ("mlperf_tiny_models", 16, lambda n: _images(n).astype(np.float32)),
    "kws_ref_model_float32": ("mlperf_tiny_models", 13, _float_keywords),
    "vww_96_float": (
        "mlperf_tiny_models",
        31,
        lambda n: (_flowers(n)[:, 16:112, 16:112] / 255).astype(np.float32),
    ),
    "mbv2-w0.35_float32": (
        "tte_backbones_tflite",
        63,
        lambda n: (_flowers(n) / 127.5 - 1).astype(np.float32),
    ),
    "mcunet-5fps_float32": (
        "tte_backbones_tflite",
        51,
        lambda n: (_flowers(n) / 127.5 - 1).astype(np.float32),
    ),
}


def _differing_bytes(path: Path, samples: np.ndarray) -> int:
    """Of the outputs, with and without the clean-ups after the import."""
    judge = LiteRT(path.read_bytes())
    imported = import_tflite(path)
    cleaned = prepare(imported)
    count = 0
    for x in samples:
        (expected,) = judge.run([x[None]])
        for graph in (imported, cleaned) if cleaned.nodes != imported.nodes else (imported,):
            (y,) = run(graph, {graph.inputs[0]: x[None]}, keep=False).values()
            count += int((y != expected).sum())
    return count


@pytest.mark.parametrize("model", INT8)
def test_int8_equals_litert(model: str, data_folder: Path) -> None:
    folder, operators, samples = INT8[model]
    path = data_folder / folder / f"{model}.tflite"
    assert len(prepare(import_tflite(path)).nodes) == operators
    assert _differing_bytes(path, samples(FEW)) == 0


@pytest.mark.slow
@pytest.mark.parametrize("model", INT8)
def test_int8_equals_litert_on_many_samples(model: str, data_folder: Path) -> None:
    folder, _, samples = INT8[model]
    assert _differing_bytes(data_folder / folder / f"{model}.tflite", samples(MANY)) == 0


@pytest.mark.parametrize("model", FLOAT)
def test_float_is_close_to_litert(model: str, data_folder: Path) -> None:
    folder, operators, samples = FLOAT[model]
    graph = prepare(import_tflite(data_folder / folder / f"{model}.tflite"))
    assert len(graph.nodes) == operators
    # Written again, as LiteRT runs float operators with int8 weights in another way.
    judge = LiteRT(write_tflite(graph))
    for x in samples(FEW):
        (expected,) = judge.run([x[None]])
        (y,) = run(graph, {graph.inputs[0]: x[None]}, keep=False).values()
        np.testing.assert_allclose(y, expected, rtol=0, atol=1e-5 * np.abs(expected).max())
