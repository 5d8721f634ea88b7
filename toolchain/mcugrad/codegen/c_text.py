"""C text of names, numbers and constants; the same characters on every host."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from math import inf, isfinite, isnan

import numpy as np

from mcugrad.ir.tensor import Array, DType

C_TYPES = {
    DType.S8: "int8_t",
    DType.U8: "uint8_t",
    DType.S16: "int16_t",
    DType.S32: "int32_t",
    DType.F16: "mg_f16",
    DType.F32: "float",
}
MG_TYPES = {DType.S8: "MG_TYPE_S8", DType.S32: "MG_TYPE_S32", DType.F32: "MG_TYPE_F32"}
_WIDTH = 100
_NAME_LENGTH = 40


def identifier(name: str) -> str:
    """The end of ``name``, with what C does not allow in an identifier replaced.

    Converters write whole paths into names; the end tells them apart best.
    """
    words = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_")
    return words[-_NAME_LENGTH:].strip("_")


def comment(text: str, room: int = _WIDTH - 10) -> str:
    """``text`` such that it fits into a comment, whatever it holds."""
    printable = "".join(c if c.isascii() and c.isprintable() else "?" for c in text)
    harmless = printable.replace("*/", "*?").replace("/*", "?*")
    return harmless if len(harmless) <= room else f"...{harmless[3 - room :]}"


def number(value: float) -> str:
    """A float or int literal; floats have the fewest digits that give the same float32."""
    if isinstance(value, int):
        return str(value) if value != -(1 << 31) else "INT32_MIN"
    if isnan(value):
        raise ValueError("a constant is not a number")
    if not isfinite(value):
        return "MG_INFINITY" if value == inf else "-MG_INFINITY"
    text = repr(float(np.float32(value)))
    short = np.format_float_positional(np.float32(value), unique=True, trim="0")
    if len(short) > 16:
        short = np.format_float_scientific(np.float32(value), unique=True, trim="0")
    return f"{min(short, text, key=len)}f"


def wrapped(items: Iterable[str], indent: int) -> list[str]:
    """Comma-separated items as lines that stay within the width."""
    lines: list[str] = []
    room = _WIDTH - indent
    line = ""
    for item in items:
        piece = f"{item},"
        if line and len(line) + 1 + len(piece) > room:
            lines.append(" " * indent + line)
            line = piece
        else:
            line = f"{line} {piece}" if line else piece
    if line:
        lines.append(" " * indent + line)
    return lines


def array(values: Sequence[int] | Sequence[float], ctype: str) -> list[str]:
    """The rows of a short array's initialiser, filled as clang-format fills them."""
    if ctype == "double":
        return wrapped((repr(float(v)) for v in values), 4)
    return wrapped(_literals(np.asarray(values)), 4)


#: Elements in a row of a weight array, so that the longest literals fit.
_IN_A_ROW = {DType.S8: 16, DType.U8: 16, DType.S16: 11, DType.S32: 7, DType.F16: 5, DType.F32: 5}


def weights(values: Array, dtype: DType) -> list[str]:
    """The rows of a long array's initialiser, of equally many elements each."""
    texts = _literals(values)
    step = _IN_A_ROW[dtype]
    return [f"    {', '.join(texts[i : i + step])}," for i in range(0, len(texts), step)]


def _literals(values: Array) -> list[str]:
    flat = values.reshape(-1)
    if flat.dtype.kind == "f":
        return [_float_text(v) for v in flat.astype(np.float32).tolist()]
    return [number(v) for v in flat.tolist()]


def _float_text(value: float) -> str:
    """A float32 in nine significant digits, which determine it; quicker than the fewest."""
    if not isfinite(value):
        return number(value)
    text = f"{value:.9g}"
    return f"{text}f" if "." in text or "e" in text else f"{text}.0f"
