"""Commands of the system that mcugrad calls."""

from __future__ import annotations

import shutil

from mcugrad.errors import MissingToolError


def find_command(name: str, package: str) -> str:
    """The path of ``name``.

    Raises:
        MissingToolError: the system does not have it; ``package`` of apt brings it.
    """
    found = shutil.which(name)
    if found is None:
        raise MissingToolError(f"{name} is missing: apt-get install {package}")
    return found
