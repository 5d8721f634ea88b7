"""Cases of the operators that half precision alone has."""

from __future__ import annotations

from mcugrad.ir.tensor import DType
from mcugrad.ops.loss_scale import INTERVAL, LARGEST, LossScaleAttrs
from mcugrad.ops.sgd_half import SgdHalfAttrs
from tests.ops.case import Case, Operand
from tests.ops.quant import codes, per_tensor

_HYPER = Operand((3,), range=(0, 0.5))
_UPDATES = Operand((1,), DType.S32)


def _half(*shape: int, largest: float = 1.0) -> Operand:
    return Operand(shape, DType.F16, range=(-largest, largest))


def _number(value: int) -> Operand:
    return Operand((1,), DType.S32, range=(value, value))


def _scale(value: float) -> Operand:
    return Operand((1,), range=(value, value))


def _steps(good: int) -> Operand:
    return Operand((2,), DType.S32, range=(good, good))


#: name -> largest weight, largest gradient
_UPDATED = {
    "weights": (1.0, 1000.0),
    "small": (1e-6, 1e-2),
    "large": (60000.0, 60000.0),
    "saturates": (65504.0, 65504.0),
    "far_below_a_step": (1.0, 1e-4),
}

#: name -> scale, good steps, finite, samples
_SCALES = {
    "goes_on": (1024.0, 3, 1, 1),
    "doubles": (1024.0, INTERVAL - 1, 1, 1),
    "is_largest": (LARGEST, INTERVAL - 1, 1, 1),
    "of_a_batch_doubles": (LARGEST, INTERVAL - 1, 1, 3),
    "of_a_batch_is_largest": (2 * LARGEST, INTERVAL - 1, 1, 3),
    "halves": (1024.0, 17, 0, 1),
    "is_least": (1.0, 17, 0, 1),
}


def _step(op: str, name: str, largest: tuple[float, float], finite: int) -> Case:
    """A step of weights and gradients up to these magnitudes, with momentum from a velocity."""
    scale = 1.0 if name == "saturates" else 1024.0
    gradient = largest[1] / scale
    velocity = [_half(5, 3, 3, 4, largest=gradient)] if "momentum" in op else []
    return Case(
        op,
        f"{name}{'' if finite else '_skipped'}",
        (
            *(_half(5, 3, 3, 4, largest=end) for end in largest),
            *velocity,
            _scale(scale),
            _number(finite),
            _UPDATES,
            _HYPER,
        ),
        SgdHalfAttrs(7, rate=1.0 if finite else 0.3),
        outputs=(None, *(None for _ in velocity)),
    )


CASES = [
    Case("cast", "f32", (Operand((3, 17), range=(-600, 600)),)),
    Case("cast", "f32_small", (Operand((3, 17), range=(-1e-6, 1e-6)),)),
    Case("cast", "f16", (_half(3, 17),)),
    Case("dequantize_half", "s8", (codes((1, 16, 16, 3), per_tensor(0.08, -128)),)),
    Case("all_finite", "one", (_half(5, 7),)),
    Case("all_finite", "with_others", (_half(5, 7, largest=65504.0), _number(1))),
    Case("all_finite", "unless_others", (_half(5, 7), _number(0))),
    Case("all_finite", "infinite", (_half(3, largest=1e9), _number(1))),
    *(
        Case(
            "loss_scale",
            name,
            (_scale(scale), _steps(good), _number(finite)),
            LossScaleAttrs(samples),
            outputs=(None,) * 2,
        )
        for name, (scale, good, finite, samples) in _SCALES.items()
    ),
    *(
        _step(op, name, largest, finite)
        for op in ("sgd_half", "sgd_momentum_half")
        for name, largest in _UPDATED.items()
        for finite in (1, 0)
    ),
]
