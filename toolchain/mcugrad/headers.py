"""The runtime's C headers, which are the only place where its types are written down."""

from __future__ import annotations

import re

from mcugrad.resources import data_root

#: Those of all kernels.
KERNELS = ("mg_f16.h", "mg_kernels.h", "mg_kernels_f16.h", "mg_kernels_s16.h")


def declarations(*names: str) -> str:
    """Headers as cffi reads them.

    Without preprocessor lines, globals without ``const``, and half precision as its bits.
    """
    include = data_root() / "runtime" / "include"
    text = "".join((include / name).read_text(encoding="utf-8") for name in names)
    text = text.replace("typedef _Float16 mg_f16;", "typedef uint16_t mg_f16;")
    text = re.sub(r"^#(.*\\\n)*.*\n", "", text, flags=re.MULTILINE)
    return text.replace("extern const", "extern")
