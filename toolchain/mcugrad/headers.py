"""The runtime's C headers, which are the only place where its types are written down."""

from __future__ import annotations

import re

from mcugrad.resources import data_root


def declarations(*names: str) -> str:
    """Headers as cffi reads them: no preprocessor lines, and globals without ``const``."""
    include = data_root() / "runtime" / "include"
    text = "".join((include / name).read_text(encoding="utf-8") for name in names)
    text = re.sub(r"^#(.*\\\n)*.*\n", "", text, flags=re.MULTILINE)
    return text.replace("extern const", "extern")
