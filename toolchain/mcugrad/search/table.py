"""A choice as a scheme file, and a table of what other budgets would gain."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from mcugrad.search.choose import Choice
from mcugrad.search.contribution import Contribution, Option, Worth
from mcugrad.search.cost import Added, Costs


@dataclass(frozen=True)
class Row:
    """The best choice under a limit of SRAM: bytes, gain, and what learns."""

    limit: int
    sram: int
    gain: float
    instructions: float
    biases: int
    weights: int

    @classmethod
    def of(cls, limit: int, overhead: int, choice: Choice) -> Row:
        """The row of a choice; ``overhead`` is the SRAM beside the planner's block."""
        return cls(
            limit,
            choice.taken.nbytes + overhead,
            choice.gain,
            choice.taken.instructions,
            len(choice.picks),
            sum(o.share > 0 for o in choice.picks),
        )


def rows_text(rows: Sequence[Row], unit: str) -> list[str]:
    """The table, one line a row, under a line that names the columns."""
    lines = ["   SRAM limit      taken       gain  instructions  biases of  weights"]
    lines += [
        f"{r.limit:13,}{r.sram:11,}{r.gain:11.2f}{r.instructions:14,.0f}"
        f"{'last ' + str(r.biases):>11}{r.weights:9}"
        for r in rows
    ]
    return [*lines, f"gain: {unit}"]


def scheme_text(
    worth: Contribution, costs: Costs, picks: Sequence[Option], header: Sequence[str]
) -> str:
    """A scheme file: comments, then a line a tensor with its expected gain and cost."""
    lines = [f"# {line}".rstrip() for line in header]
    lines += ["", "[update]"]
    first = len(worth.layers) - len(picks)
    for at, (found, option) in enumerate(zip(worth.layers[first:], picks, strict=True), first):
        lines += _lines(found, option, costs, at)
    return "\n".join(lines) + "\n"


def _lines(found: Worth, option: Option, costs: Costs, at: int) -> list[str]:
    """The lines of layer ``at``; the head's cost stands with its weight."""
    layer = found.layer
    is_head = at + 1 == len(costs.base)
    lines = []
    if layer.bias:
        cost = "cost as stated with the weight" if is_head else _cost(costs.grown(at, 0))
        rule = _rule("true", found.bias_rate)
        lines.append(f"{json.dumps(layer.bias)} = {rule}  # gain {found.bias_gain:.3g}; {cost}")
    if option.share:
        whole = costs.with_option[at][found.options.index(option)]
        added = costs.grown(at, 0) if is_head else whole.beyond(costs.base[at])
        value = "true" if option.channels is None else str(list(option.channels))
        share = "" if option.channels is None else f"{option.share:g} of the input channels; "
        rule = _rule(value, option.rate)
        text = f"{json.dumps(layer.weight)} = {rule}  # {share}gain {option.gain:.3g}"
        lines.append(f"{text}; {_cost(added)}")
    return lines


def _rule(channels: str, rate: float) -> str:
    return channels if rate == 1.0 else f"{{ channels = {channels}, rate = {rate:g} }}"


def _cost(added: Added) -> str:
    return (
        f"{added.state} bytes of parameters, {added.carried} kept for the backward pass, "
        f"{added.instructions:,.0f} instructions"
    )
