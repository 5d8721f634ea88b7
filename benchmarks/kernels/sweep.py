"""Measures layers in the emulator of a target."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from tests.support.case_firmware import Measured, measure

from benchmarks.kernels.layers import Layer, Pass, Types
from mcugrad.ops import lookup
from mcugrad.targets import find_target


@dataclass(frozen=True)
class Result:
    """A pass of a layer on a target; ``measured`` is None where it does not fit."""

    target: str
    layer: str
    types: Types
    what: Pass
    measured: Measured | None
    frozen: bool = False  # whether the weights are, so that kernels may have packed ones

    @property
    def key(self) -> str:
        """Names the pass among those of the target."""
        return f"{self.layer} | {self.types} | {self.what}{' | frozen' * self.frozen}"

    @property
    def per_product(self) -> float | None:
        """Instructions per product."""
        found = self.measured
        return found.instructions / found.products if found else None

    def document(self) -> dict[str, Any]:
        """The result for JSON."""
        named = {
            "target": self.target,
            "layer": self.layer,
            "types": self.types,
            "pass": self.what,
            "frozen": self.frozen,
        }
        found = self.measured
        if found is None:
            return {**named, "fits": False}
        return {
            **named,
            "fits": True,
            "kernel": found.symbol,
            "products": found.products,
            "instructions": found.instructions,
            "instructions_per_product": self.per_product,
            "error": found.worst.error,
            "ok": found.worst.ok,
        }


#: Families of kernels in half precision. Elsewhere the compiler's library converts each half.
HALF_FAMILIES = frozenset({"rvv", "xfvec", "mve"})


def types_of(target: str) -> tuple[Types, ...]:
    """The types that a target has kernels for."""
    half = bool(HALF_FAMILIES & find_target(target).features)
    return tuple(t for t in Types if half or t is not Types.F16)


def sweep(
    target: str,
    layers: Collection[Layer],
    of: Collection[Types] | None = None,
    *,
    frozen: bool = False,
) -> Iterator[Result]:
    """Every pass of every layer, of these types; None: all that the target has kernels for.

    With ``frozen``, those that have another kernel then.
    """
    features = find_target(target).features
    of = types_of(target) if of is None else of
    wanted = [
        (layer.name, types, what, case)
        for layer in layers
        for (types, what), case in layer.cases.items()
        if types in of and (not frozen or lookup(case.op).layout(case.call, features) is not None)
    ]
    cases = list({str(case): case for *_, case in wanted}.values())
    counted = measure(cases, find_target(target), frozen=frozen)
    found = {str(case): measured for case, measured in counted}
    for name, types, what, case in wanted:
        yield Result(target, name, types, what, found[str(case)], frozen)
