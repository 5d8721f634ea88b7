"""Folding pads and merging activations change the graph, never its results."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import numpy as np
import pytest

from mcugrad.golden.interpreter import run
from mcugrad.ir.graph import Graph
from mcugrad.ir.tensor import QuantParams
from mcugrad.ir.verify import verify
from mcugrad.ops.clamp_range import NONE, Clamp
from mcugrad.ops.conv2d_attrs import Conv2dAttrs
from mcugrad.ops.pad import PadAttrs
from mcugrad.ops.window import Window
from mcugrad.passes.fold_pad import fold_pad
from mcugrad.passes.fuse_activation import fuse_activation
from tests.support.networks import NetworkBuilder
from tests.support.quantised import codes, quantised

SPATIAL = ((0, 0), (1, 2), (3, 0), (0, 0))


def _net() -> NetworkBuilder:
    return NetworkBuilder(6, 5, 3, seed=4)


def _both_types(graph: Graph) -> list[tuple[Graph, np.ndarray]]:
    """The graph and an input, in float and in int8."""
    x = np.random.default_rng(0).normal(size=(1, 6, 5, 3)).astype(np.float32)
    int8 = quantised(graph, [x])
    quant = int8.tensors["x"].quant
    assert quant is not None
    return [(graph, x), (int8, codes(x, quant))]


def _same(before: Graph, after: Graph, x: np.ndarray) -> None:
    verify(after)
    assert after.outputs == before.outputs
    old, new = (run(g, {"x": x}, keep=False) for g in (before, after))
    for name in before.outputs:
        np.testing.assert_array_equal(old[name], new[name])


def _ops(graph: Graph) -> list[str]:
    return [n.op for n in graph.nodes]


def _strided(net: NetworkBuilder, x: str) -> str:
    w = net.weight("w", 4, 3, 3, net.shape(x)[3])
    window = Window((3, 3), (2, 2), (0, 1, 1, 0))
    return net.node("conv2d", Conv2dAttrs(window, clamp=Clamp(0.0)), x, w, net.weight("b", 4))


def test_pad_folds_into_every_convolution_that_reads_it() -> None:
    net = _net()
    padded = net.node("pad", PadAttrs(SPATIAL), net.x)
    outputs = [_strided(net, padded), net.depthwise(padded)]
    for graph, x in _both_types(net.builder.build("g", [net.x], outputs)):
        folded = fold_pad(graph)
        assert _ops(folded) == ["conv2d", "depthwise_conv2d"]
        assert folded.nodes[0].attrs.window.pad == (1, 3, 4, 0)
        assert padded not in folded.tensors
        _same(graph, folded, x)


def test_pads_in_a_row_fold_together() -> None:
    net = _net()
    padded = net.node("pad", PadAttrs(SPATIAL), net.node("pad", PadAttrs(SPATIAL), net.x))
    for graph, x in _both_types(net.builder.build("g", [net.x], [_strided(net, padded)])):
        folded = fold_pad(graph)
        assert _ops(folded) == ["conv2d"]
        assert folded.nodes[0].attrs.window.pad == (2, 5, 7, 0)
        _same(graph, folded, x)


def test_pad_stays_where_something_else_reads_it() -> None:
    net = _net()
    padded = net.node("pad", PadAttrs(SPATIAL), net.x)
    outputs = [_strided(net, padded), net.pool("max_pool2d", padded)]
    graph = net.builder.build("g", [net.x], outputs)
    assert fold_pad(graph).nodes == graph.nodes


def test_pad_stays_where_it_is_an_output() -> None:
    net = _net()
    padded = net.node("pad", PadAttrs(SPATIAL), net.x)
    graph = net.builder.build("g", [net.x], [_strided(net, padded), padded])
    assert fold_pad(graph).nodes == graph.nodes


def test_pad_of_channels_stays() -> None:
    net = _net()
    padded = net.node("pad", PadAttrs(((0, 0), (1, 1), (1, 1), (0, 2))), net.x)
    graph = net.builder.build("g", [net.x], [_strided(net, padded)])
    assert fold_pad(graph).nodes == graph.nodes


def test_activation_merges_into_its_producer() -> None:
    net = _net()
    y = net.node("clamp", Clamp(0.0, 6.0), net.conv(net.x, 4, clamp=Clamp(-1.0, 1.0)))
    graph = net.builder.build("g", [net.x], [y])
    merged = fuse_activation(graph)
    assert _ops(merged) == ["conv2d"]
    assert merged.nodes[0].attrs.clamp == Clamp(0.0, 1.0)
    _same(graph, merged, _both_types(graph)[0][1])


def test_activations_in_a_row_merge_together() -> None:
    net = _net()
    y = net.conv(net.x, 4, clamp=NONE)
    for clamp in (Clamp(low=0.0), Clamp(-1.0, 0.5), Clamp(0.1, inf)):
        y = net.node("clamp", clamp, y)
    graph = net.builder.build("g", [net.x], [y])
    merged = fuse_activation(graph)
    assert _ops(merged) == ["conv2d"]
    assert merged.nodes[0].attrs.clamp == Clamp(0.1, 0.5)
    _same(graph, merged, _both_types(graph)[0][1])


def test_ranges_that_do_not_meet_leave_one_value() -> None:
    net = _net()
    y = net.node("clamp", Clamp(-1.0, 1.0), net.conv(net.x, 4, clamp=Clamp(2.0, 3.0)))
    graph = net.builder.build("g", [net.x], [y])
    merged = fuse_activation(graph)
    assert merged.nodes[0].attrs.clamp == Clamp(1.0, 1.0)
    _same(graph, merged, _both_types(graph)[0][1])


def test_activation_stays_where_its_operand_has_another_reader() -> None:
    net = _net()
    before = net.conv(net.x, 4, clamp=NONE)
    y = net.add(net.node("clamp", Clamp(0.0), before), before)
    graph = net.builder.build("g", [net.x], [y])
    assert fuse_activation(graph).nodes == graph.nodes


@pytest.mark.parametrize("exposed", [False, True])
def test_activation_stays_where_its_operand_is_an_output(exposed: bool) -> None:
    net = _net()
    before = net.conv(net.x, 4, clamp=NONE)
    y = net.node("clamp", Clamp(0.0), before)
    graph = net.builder.build("g", [net.x], [y, before] if exposed else [y])
    assert len(fuse_activation(graph).nodes) == (2 if exposed else 1)


def test_int8_activation_merges_only_where_it_keeps_the_quantisation() -> None:
    net = _net()
    before = net.conv(net.x, 4, clamp=NONE)
    y = net.node("clamp", Clamp(0.0, 0.7), before)
    graph, x = _both_types(net.builder.build("g", [net.x], [y]))[1]
    assert fuse_activation(graph).nodes == graph.nodes  # its ranges differ
    same = QuantParams((0.01,), (5,))
    tensors = {
        n: replace(t, quant=same) if n in (y, before) else t for n, t in graph.tensors.items()
    }
    graph = graph.with_(tensors=tensors)
    merged = fuse_activation(graph)
    assert _ops(merged) == ["conv2d"]
    _same(graph, merged, x)
