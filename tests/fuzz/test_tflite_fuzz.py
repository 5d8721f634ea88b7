"""20,000 mutated .tflite files: ``ModelError`` or a graph that runs, soon, in little memory."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from mcugrad.compiler import prepare
from mcugrad.errors import ModelError
from mcugrad.golden.interpreter import run
from mcugrad.importers.tflite import parse_tflite
from mcugrad.ir.graph import Graph
from mcugrad.ir.verify import verify
from tests.support.mutations import mutations
from tests.support.tflite_files import small_files
from tests.support.tflite_mutations import field_mutations

PARTS, BYTE_LEVEL, FIELD_LEVEL = 4, 12_000, 8_000
SECONDS, MEGABYTES = 2.0, 64

#: Graphs of more elements than this are not run.
RUNNABLE = 100_000


def _accepted(data: bytes) -> Graph | None:
    """The graph; None for a proper refusal. Any other exception goes through."""
    try:
        return parse_tflite(data, "fuzz.tflite")
    except ModelError as error:
        reason = str(error)
    assert reason.isprintable(), "an error is one line that can be shown"
    assert len(reason) < 4000
    return None


def _run(graph: Graph) -> None:
    prepared = prepare(graph)
    verify(prepared)
    if sum(t.size for t in prepared.tensors.values()) <= RUNNABLE:
        zeros = {n: np.zeros(t.shape, t.dtype.numpy) for n, t in prepared.tensors.items()}
        with np.errstate(all="ignore"):
            run(prepared, {n: zeros[n] for n in prepared.inputs})


def _attempt_all(files: Iterable[bytes]) -> int:
    """How many of the files were accepted."""
    accepted = 0
    for data in files:
        start = time.perf_counter()
        graph = _accepted(data)
        if graph is not None:
            _run(graph)
            accepted += 1
        assert time.perf_counter() - start < SECONDS
    return accepted


@pytest.mark.parametrize("part", range(PARTS))
def test_mutated_bytes(part: int) -> None:
    count = BYTE_LEVEL // PARTS
    assert 0 < _attempt_all(mutations(small_files(), count, seed=part)) < count


@pytest.mark.parametrize("part", range(PARTS))
def test_mutated_fields(part: int) -> None:
    count = FIELD_LEVEL // PARTS
    assert 0 < _attempt_all(field_mutations(small_files(), count, seed=part)) < count


@pytest.mark.parametrize("model", ["kws_ref_model", "kws_ref_model_float32"])
def test_mutated_real_file(model: str, data_folder: Path) -> None:
    content = (data_folder / "mlperf_tiny_models" / f"{model}.tflite").read_bytes()
    for data in (*mutations([content], 300, seed=7), *field_mutations([content], 100, seed=7)):
        start = time.perf_counter()
        _accepted(data)
        assert time.perf_counter() - start < SECONDS


def test_memory_stays_small() -> None:
    tracemalloc.start()
    try:
        for data in (*mutations(small_files(), 300, 100), *field_mutations(small_files(), 300)):
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            _accepted(data)
            assert tracemalloc.get_traced_memory()[1] - before < MEGABYTES << 20
    finally:
        tracemalloc.stop()
