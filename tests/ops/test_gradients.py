"""Every gradient rule against finite differences in float64, and what it makes of channels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from mcugrad.errors import UsageError
from mcugrad.ir.tensor import Array, DType, Tensor
from mcugrad.ops import OpCall, lookup
from mcugrad.ops.base import Weights
from tests.ops.case import Case, golden
from tests.ops.cases import all_cases

_STEP = 1e-5
_MOST_ELEMENTS = 48  # of one operand that are moved one by one; the others move together


def _differentiable(case: Case) -> bool:
    return lookup(case.op).gradient is not None and case.is_float


CASES = [case for case in all_cases() if _differentiable(case)]
LAYERS = [case for case in CASES if lookup(case.op).weights is not None]


class Evaluator:
    """A ``GradientContext`` that computes what a rule emits, by the operators' references."""

    def __init__(self, case: Case, channels: Mapping[str, tuple[int, ...]]) -> None:
        self._channels = channels
        self.values: dict[str, Array] = {}
        self._tensors: dict[str, Tensor] = {}
        values = golden(case.stored)
        results = lookup(case.op).reference(case.call, values)
        for tensor, value in zip(
            (*case.call.inputs, *case.call.outputs), (*values, *results), strict=True
        ):
            if tensor is not None and value is not None:
                self._add(tensor, value)

    def _add(self, tensor: Tensor, value: Array) -> str:
        assert value.shape == tensor.shape, f"{tensor.name}: {value.shape}, not {tensor.shape}"
        self._tensors[tensor.name] = tensor
        self.values[tensor.name] = value
        return tensor.name

    def give(self, name: str, value: Array) -> str:
        return self._add(Tensor(name, value.shape, DType.F32), value)

    def tensor(self, name: str) -> Tensor:
        return self._tensors[name]

    def needs(self, name: str) -> bool:
        return name != ""

    def channels(self, name: str) -> tuple[int, ...] | None:
        return self._channels.get(name)

    def keep(self, name: str, channels: tuple[int, ...] | None) -> str:
        if channels is None:
            return name
        return self.give(f"kept.{name}", self.values[name][..., list(channels)])

    def emit(self, op: str, attrs: Any, inputs: Sequence[str], name: str) -> str:
        operands = [self._tensors.get(n) for n in inputs]
        (spec,) = lookup(op).infer(OpCall(attrs, operands, ()))
        unique = f"{name}.{len(self.values)}"
        result = Tensor(unique, spec.shape, spec.dtype)
        call = OpCall(attrs, operands, [result])
        (value,) = lookup(op).reference(call, [self.values.get(n) for n in inputs])
        return self._add(result, value)


def _gradients(
    case: Case, dys: Sequence[Array], channels: Mapping[str, tuple[int, ...]] | None = None
) -> list[Array | None]:
    """What the rule gives for each input."""
    evaluator = Evaluator(case, channels or {})
    inputs = ["" if t is None else t.name for t in case.call.inputs]
    outputs = [t.name for t in case.call.outputs]
    names = [evaluator.give(f"dy{i}", dy) for i, dy in enumerate(dys)]
    rule = lookup(case.op).gradient
    assert rule is not None
    found = rule(evaluator, case.attrs, inputs, outputs, names)
    assert len(found) == len(inputs)
    return [None if name is None else evaluator.values[name] for name in found]


def _output_gradients(case: Case) -> list[Array]:
    rng = np.random.default_rng(7)
    return [rng.uniform(-1, 1, t.shape) for t in case.call.outputs]


def _slope(loss: Callable[[Array], float], at: Array, direction: Array) -> float:
    return (loss(at + _STEP * direction) - loss(at - _STEP * direction)) / (2 * _STEP)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_gradient_equals_finite_differences(case: Case) -> None:
    values, dys = golden(case.stored), _output_gradients(case)
    rng = np.random.default_rng(8)
    for index, (x, gradient) in enumerate(zip(values, _gradients(case, dys), strict=True)):
        if x is None:
            continue
        analytic = np.zeros_like(x) if gradient is None else gradient
        assert analytic.shape == x.shape

        def loss(moved: Array, index: int = index) -> float:
            operands = [*values[:index], moved, *values[index + 1 :]]
            results = lookup(case.op).reference(case.call, operands)
            return float(sum(np.sum(y * dy) for y, dy in zip(results, dys, strict=True)))

        every = np.eye(x.size).reshape(x.size, *x.shape) if x.size <= 2 * _MOST_ELEMENTS else None
        if every is None:
            picked = rng.choice(x.size, _MOST_ELEMENTS, replace=False)
            single = np.zeros((_MOST_ELEMENTS, x.size))
            single[np.arange(_MOST_ELEMENTS), picked] = 1
            together = rng.choice([-1.0, 1.0], (4, x.size))
            every = np.concatenate([single, together]).reshape(-1, *x.shape)
        measured = np.array([_slope(loss, x, d) for d in every])
        predicted = np.array([np.sum(analytic * d) for d in every])
        scale = max(1.0, float(np.max(np.abs(predicted))))
        np.testing.assert_allclose(predicted, measured, rtol=0, atol=1e-6 * scale)


@pytest.mark.parametrize("case", LAYERS, ids=str)
def test_gradient_of_some_channels_is_part_of_the_whole(case: Case) -> None:
    weights = lookup(case.op).weights
    assert isinstance(weights, Weights)
    w = case.call.input(weights.weight)
    axis = weights.channel_axis
    channels = tuple(range(w.shape[axis]))[::2]
    if case.op == "fully_connected" and case.call.input(0).shape[-1] != w.shape[axis]:
        # The channels of an image have no index of their own in the weights.
        with pytest.raises(UsageError, match="as a whole"):
            _gradients(case, _output_gradients(case), {w.name: channels})
        return
    dys = _output_gradients(case)
    whole = _gradients(case, dys)[weights.weight]
    part = _gradients(case, dys, {w.name: channels})[weights.weight]
    assert whole is not None
    assert part is not None
    np.testing.assert_allclose(part, np.take(whole, channels, axis), rtol=1e-12, atol=1e-12)
