"""Measures layers in the emulator of a target."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from tests.support.case_firmware import Measured, measure

from benchmarks.kernels.layers import Layer, Pass, Types
from mcugrad.targets import find_target


@dataclass(frozen=True)
class Result:
    """A pass of a layer on a target; ``measured`` is None where it does not fit."""

    target: str
    layer: str
    types: Types
    what: Pass
    measured: Measured | None

    @property
    def key(self) -> str:
        """Names the pass among those of the target."""
        return f"{self.layer} | {self.types} | {self.what}"

    @property
    def per_product(self) -> float | None:
        """Instructions per product."""
        found = self.measured
        return found.instructions / found.products if found else None

    def document(self) -> dict[str, Any]:
        """The result for JSON."""
        named = {"target": self.target, "layer": self.layer, "types": self.types, "pass": self.what}
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
    target: str, layers: Collection[Layer], of: Collection[Types] | None = None
) -> Iterator[Result]:
    """Every pass of every layer, of these types; None: all that the target has kernels for."""
    of = types_of(target) if of is None else of
    wanted = [
        (layer.name, types, what, case)
        for layer in layers
        for (types, what), case in layer.cases.items()
        if types in of
    ]
    cases = list({str(case): case for *_, case in wanted}.values())
    found = {str(case): measured for case, measured in measure(cases, find_target(target))}
    for name, types, what, case in wanted:
        yield Result(target, name, types, what, found[str(case)])
