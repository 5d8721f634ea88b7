"""The instruction model of kernel calls."""

from __future__ import annotations

import pytest

from mcugrad.ir.graph import Phase
from mcugrad.ir.tensor import DType, Storage, Tensor
from mcugrad.lower.program import KernelCall
from mcugrad.search.instructions import OTHER, InstructionModel

SHAPES = {"x": (1, 4, 4, 3), "w": (2, 3), "y": (1, 4, 4, 2)}
TENSORS = {n: Tensor(n, s, DType.F32, None, Storage.VALUE) for n, s in SHAPES.items()}


@pytest.mark.parametrize(
    ("symbol", "wanted"), [("known", 2 * 96 + 3 * 54 + 5 * 32 + 7), ("new", 96)]
)
def test_what_a_call_takes(symbol: str, wanted: int) -> None:
    model = InstructionModel("made up", {OTHER: (1, 0, 0, 0), "known": (2, 3, 5, 7)})
    call = KernelCall(
        name="c",
        op="conv2d",
        phase=Phase.FORWARD,
        symbol=symbol,
        params=None,
        quant=None,
        inputs=("x", "w", ""),
        outputs=("y",),
        scratch=0,
        inplace=(),
        products=96,
        shared=False,
    )
    assert model.call(call, TENSORS) == wanted
