"""Every operator that TFLite has, against LiteRT's reference kernels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mcugrad.errors import ModelError
from mcugrad.golden.interpreter import run
from mcugrad.importers.tflite import parse_tflite
from mcugrad.passes.fold_pad import fold_pad
from tests.ops.case import Case
from tests.ops.cases import all_cases
from tests.support.case_graph import case_graph
from tests.support.litert import LiteRT
from tests.support.tflite_writer import InexpressibleError, can_write, write_tflite

CASES = [case for case in all_cases() if can_write(case.op)]


def _written(case: Case) -> bytes:
    try:
        return write_tflite(case_graph(case)[0])
    except InexpressibleError as reason:
        pytest.skip(f"not expressible in TFLite: {reason}")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_reference_equals_litert(case: Case) -> None:
    feeds = case_graph(case)[1]
    judged = LiteRT(_written(case)).run(list(feeds.values()))
    for mine, theirs in zip(case.expected(), judged, strict=True):
        assert mine.shape == theirs.shape
        if theirs.dtype == np.float32:
            np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-5)
        else:
            np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_import_gives_the_operator_back(case: Case) -> None:
    written, feeds = case_graph(case)
    if any(len(x.shape) > 1 and x.shape[0] != 1 for x in feeds.values()):
        with pytest.raises(ModelError, match="batch size of 1"):
            parse_tflite(_written(case), "case.tflite")
        return
    graph = fold_pad(parse_tflite(_written(case), "case.tflite"))
    (node,) = graph.nodes
    single = {k: float(np.float32(v)) for k, v in vars(case.attrs).items() if type(v) is float}
    assert (node.op, node.attrs) == (case.op, replace(case.attrs, **single))
    for name in (*written.inputs, *written.outputs):
        assert graph.tensors[name].quant == written.tensors[name].quant
    values = run(graph, feeds)
    for name, expected in zip(written.outputs, case.expected(), strict=True):
        np.testing.assert_allclose(values[name], expected, rtol=1e-6, atol=1e-30)
