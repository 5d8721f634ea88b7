"""Saved graphs: what comes back is what was saved, and a damaged folder is refused."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mcugrad.errors import ModelError
from mcugrad.golden.interpreter import Trainer
from mcugrad.ir.codec import decode, encode
from mcugrad.ir.graph import TrainingGraph
from mcugrad.ir.serial import load_graph, load_training_graph, save_graph
from mcugrad.ir.text import graph_text
from mcugrad.ops.base import NoAttrs
from mcugrad.ops.clamp_range import Clamp
from mcugrad.ops.conv2d_attrs import Conv2dAttrs, Conv2dBwdDataAttrs
from mcugrad.ops.gather_channels import GatherAttrs
from mcugrad.ops.sgd_quantized import SgdQuantizedAttrs
from mcugrad.ops.window import Window
from mcugrad.passes.scheme import resolve_scheme
from mcugrad.passes.training import TrainingOptions, training_graph
from tests.support.networks import random_network
from tests.support.quantised import quantised


@pytest.mark.parametrize(
    "value",
    [
        NoAttrs(),
        Clamp(),
        Clamp(0.0, inf),
        Conv2dBwdDataAttrs(Conv2dAttrs(Window((3, 2), pad=(1, 0, 1, 0)), 2, Clamp(-1, 1)), 5, 6),
        GatherAttrs(channels=(1, 4)),
        SgdQuantizedAttrs(127, salt=3),
    ],
)
def test_attributes_round_trip(value: Any) -> None:
    text = json.dumps(encode(value), allow_nan=False)
    assert decode(type(value), json.loads(text)) == value


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Clamp, {"low": "nan"}),
        (Clamp, {"low": True}),
        (Clamp, {"high": None}),
        (Clamp, {"middle": 1.0}),
        (Clamp, [0.0, 1.0]),
        (Window, {}),
        (Window, {"kernel": [3]}),
        (Window, {"kernel": [3, 3.5]}),
        (Window, {"kernel": "33"}),
        (GatherAttrs, {"channels": {"0": 1}}),
    ],
)
def test_attributes_of_another_form_are_refused(kind: type, value: Any) -> None:
    with pytest.raises(ValueError, match="cannot be"):
        decode(kind, value)


@pytest.mark.parametrize("seed", range(4))
def test_graph_round_trip(seed: int, tmp_path: Path) -> None:
    graph = random_network(seed)
    x = np.random.default_rng(seed).normal(size=graph.tensors[graph.inputs[0]].shape)
    for index, saved in enumerate((graph, quantised(graph, [x.astype(np.float32)]))):
        folder = tmp_path / str(index)
        save_graph(saved, folder)
        loaded = load_graph(folder)
        assert graph_text(loaded) == graph_text(saved)
        assert loaded.nodes == saved.nodes
        for name, tensor in saved.tensors.items():
            assert loaded.tensors[name].quant == tensor.quant
            if tensor.data is not None:
                np.testing.assert_array_equal(loaded.tensors[name].initial(), tensor.data)


def _training(batch: int = 1) -> TrainingGraph:
    graph = random_network(0)
    options = TrainingOptions(batch=batch, momentum=0.9, learning_rate=0.1)
    return training_graph(graph, resolve_scheme(graph, "all"), options)


@pytest.mark.parametrize("batch", [1, 3])
def test_training_graph_round_trip(batch: int, tmp_path: Path) -> None:
    training = _training(batch)
    save_graph(training, tmp_path / "graph")
    loaded = load_training_graph(tmp_path / "graph")
    assert replace(loaded, graph=training.graph) == training
    before, after = Trainer(training), Trainer(loaded)
    x = np.zeros(training.graph.tensors[training.graph.inputs[0]].shape, np.float32)
    for _ in range(batch):
        target = np.array([0], np.int32)
        assert before.step(x, target).loss == after.step(x, target).loss
    for name, value in before.state.items():
        np.testing.assert_array_equal(after.state[name], value)


def test_same_graph_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_graph(_training(), tmp_path / name)
    for file in ("graph.json", "graph.npz"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_graph_without_training_is_no_training_graph(tmp_path: Path) -> None:
    save_graph(random_network(0), tmp_path)
    with pytest.raises(ModelError, match="no training graph"):
        load_training_graph(tmp_path)


def _damage_json(folder: Path, change: Any) -> None:
    path = folder / "graph.json"
    structure = json.loads(path.read_text())
    change(structure)
    path.write_text(json.dumps(structure))


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.update(format=99),
        lambda s: s.update(nodes=7),
        lambda s: s.pop("tensors"),
        lambda s: s["nodes"][0].update(op="os.system"),
        lambda s: s["nodes"][0].update(attrs={}),
        lambda s: s["nodes"][0].update(inputs=["nothing"]),
        lambda s: s["nodes"].reverse(),
        lambda s: s["tensors"][1].update(shape=[1 << 40]),
        lambda s: s["tensors"][1].update(shape=[-1]),
        lambda s: s["tensors"][1].update(data=1000),
        lambda s: s["tensors"][0].update(dtype="object"),
        lambda s: s["training"].update(batch=0),
        lambda s: s["training"].update(phases={}),
        lambda s: s["training"].update(gradients={"a": "b"}),
        lambda s: s["training"]["next_state"].update(hyper="x"),
    ],
)
def test_damaged_structure_is_refused(change: Any, tmp_path: Path) -> None:
    save_graph(_training(), tmp_path)
    _damage_json(tmp_path, change)
    with pytest.raises(ModelError):
        load_training_graph(tmp_path)


def test_damaged_contents_are_refused(tmp_path: Path) -> None:
    save_graph(_training(), tmp_path)
    path = tmp_path / "graph.npz"
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelError):
        load_graph(tmp_path)
    path.unlink()
    with pytest.raises(ModelError, match="cannot be read"):
        load_graph(tmp_path)


def test_compressed_contents_are_refused(tmp_path: Path) -> None:
    """They could be of any size once unpacked."""
    save_graph(random_network(0), tmp_path)
    path = tmp_path / "graph.npz"
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    with pytest.raises(ModelError, match="compressed"):
        load_graph(tmp_path)


def test_pickled_contents_are_refused(tmp_path: Path) -> None:
    save_graph(random_network(0), tmp_path)
    with zipfile.ZipFile(tmp_path / "graph.npz") as archive:
        count = len(archive.namelist())
    arrays = [np.array([{}], object)] * count
    np.savez(tmp_path / "graph.npz", *arrays)
    with pytest.raises(ModelError):
        load_graph(tmp_path)
