"""The recorded instructions of kernels, which later ones must not exceed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks.kernels.layers import COMMON, ODD, Types
from benchmarks.kernels.sweep import Result, sweep, types_of

FILE = Path(__file__).parent.parent / "baseline.json"
COMMAND = "python -m benchmarks.kernels --record"

#: With the features of all others, each with what it alone shows. Floating point of a Cortex-M3 is
#: the compiler's library.
TARGETS: dict[str, tuple[Types, ...]] = {
    "cortex-m7": types_of("cortex-m7"),
    "rv32imfc": types_of("rv32imfc"),
    "rv32-rvv": (Types.F32, Types.F16, Types.INT8_F32),
    "cortex-m3": (Types.INT8_S16,),
    "cortex-m55": (Types.F16, Types.INT8_S16),
    "rv32-xfvec": (Types.F16,),
}

_SOME = (
    "conv 3x3 5->17, 7x7",
    "conv 3x3 stride 2 3->16, 16x16",
    "conv 7x7 stride 2 3->8, 16x16",
    "depthwise 3x3 stride 2 17, 12x12",
    "depthwise 3x3 dilation 2 8, 10x10",
)
LAYERS = (*COMMON, *(layer for layer in ODD if layer.name in _SOME))

#: How much slower a kernel may get before the test fails.
TOLERANCE = 0.03


def measured(target: str) -> list[Result]:
    """What the baseline holds of a target, measured now."""
    types = TARGETS[target]
    frozen = sweep(target, LAYERS, types, frozen=True)
    return [*sweep(target, LAYERS, types), *frozen]


def record(results: Iterable[Result]) -> None:
    """Writes the baseline of the targets that were measured, and keeps the others'."""
    found: dict[str, dict[str, int]] = {}
    for result in results:
        if result.measured is not None:
            found.setdefault(result.target, {})[result.key] = result.measured.instructions
    table = json.loads(FILE.read_text(encoding="ascii")) if FILE.is_file() else {}
    table |= found
    FILE.write_text(json.dumps(table, indent=1, ensure_ascii=True) + "\n", encoding="ascii")


def slower(results: Iterable[Result]) -> Iterator[str]:
    """What takes more than the baseline and the tolerance allow, or is not in the baseline."""
    table = json.loads(FILE.read_text(encoding="ascii"))
    for result in results:
        before = table.get(result.target, {}).get(result.key)
        now = result.measured.instructions if result.measured else None
        if before is None or now is None:
            yield f"{result.target}: {result.key}: {before} instructions before, {now} now"
        elif now > before * (1 + TOLERANCE):
            change = 100 * (now / before - 1)
            yield f"{result.target}: {result.key}: {before} -> {now} instructions, {change:+.1f} %"
