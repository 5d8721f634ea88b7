"""Cases by operator: every module here lists the ``CASES`` of one operator."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from tests.ops.case import Case


def all_cases() -> list[Case]:
    """The cases of every operator, by file and then in order."""
    modules = [import_module(f"{__name__}.{m.name}") for m in iter_modules(__path__)]
    return [case for module in modules for case in module.CASES]
