"""Constant weights in the layouts of their kernels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mcugrad.ir.graph import Graph, Node
from mcugrad.ir.tensor import Array, DType, Storage, Tensor, constant
from mcugrad.lower.layouts import choose_layouts
from mcugrad.lower.lower import lower
from mcugrad.ops.conv2d_attrs import Conv2dAttrs, Conv2dBwdDataAttrs
from mcugrad.ops.weight_layout import OutputsInnermost, OutputVectors
from mcugrad.ops.window import Window
from mcugrad.passes.scheme import resolve_scheme
from mcugrad.passes.training import Precision, TrainingOptions, training_graph
from tests.support.networks import residual_network

_ATTRS = Conv2dAttrs(Window((3, 3), pad=(1, 1, 1, 1)))
_MVE, _RVV = frozenset({"mve"}), frozenset({"rvv"})


def _weights(*shape: int) -> Array:
    return np.arange(1, np.prod(shape) + 1, dtype=np.float16).reshape(shape)


def _graph(
    inputs: int, outputs: int, *, back: bool = False, storage: Storage = Storage.CONSTANT
) -> Graph:
    """A convolution of an image of 12 x 12, and the gradient of its input through the same w."""
    x = Tensor("x", (1, 12, 12, inputs), DType.F16)
    y = Tensor("y", (1, 12, 12, outputs), DType.F16)
    w = constant("w", np.zeros((outputs, 3, 3, inputs), np.float16), storage=storage)
    nodes = [Node("forward", "conv2d", ("x", "w"), ("y",), _ATTRS)]
    tensors = {t.name: t for t in (x, y, w)}
    if back:
        tensors |= {"dy": replace(y, name="dy"), "dx": replace(x, name="dx")}
        attrs = Conv2dBwdDataAttrs(_ATTRS, 12, 12)
        nodes.append(Node("backward", "conv2d_bwd_data", ("dy", "w"), ("dx",), attrs))
    return Graph("layer", tensors, tuple(nodes), ("x",), ("y",))


@pytest.mark.parametrize("groups", [1, 2])
def test_outputs_lie_side_by_side(groups: int) -> None:
    w = _weights(6, 3, 2, 4)
    packed = OutputsInnermost(groups).pack(w)
    channels = 6 // groups
    assert packed.shape == (groups, 24, channels)
    for o, row, column, i in np.ndindex(w.shape):
        product = (row * 2 + column) * 4 + i
        assert packed[o // channels, product, o % channels] == w[o, row, column, i]


@pytest.mark.parametrize(
    ("channels", "groups", "rows"),
    [
        (3, 1, [8]),
        (16, 1, [16]),
        (17, 1, [16, 8]),
        (28, 1, [16, 16]),
        (72, 2, [16, 16, 16, 16, 8, 8]),
    ],
)
def test_outputs_fill_vectors(channels: int, groups: int, rows: list[int]) -> None:
    """Rows of each block, in the order of the layout: whole blocks of all groups come first."""
    w = _weights(channels, 1, 1, 5)
    packed = list(OutputVectors(groups, lanes=8).pack(w))
    of_group = channels // groups
    whole = of_group // 16 * 16
    blocks = [
        range(g * of_group + first, g * of_group + min(first + 16, end))
        for begin, end in ((0, whole), (whole, of_group))
        for g in range(groups)
        for first in range(begin, end, 16)
    ]
    expected: list[float] = []
    for block, row in zip(blocks, rows, strict=True):
        for i in range(5):
            expected += [w[o, 0, 0, i] for o in block] + [0] * (row - len(block))
    assert packed == expected


def test_one_copy_serves_both_passes() -> None:
    both = _graph(16, 24, back=True)
    assert choose_layouts(both, _MVE) == {"w": OutputVectors(1, 8)}
    assert choose_layouts(both, _RVV) == {"w": OutputsInnermost(1)}


def test_a_kernel_without_the_layout_keeps_the_weights_of_the_model() -> None:
    """The gradient of two input channels is for the portable kernel on Helium."""
    assert choose_layouts(_graph(2, 24), _MVE) == {"w": OutputVectors(1, 8)}
    assert choose_layouts(_graph(2, 24, back=True), _MVE) == {}
    assert choose_layouts(_graph(16, 24), frozenset()) == {}


@pytest.mark.parametrize(("outputs", "packs"), [(4, False), (6, True), (9, False), (12, True)])
def test_groups_that_mostly_leave_vectors_empty_take_no_flash(outputs: int, packs: bool) -> None:
    """Of each of four groups; a single group may: what it adds is little."""
    graph = _graph(16, 4 * outputs)
    (node,) = graph.nodes
    w = constant("w", np.zeros((4 * outputs, 3, 3, 4), np.float16))
    grouped = graph.with_(
        tensors={**graph.tensors, "w": w}, nodes=(replace(node, attrs=replace(_ATTRS, groups=4)),)
    )
    assert ("w" in choose_layouts(grouped, _MVE)) == packs
    assert "w" in choose_layouts(_graph(16, outputs), _MVE)


def test_weights_that_learn_stay_as_they_are() -> None:
    assert choose_layouts(_graph(16, 24, storage=Storage.STATE), _RVV) == {}


@pytest.mark.parametrize(("groups", "shared"), [(1, True), (2, False)])
def test_layers_share_a_packed_weight_if_they_read_it_alike(groups: int, shared: bool) -> None:
    graph = _graph(16, 24)
    x2 = Tensor("x2", (1, 12, 12, 16 * groups), DType.F16)
    y2 = replace(graph.tensors["y"], name="y2")
    second = Node("second", "conv2d", ("x2", "w"), ("y2",), replace(_ATTRS, groups=groups))
    tensors = {**graph.tensors, "x2": x2, "y2": y2}
    both = graph.with_(tensors=tensors, nodes=(*graph.nodes, second))
    for features in (_MVE, _RVV):
        assert choose_layouts(graph, features).keys() == {"w"}
        assert choose_layouts(both, features).keys() == ({"w"} if shared else set())


@pytest.mark.parametrize("features", [_MVE, _RVV])
def test_a_program_has_packed_weights_and_kernels_that_read_them(features: frozenset[str]) -> None:
    graph = residual_network()
    options = TrainingOptions(precision=Precision.F16)
    training = training_graph(graph, resolve_scheme(graph, "last:3"), options)
    before = training.graph.tensors
    found = set()
    for pack in (True, False):
        program = lower(training, features, lambda _symbol, _params: 64, pack=pack)
        for call in program.calls:
            if call.op in ("conv2d", "conv2d_bwd_data"):
                w = call.inputs[1]
                changed = program.tensors[w] is not before[w]
                assert call.symbol.endswith("_packed") == changed, call.symbol
                found.add((pack, call.op, before[w].storage, changed))
    assert found == {
        (True, "conv2d", Storage.CONSTANT, True),
        (True, "conv2d", Storage.STATE, False),
        (True, "conv2d_bwd_data", Storage.STATE, False),
        (False, "conv2d", Storage.CONSTANT, False),
        (False, "conv2d", Storage.STATE, False),
        (False, "conv2d_bwd_data", Storage.STATE, False),
    }


def test_a_weight_that_is_read_in_another_way_stays_as_it_is() -> None:
    graph = _graph(16, 24)
    total = Tensor("total", (24, 3, 3, 16), DType.F16)
    node = Node("other", "neg", ("w",), ("total",), graph.nodes[0].attrs)
    other = graph.with_(tensors={**graph.tensors, "total": total}, nodes=(*graph.nodes, node))
    assert choose_layouts(other, _RVV) == {}
