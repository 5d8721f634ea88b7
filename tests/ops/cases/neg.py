"""Cases of neg."""

from __future__ import annotations

from tests.ops.case import Case, Operand

CASES = [Case("neg", f"f32_{n}", (Operand((1, n)),)) for n in (1, 3, 17)]
