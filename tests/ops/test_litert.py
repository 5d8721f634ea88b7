"""Every operator that TFLite has, against LiteRT's reference kernels."""

from __future__ import annotations

import numpy as np
import pytest

from mcugrad.ir.graph import Graph, Node
from mcugrad.ir.tensor import Storage, Tensor, constant
from tests.ops.case import Case
from tests.ops.cases import all_cases
from tests.support.litert import LiteRT
from tests.support.tflite_writer import InexpressibleError, can_write, write_tflite

CASES = [case for case in all_cases() if can_write(case.op)]

#: Their operands after the first are parameters, which TFLite wants as constants.
_WITH_PARAMETERS = {"conv2d", "depthwise_conv2d", "fully_connected"}


def _graph(case: Case) -> Graph:
    """The case as a graph of one node."""
    tensors: dict[str, Tensor] = {}
    names: list[str] = []
    for index, (tensor, data) in enumerate(zip(case.call.inputs, case.stored, strict=True)):
        if tensor is None or data is None:
            names.append("")
            continue
        is_parameter = index > 0 and case.op in _WITH_PARAMETERS
        tensors[tensor.name] = constant(tensor.name, data, tensor.quant) if is_parameter else tensor
        names.append(tensor.name)
    outputs = {t.name: t for t in case.call.outputs}
    node = Node("node", case.op, tuple(names), tuple(outputs), case.attrs)
    inputs = [n for n, t in tensors.items() if t.storage is Storage.VALUE]
    return Graph(case.label, tensors | outputs, (node,), tuple(inputs), tuple(outputs))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_reference_equals_litert(case: Case) -> None:
    graph = _graph(case)
    try:
        content = write_tflite(graph)
    except InexpressibleError as reason:
        pytest.skip(f"not expressible in TFLite: {reason}")
    feeds = [
        d
        for t, d in zip(case.call.inputs, case.stored, strict=True)
        if t is not None and t.name in graph.inputs and d is not None
    ]
    judged = LiteRT(content).run(feeds)
    for mine, theirs in zip(case.expected(), judged, strict=True):
        assert mine.shape == theirs.shape
        if theirs.dtype == np.float32:
            np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-5)
        else:
            np.testing.assert_array_equal(mine, theirs)
