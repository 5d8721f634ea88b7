"""Which region of memory each buffer goes to, where one region does not hold them all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mcugrad.ir.tensor import Array

#: Ends the search with the best choice found so far; unlike a time, the same on every host.
_NODES = 2000
_GAP = 1e-3


@dataclass(frozen=True)
class Item:
    """Memory needed from step ``first`` to step ``last``, and the bytes that calls touch of it."""

    nbytes: int
    first: int
    last: int
    traffic: int


def assign(items: Sequence[Item], capacities: Sequence[int]) -> list[int]:
    """The number of the region of each item, by integer linear programming.

    In no step may the items alive in a region exceed its capacity; among such choices the
    traffic is least, that of a region counted as often as regions come before it. Where there
    is no such choice, the bytes beyond the capacities are least.
    """
    loads = _loads(items)
    if max(loads.sum(axis=1), default=0) <= sum(capacities):
        chosen = _solve(items, loads, capacities, may_exceed=False)
        if chosen is not None:
            return chosen
    chosen = _solve(items, loads, capacities, may_exceed=True)
    return chosen if chosen is not None else [len(capacities) - 1] * len(items)


def _loads(items: Sequence[Item]) -> Array:
    """Bytes [step, item] alive; only of steps whose items are no part of another step's.

    These are the steps at which an item ends after another began.
    """
    begins = {i.first for i in items}
    steps, fresh = [], False
    for step in range(max(i.last for i in items) + 1):
        fresh |= step in begins
        if fresh and any(i.last == step for i in items):
            steps.append(step)
            fresh = False
    first, last, nbytes = np.array([(i.first, i.last, i.nbytes) for i in items]).T
    at = np.array(steps)[:, None]
    return np.where((first <= at) & (at <= last), nbytes, 0)


def _solve(
    items: Sequence[Item], loads: Array, capacities: Sequence[int], *, may_exceed: bool
) -> list[int] | None:
    """The best choice; None if none was found.

    The variables: for each region whether each item goes there, then the excess of each.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array, eye_array, hstack, kron

    count, regions, steps = len(items), len(capacities), len(loads)
    choices = count * regions
    once: Any = kron(np.ones((1, regions)), eye_array(count))
    used: Any = kron(eye_array(regions), csr_array(loads))
    excess: Any = kron(eye_array(regions), np.ones((steps, 1)))
    traffic = np.array([i.traffic for i in items], np.float64)
    cost = np.kron(np.arange(regions), traffic / max(traffic.sum(), 1))
    found = milp(
        np.concatenate([np.zeros(choices) if may_exceed else cost, np.ones(regions)]),
        integrality=np.concatenate([np.ones(choices), np.zeros(regions)]),
        bounds=Bounds(0, np.repeat([1, np.inf if may_exceed else 0], [choices, regions])),
        constraints=[
            LinearConstraint(hstack([once, csr_array((count, regions))]), 1, 1),
            LinearConstraint(hstack([used, -excess]), -np.inf, np.repeat(capacities, steps)),
        ],
        options={"node_limit": _NODES, "mip_rel_gap": _GAP},
    )
    if found.x is None:
        return None
    return [int(r) for r in np.argmax(found.x[:choices].reshape(regions, count), axis=0)]
