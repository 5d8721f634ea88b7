"""20,000 mutated .tflite files: ``ModelError`` or a sound graph, soon and in little memory."""

from __future__ import annotations

import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from mcugrad.compiler import prepare
from mcugrad.errors import ModelError
from mcugrad.importers.tflite import parse_tflite
from mcugrad.ir.verify import verify
from tests.ops.cases import all_cases
from tests.support.case_graph import case_graph
from tests.support.mutations import mutations
from tests.support.networks import random_network
from tests.support.quantised import quantised
from tests.support.tflite_writer import InexpressibleError, can_write, write_tflite

PARTS, FILES = 8, 20_000
SECONDS, MEGABYTES = 2.0, 64


def _own_files() -> list[bytes]:
    """One file for each operator, in float and in int8, and a few networks."""
    files: dict[tuple[str, bool], bytes] = {}
    for case in all_cases():
        key = (case.op, case.is_float)
        if can_write(case.op) and key not in files:
            try:
                files[key] = write_tflite(case_graph(case)[0])
            except InexpressibleError:
                continue
    networks = []
    for seed in range(2):
        graph = random_network(seed)
        x = np.random.default_rng(seed).normal(size=graph.tensors[graph.inputs[0]].shape)
        networks += [write_tflite(graph), write_tflite(quantised(graph, [x.astype(np.float32)]))]
    return [*files.values(), *networks]


def _attempt(data: bytes) -> bool:
    """Whether the file is accepted; anything but ``ModelError`` goes through."""
    try:
        graph = parse_tflite(data, "fuzz.tflite")
    except ModelError as error:
        message = str(error)
        assert message.isprintable(), "an error is one line that can be shown"
        assert len(message) < 4000
        return False
    verify(prepare(graph))
    return True


@pytest.mark.parametrize("part", range(PARTS))
def test_mutated_files(part: int) -> None:
    accepted = 0
    for data in mutations(_own_files(), FILES // PARTS, seed=part):
        start = time.perf_counter()
        accepted += _attempt(data)
        assert time.perf_counter() - start < SECONDS
    assert 0 < accepted < FILES // PARTS


def test_memory_stays_small() -> None:
    tracemalloc.start()
    try:
        for data in mutations(_own_files(), 400, seed=100):
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            _attempt(data)
            assert tracemalloc.get_traced_memory()[1] - before < MEGABYTES << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("model", ["kws_ref_model", "kws_ref_model_float32"])
def test_mutated_real_files(model: str, data_folder: Path) -> None:
    content = (data_folder / "mlperf_tiny_models" / f"{model}.tflite").read_bytes()
    for data in mutations([content], 500, seed=7):
        start = time.perf_counter()
        _attempt(data)
        assert time.perf_counter() - start < SECONDS
