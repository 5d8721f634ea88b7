"""Small .tflite files of our own, for tests that need some but no model in particular."""

from __future__ import annotations

from functools import cache

import numpy as np

from tests.ops.cases import all_cases
from tests.support.case_graph import case_graph
from tests.support.networks import random_network
from tests.support.quantised import quantised
from tests.support.tflite_writer import InexpressibleError, can_write, write_tflite


@cache
def small_files() -> tuple[bytes, ...]:
    """One file for each operator, in float and in int8, and a few networks."""
    files: dict[tuple[str, bool], bytes] = {}
    for case in all_cases():
        key = (case.op, case.is_float)
        if can_write(case.op) and key not in files:
            try:
                files[key] = write_tflite(case_graph(case)[0])
            except InexpressibleError:
                continue
    return (*files.values(), *small_networks())


@cache
def small_networks() -> tuple[bytes, ...]:
    """Whole networks that end in a classifier, in float and in int8."""
    files = []
    for seed in range(2):
        graph = random_network(seed)
        x = np.random.default_rng(seed).normal(size=graph.tensors[graph.inputs[0]].shape)
        files += [write_tflite(graph), write_tflite(quantised(graph, [x.astype(np.float32)]))]
    return tuple(files)
