"""Mutations of a .tflite file's fields, which keep the FlatBuffer itself sound.

They reach what lies behind the structural check: shapes, types, indices, options.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

_NUMBERS = (-(2**31), -1, 0, 1, 2, 3, 4, 5, 8, 100, 1 << 15, 1 << 20, 2**31 - 1)
_REALS = (0.0, -1.0, 1e-30, 1e30, 0.5, float("inf"), float("nan"))


def field_mutations(seeds: Sequence[bytes], count: int, seed: int = 0) -> Iterator[bytes]:
    """``count`` files, each one of ``seeds`` with one to three fields changed."""
    rng = np.random.default_rng(seed)
    made = 0
    while made < count:
        model = schema.ModelT.InitFromPackedBuf(seeds[int(rng.integers(len(seeds)))])
        for _ in range(int(rng.integers(1, 4))):
            _change(_anything(model, rng), rng)
        builder = flatbuffers.Builder(1024)
        try:
            builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
        except (TypeError, ValueError, AttributeError):  # a number that its field cannot hold
            continue
        made += 1
        yield bytes(builder.Output())


def _anything(model: Any, rng: np.random.Generator) -> Any:
    """One of the objects of the model."""
    graph = model.subgraphs[0]
    tensors, operators = graph.tensors, graph.operators
    groups = [
        [graph, model],
        model.operatorCodes,
        tensors,
        tensors,
        [t.quantization for t in tensors if t.quantization],
        operators,
        [o.builtinOptions for o in operators if o.builtinOptions],
        model.buffers,
    ]
    groups = [g for g in groups if g]
    group = groups[rng.integers(len(groups))]
    return group[rng.integers(len(group))]


def _change(thing: Any, rng: np.random.Generator) -> None:
    """Another value for one field, of the kind that it holds."""
    fields = [name for name, value in vars(thing).items() if _is_plain(value)]
    if not fields:
        return
    name = fields[rng.integers(len(fields))]
    value = getattr(thing, name)
    if isinstance(value, bool):
        changed: Any = not value
    elif isinstance(value, int):
        changed = int(rng.choice(_NUMBERS)) if rng.integers(2) else int(rng.integers(0, 64))
    elif isinstance(value, float):
        changed = float(rng.choice(_REALS))
    elif isinstance(value, bytes):
        changed = bytes(rng.integers(0, 256, 6, np.uint8))
    else:
        changed = _changed_list(list(value), rng)
    setattr(thing, name, changed)


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | np.ndarray):
        return all(isinstance(v, int | float | np.number) for v in list(value)[:1])
    return isinstance(value, int | float | bytes)


def _changed_list(values: list[Any], rng: np.random.Generator) -> list[Any]:
    kind = int(rng.integers(4))
    number: float = int(rng.choice(_NUMBERS)) if rng.integers(2) else int(rng.integers(-2, 8))
    at = int(rng.integers(len(values) + 1))
    if values and isinstance(values[0], float | np.floating):
        number = float(rng.choice(_REALS))
    if kind == 0 or not values:
        values.insert(at, number)
    elif kind == 1:
        del values[at - 1]
    else:
        values[at - 1] = number
    return values
