"""Update schemes: which tensors learn, and which of their input channels."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np

from mcugrad.errors import UsageError
from mcugrad.ir.graph import Graph
from mcugrad.ir.tensor import Tensor
from mcugrad.passes.layers import Layer, layers

FORMS = "none, head, bias:N, last:N, all, auto, or the path of a .toml file"

#: What a learning rate can be multiplied by.
_LARGEST_RATE = 1e6

#: Learning tensor -> its input channels that learn; None: all.
Channels = Mapping[str, tuple[int, ...] | None]


@dataclass(frozen=True)
class UpdateScheme:
    """The learning tensors of a graph by name.

    ``rates`` are what the learning rate of some of them is multiplied by.
    """

    learning: Channels
    rates: Mapping[str, float] = field(default_factory=dict)

    @property
    def tensors(self) -> frozenset[str]:
        """The names of the tensors that learn."""
        return frozenset(self.learning)


def resolve_scheme(graph: Graph, spec: str) -> UpdateScheme:
    """The scheme that ``spec`` means for ``graph``.

    ``none``: nothing learns. ``head``: weight and bias of the last layer. ``bias:N``: the
    biases of the last N layers, and the head's weight. ``last:N``: weight and bias of the last
    N layers. ``all``: those of every layer. A path that ends in .toml: a file as
    :func:`read_scheme` takes it.

    Raises:
        UsageError: the text has none of these forms, or names what the graph does not have.
    """
    if spec == "none":
        return UpdateScheme({})
    known = layers(graph)
    if not known:
        raise UsageError("the model has no layer with weights, so nothing in it can learn")
    if spec.endswith(".toml"):
        return read_scheme(graph, Path(spec))
    kind, _, count = spec.partition(":")
    if spec == "head":
        return _whole(known[-1:])
    if spec == "all":
        return _whole(known)
    if kind not in ("bias", "last") or not count.isdecimal() or int(count) < 1:
        raise UsageError(f"update scheme {spec!r} is not one of: {FORMS}")
    if int(count) > len(known):
        raise UsageError(f"update scheme {spec!r}: the model has {len(known)} layers")
    chosen = known[-int(count) :]
    if kind == "last":
        return _whole(chosen)
    biases: dict[str, tuple[int, ...] | None] = {y.bias: None for y in chosen if y.bias}
    return UpdateScheme(biases | dict(_whole(known[-1:]).learning))


def _whole(chosen: list[Layer]) -> UpdateScheme:
    names = (n for layer in chosen for n in (layer.weight, layer.bias) if n)
    return UpdateScheme(dict.fromkeys(names))


def read_scheme(graph: Graph, path: Path) -> UpdateScheme:
    """Reads a scheme file, as :func:`parse_scheme` takes its text.

    Raises:
        UsageError: the file cannot be read, or an entry does not fit the graph.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"scheme file {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"scheme file {path}: {error}") from error
    return parse_scheme(graph, text, str(path))


def parse_scheme(graph: Graph, text: str, path: str) -> UpdateScheme:
    """Reads the text of a scheme file: tables under ``[update]``, keyed by tensor name.

    Each entry is ``true`` (the whole tensor), a number in (0, 1] (the share of the input
    channels, those with the largest weights), or a list of channel indices; or a table of one of
    these, ``channels``, and of a ``rate`` that the tensor's learning rate is multiplied by::

        [update]
        "conv2d_7/weight" = 0.25
        "conv2d_7/bias" = { channels = true, rate = 0.1 }
        "fc/weight" = [0, 3, 17]

    Raises:
        UsageError: the text is not TOML, or an entry does not fit the graph.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"scheme file {path}: {error}") from error
    entries = document.get("update")
    if not isinstance(entries, dict) or not entries or set(document) != {"update"}:
        raise UsageError(f"scheme file {path} must hold one table [update] with an entry a tensor")
    owners = {n: layer for layer in layers(graph) for n in (layer.weight, layer.bias) if n}
    learning, rates = {}, {}
    for name, entry in entries.items():
        if name not in owners:
            near = get_close_matches(name, owners, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise UsageError(
                f"scheme file {path}: no layer has a weight or bias named {name!r}{hint} "
                "(mcugrad compile --dump-after import prints the names)"
            )
        layer = owners[name]
        axis = layer.channel_axis if name == layer.weight else None
        try:
            rule, rates[name] = _rule_and_rate(entry)
            learning[name] = _channels(graph.tensors[name], axis, rule)
            if learning[name] is not None and not may_learn_in_part(graph, layer):
                raise ValueError(
                    "learns as a whole (true) or not at all: two kinds of operator read it"
                )
        except ValueError as error:
            raise UsageError(f"scheme file {path}: {name!r}: {error}") from error
    return UpdateScheme(learning, rates)


def _rule_and_rate(entry: Any) -> tuple[Any, float]:
    if not isinstance(entry, dict):
        return entry, 1.0
    if not entry.keys() <= {"channels", "rate"}:
        raise ValueError(f"a table holds channels and rate, not {', '.join(sorted(entry))}")
    rate = entry.get("rate", 1.0)
    if type(rate) not in (int, float) or not 0 < rate <= _LARGEST_RATE:
        raise ValueError(f"rate {rate!r} is no number above 0 and up to {_LARGEST_RATE:g}")
    return entry.get("channels", True), float(rate)


def may_learn_in_part(graph: Graph, layer: Layer) -> bool:
    """Whether some channels may learn: every reader of the weight uses it as the layer does."""
    slot = layer.node.inputs.index(layer.weight)
    return all(
        n.op == layer.node.op and [i for i, t in enumerate(n.inputs) if t == layer.weight] == [slot]
        for n in graph.consumers()[layer.weight]
    )


def _channels(tensor: Tensor, axis: int | None, rule: Any) -> tuple[int, ...] | None:
    if rule is True:
        return None
    if axis is None:
        raise ValueError("a bias learns as a whole: write true")
    total = tensor.shape[axis]
    if isinstance(rule, list):
        if not all(type(c) is int and 0 <= c < total for c in rule) or not rule:
            raise ValueError(f"channels must be whole numbers from 0 to {total - 1}")
        if len(set(rule)) != len(rule):
            raise ValueError("a channel is listed twice")
        picked = tuple(sorted(rule))
    elif type(rule) in (int, float) and 0 < rule <= 1:
        picked = largest_channels(tensor, axis, max(1, round(rule * total)))
    else:
        raise ValueError(
            f"{rule!r} is none of true, a share in (0, 1], and a list of channels; what does not "
            "learn is left out"
        )
    return None if len(picked) == total else picked


def largest_channels(tensor: Tensor, axis: int, count: int) -> tuple[int, ...]:
    """The ``count`` input channels whose weights have the largest sum of squares, in order."""
    weight = tensor.initial().astype(np.float64)
    if tensor.quant is not None and tensor.quant.axis is not None:
        along = [1] * weight.ndim
        along[tensor.quant.axis] = -1
        weight = weight * np.reshape(tensor.quant.scale, along)
    others = tuple(a for a in range(weight.ndim) if a != axis)
    energy = np.square(weight).sum(axis=others)
    ranked = np.argsort(-energy, kind="stable")[:count]
    return tuple(sorted(int(c) for c in ranked))
