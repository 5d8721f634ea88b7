"""Finds the C runtime, the firmware and the targets: in a checkout or in the installed package."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from mcugrad.errors import InternalError

_PACKAGE = Path(__file__).resolve().parent


@cache
def data_root() -> Path:
    """The folder that holds ``CMakeLists.txt``, ``runtime/``, ``firmware/`` and ``targets/``."""
    for root in (_PACKAGE / "data", _PACKAGE.parent.parent):
        if (root / "runtime").is_dir() and (root / "targets").is_dir():
            return root
    raise InternalError(f"neither {_PACKAGE / 'data'} nor a checkout holds runtime/ and targets/")
