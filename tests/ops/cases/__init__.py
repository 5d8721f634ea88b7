"""Cases by operator: every module here lists the ``CASES`` of one operator."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from tests.ops.case import Case, in_half


def all_cases() -> list[Case]:
    """The cases of every operator, by file and then in order."""
    modules = [import_module(f"{__name__}.{m.name}") for m in iter_modules(__path__)]
    return [case for module in modules for case in module.CASES]


def all_types() -> list[Case]:
    """The same, and those on floats once more in half precision where operators take it."""
    cases = all_cases()
    return [*cases, *(half for half in map(in_half, cases) if half is not None)]
