"""Frozen dataclasses to and from JSON values, decoded by their declared types.

Nothing in the JSON says what to construct: the type asked for does. A value of any other
form raises ``ValueError``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache
from math import inf
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

#: JSON has no infinities, so they are written as these.
_INFINITIES = {"inf": inf, "-inf": -inf}


def encode(value: Any) -> Any:
    """The JSON form of a dataclass, tuple, mapping, enumeration, number or string."""
    if is_dataclass(value):
        return {f.name: encode(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, tuple | list):
        return [encode(item) for item in value]
    if isinstance(value, Mapping):
        return {key: encode(item) for key, item in value.items()}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float) and value in _INFINITIES.values():
        return str(value)
    return value


def decode(kind: Any, value: Any) -> Any:
    """The value of type ``kind`` that :func:`encode` wrote as ``value``."""
    if kind is Any:
        return value
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        if value is None and NoneType in arguments:
            return None
        (only,) = (a for a in arguments if a is not NoneType)
        return decode(only, value)
    if origin is tuple:
        return _decode_tuple(arguments, value)
    if origin is Mapping:
        _require(isinstance(value, dict), kind, value)
        return {str(key): decode(arguments[1], item) for key, item in value.items()}
    if is_dataclass(kind) and isinstance(kind, type):
        return _decode_dataclass(kind, value)
    if issubclass(kind, Enum):
        return kind(value)
    if kind is float and isinstance(value, str):
        _require(value in _INFINITIES, kind, value)
        return _INFINITIES[value]
    if kind is float and type(value) is int:
        return float(value)
    _require(type(value) is kind, kind, value)
    return value


def _decode_tuple(arguments: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    _require(isinstance(value, list), tuple, value)
    if arguments[1:] == (...,):
        return tuple(decode(arguments[0], item) for item in value)
    _require(len(value) == len(arguments), arguments, value)
    return tuple(decode(kind, item) for kind, item in zip(arguments, value, strict=True))


def _decode_dataclass(kind: type, value: Any) -> Any:
    _require(isinstance(value, dict), kind, value)
    hints = _hints(kind)
    _require(value.keys() <= hints.keys(), kind, list(value))
    for f in fields(kind):
        given = f.name in value or f.default is not MISSING
        _require(given, kind, f"nothing for {f.name}")
    return kind(**{name: decode(hints[name], item) for name, item in value.items()})


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _require(condition: bool, kind: Any, value: Any) -> None:
    if not condition:
        raise ValueError(f"{getattr(kind, '__name__', kind)} cannot be {str(value)[:80]!r}")
