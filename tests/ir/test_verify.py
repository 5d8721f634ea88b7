"""The verifier names node and tensor of everything that is wrong with a graph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from mcugrad.errors import InternalError
from mcugrad.ir.graph import Graph
from mcugrad.ir.tensor import DType, QuantParams, Storage, Tensor
from mcugrad.ir.text import graph_text
from mcugrad.ir.verify import verify
from mcugrad.ops.base import NoAttrs
from mcugrad.ops.clamp_range import Clamp
from tests.support.networks import NetworkBuilder, random_network

Change = Callable[[Graph], Graph]


def _graph() -> Graph:
    net = NetworkBuilder(4, 4, 2, 0)
    return net.classifier(net.conv(net.x, 3), 2)


def _tensor(which: str, **changes: object) -> Change:
    def change(graph: Graph) -> Graph:
        tensors = dict(graph.tensors)
        tensors[which] = replace(tensors[which], **changes)  # type: ignore[arg-type]
        return graph.with_(tensors=tensors)

    return change


def _node(index: int, **changes: object) -> Change:
    def change(graph: Graph) -> Graph:
        nodes = list(graph.nodes)
        nodes[index] = replace(nodes[index], **changes)  # type: ignore[arg-type]
        return graph.with_(nodes=tuple(nodes))

    return change


@pytest.mark.parametrize("seed", range(8))
def test_sound_graphs_pass(seed: int) -> None:
    verify(random_network(seed))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda g: g.with_(nodes=g.nodes[::-1]), "'n_softmax_3' .* read before it is written"),
        (lambda g: g.with_(nodes=(*g.nodes, g.nodes[0])), "its name stands twice"),
        (lambda g: g.with_(nodes=(*g.nodes, replace(g.nodes[0], name="n"))), "already has a value"),
        (lambda g: g.with_(outputs=("nothing",)), "output 'nothing' is never computed"),
        (lambda g: g.with_(inputs=("x", "w")), "input 'w' is not a value"),
        (lambda g: g.with_(inputs=("x", "y")), "input 'y' does not exist"),
        (_node(0, op="conv9d"), "no such operator"),
        (_node(0, attrs=NoAttrs()), "attributes are NoAttrs, not Conv2dAttrs"),
        (_node(0, inputs=("x", "nothing", "b")), "input 'nothing' does not exist"),
        (_node(0, outputs=("nothing",)), "output 'nothing' does not exist"),
        (_node(0, inputs=("x", "b", "b")), "'conv2d_0'.*weights must"),
        (_node(0, outputs=("conv2d_0", "mean_1")), "2 outputs instead of 1"),
        (_tensor("conv2d_0", shape=(1, 4, 4, 9)), r"'conv2d_0' is f32 \[1, 4, 4, 9\], not f32"),
        (_tensor("conv2d_0", dtype=DType.S32), "'conv2d_0' is s32"),
        (_tensor("x", shape=(1, 4, 0, 2)), "'x' has the shape"),
        (_tensor("x", dtype=DType.S8), "'x' is int8 without quantisation"),
        (_tensor("x", data=np.zeros((1, 4, 4, 2), np.float32)), "'x' is a value, yet holds data"),
        (_tensor("w", data=None), "'w' is a constant without data"),
        (_tensor("w", data=np.zeros(3, np.float32)), "'w' holds float32"),
        (_tensor("x", name="z"), "'x' is called 'z'"),
        (
            _tensor("b", quant=QuantParams((1.0, 2.0), (0, 0), 0)),
            "'b' has quantisation that does not fit",
        ),
        (_tensor("b", quant=QuantParams((1.0,), (0,), 4)), "'b' has quantisation"),
    ],
)
def test_unsound_graphs_are_named(change: Change, reason: str) -> None:
    with pytest.raises(InternalError, match=reason):
        verify(change(_graph()))


def test_a_constant_may_be_an_output() -> None:
    verify(_graph().with_(outputs=("b",)))


def test_states_need_no_data() -> None:
    graph = _graph()
    state = Tensor("s", (3,), DType.F32, storage=Storage.STATE)
    verify(graph.with_(tensors={**graph.tensors, "s": state}))


def test_text_is_one_line_a_node() -> None:
    graph = _graph()
    text = graph_text(graph)
    assert text == graph_text(_graph())
    lines = text.splitlines()
    assert lines[0] == "graph 'network'"
    assert "input 'x' f32[1, 4, 4, 2]" in lines
    assert (
        "n_conv2d_0: 'conv2d_0' f32[1, 4, 4, 3] = conv2d('x', 'w', 'b') "
        "window (kernel [3, 3], pad [1, 1, 1, 1]), clamp (low 0)" in lines
    )
    assert lines[-1] == "output 'softmax_3'"
    stored = [t for t in graph.tensors.values() if t.storage is not Storage.VALUE]
    assert len(lines) == 1 + 1 + len(stored) + len(graph.nodes) + 1


def test_text_shows_contents_and_attributes() -> None:
    one, other = _graph(), _tensor("b", data=np.ones(3, np.float32))(_graph())
    assert graph_text(one) != graph_text(other)
    attrs = replace(one.nodes[0].attrs, clamp=Clamp(0.0, 6.0))
    assert "clamp (low 0, high 6)" in graph_text(_node(0, attrs=attrs)(one))
