"""The operators, one file each; importing the package registers them all."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from mcugrad.ops.base import Op, OpCall, lookup, registered

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = ["Op", "OpCall", "lookup", "registered"]
