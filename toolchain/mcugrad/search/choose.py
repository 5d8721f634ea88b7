"""The best choice of what learns, by dynamic programming over the layers.

Gains add up and so do the bytes of state; the arena does not. What a scheme takes is therefore
estimated from the planner's figures of single layers: with ``after(i, s)`` the peak of the arena
where layer i is the deepest that learns, by option s, and nothing but biases behind it, and
``carried(i, s)`` what layer i adds to what is alive between the forward and the backward pass,

    peak(i) = max(after(i, s_i), carried(i, s_i) + peak(i + 1))

for what layer i carries is alive throughout the passes of the layers behind it. The estimate only
guides: whether a scheme fits is asked of the planner. Where a network is small enough the answer
is exact: schemes are put to the planner by falling gain, none being left out save those that
contain a part which alone is too large, since to learn more never takes less.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from mcugrad.plan.order import ALIGN
from mcugrad.search.contribution import Contribution, Option
from mcugrad.search.cost import Costs

#: Partial schemes kept for each layer; what happens to more is said at ``_thinned``.
MAX_PARTIAL = 5_000

#: How far the sum of the layers' instructions may be above those of the whole, as a factor.
MARGIN = 1.25


@dataclass(frozen=True)
class Taken:
    """What the planner says that a scheme takes: bytes of its block, instructions of a step."""

    nbytes: int
    instructions: float


@dataclass(frozen=True)
class Limits:
    """Bytes of the planner's block, and instructions of a step; None: any number."""

    nbytes: int
    instructions: float | None = None

    def allow(self, taken: Taken) -> bool:
        """Whether this much is within the limits."""
        return taken.nbytes <= self.nbytes and (
            self.instructions is None or taken.instructions <= self.instructions
        )


#: What a choice takes, by the planner, that may use so many bytes: how it places depends on that.
#: The choice is given by the options of the layers that learn.
Judge = Callable[[tuple[Option, ...], int], Taken]


@dataclass(frozen=True)
class Choice:
    """What is to learn: an option for each of the last layers, whose biases learn too.

    ``proven``: every scheme that would gain more is known not to fit.
    """

    picks: tuple[Option, ...]
    gain: float
    taken: Taken
    proven: bool = False


@dataclass(frozen=True)
class _Partials:
    """Partial schemes, from one layer to the head: arrays of equal length.

    ``option`` is that of the first layer, ``rest`` the index of the partial scheme behind it.
    """

    state: NDArray[np.int64]
    least: NDArray[np.int64]  # of the arena: the largest ``after`` of the layers
    peak: NDArray[np.int64]  # of the arena, as estimated
    instructions: NDArray[np.float64]
    gain: NDArray[np.float64]
    option: NDArray[np.int64]
    rest: NDArray[np.int64]

    def __getitem__(self, index: NDArray[np.int64] | NDArray[np.bool_]) -> _Partials:
        return _Partials(*(getattr(self, name)[index] for name in self.__dataclass_fields__))

    def __len__(self) -> int:
        return len(self.gain)


@dataclass(frozen=True)
class _Candidates:
    """Whole schemes by falling gain, with the estimate of what they take.

    ``layer`` is the deepest that learns, ``index`` the scheme's place among its partial schemes.
    ``complete``: there are no others whose parts fit.
    """

    worth: Contribution
    stages: list[_Partials]
    gain: NDArray[np.float64]
    nbytes: NDArray[np.float64]
    instructions: NDArray[np.float64]
    layer: NDArray[np.int64]
    index: NDArray[np.int64]
    complete: bool

    def picks(self, row: int) -> tuple[Option, ...]:
        """The options of the layers that learn in a scheme."""
        picks = []
        index = self.index[row]
        for i in range(self.layer[row], len(self.stages)):
            picks.append(self.worth.layers[i].options[self.stages[i].option[index]])
            index = self.stages[i].rest[index]
        return tuple(picks)


@dataclass
class Chooser:
    """Finds the best choice under any limits; what the planner was asked it keeps."""

    worth: Contribution
    costs: Costs
    judge: Judge
    _asked: dict[tuple[tuple[Option, ...], int], Taken] = field(default_factory=dict)

    @property
    def plans(self) -> int:
        """How often the planner was asked."""
        return len(self._asked)

    def best(self, limits: Limits, attempts: int) -> Choice | None:
        """The choice with the highest gain within ``limits``; None: not even the head fits.

        Beyond what it takes to find one that fits, ``attempts`` schemes that would gain more
        are put to the planner: all there are, if they are so few, else small changes.
        """
        candidates = self._candidates(limits)
        found = self._tightened(candidates, limits)
        if found is None:
            return None
        better = int(np.searchsorted(-candidates.gain, -found.gain))
        if candidates.complete and better <= attempts:
            for row in range(better):
                choice = self._choice(candidates.picks(row), limits)
                if limits.allow(choice.taken):
                    return replace(choice, proven=True)
            return replace(found, proven=True)
        return self._improved(found, limits, attempts)

    def gain(self, picks: tuple[Option, ...]) -> float:
        """The gain of the weights, and of the biases of these last layers."""
        biases = sum(w.bias_gain for w in self.worth.layers[-len(picks) :])
        return sum(p.gain for p in picks) + biases

    def _choice(self, picks: tuple[Option, ...], limits: Limits) -> Choice:
        question = picks, limits.nbytes
        if question not in self._asked:
            self._asked[question] = self.judge(*question)
        return Choice(picks, self.gain(picks), self._asked[question])

    def _tightened(self, candidates: _Candidates, limits: Limits) -> Choice | None:
        """The first that fits while the limits of the estimate are lowered by its error."""
        nbytes: float = limits.nbytes
        instructions = np.inf if limits.instructions is None else limits.instructions
        most = instructions
        while True:
            within = (candidates.nbytes <= nbytes) & (candidates.instructions <= instructions)
            if not within.any():
                head = self._choice(self.worth.layers[-1].options[:1], limits)
                return head if limits.allow(head.taken) else None
            row = int(np.argmax(within))
            choice = self._choice(candidates.picks(row), limits)
            taken = choice.taken
            if limits.allow(taken):
                return choice
            if taken.nbytes > limits.nbytes:
                error = taken.nbytes - candidates.nbytes[row]
                nbytes = min(candidates.nbytes[row] - 1, limits.nbytes - error)
            if taken.instructions > most:
                error = taken.instructions - candidates.instructions[row]
                instructions = min(candidates.instructions[row] - 1, most - error)

    def _improved(self, found: Choice, limits: Limits, attempts: int) -> Choice:
        """``found`` with single layers learning more, as long as that fits."""
        tried = 0
        while True:
            first = len(self.worth.layers) - len(found.picks)
            changed = [
                (*found.picks[:i], option, *found.picks[i + 1 :])
                for i in range(len(found.picks))
                for option in self.worth.layers[first + i].options
            ]
            if first > 0:
                changed.append((self.worth.layers[first - 1].options[0], *found.picks))
            better = [p for p in changed if self.gain(p) > found.gain]
            for picks in sorted(better, key=self.gain, reverse=True):
                tried += (picks, limits.nbytes) not in self._asked
                if tried > attempts:
                    return found
                choice = self._choice(picks, limits)
                if limits.allow(choice.taken):
                    found = choice
                    break
            else:
                return found

    def _candidates(self, limits: Limits) -> _Candidates:
        stages, complete = self._stages(limits)
        rows = []
        bias = 0.0
        for layer in reversed(range(len(stages))):
            stage = stages[layer]
            before = self.costs.base[layer].before
            bias += self.worth.layers[layer].bias_gain
            fits = np.flatnonzero(stage.state + np.maximum(before, stage.least) <= limits.nbytes)
            nbytes = (stage.state + np.maximum(before, stage.peak))[fits]
            where = np.full(len(fits), layer)
            taken = nbytes, stage.instructions[fits]
            rows.append(np.stack([stage.gain[fits] + bias, *taken, where, fits]))
        table = np.concatenate(rows, axis=1)
        ranked = table[:, np.lexsort((*table[:0:-1], -table[0]))]
        layer, index = ranked[3:].astype(np.int64)
        gain, nbytes, instructions = ranked[:3]
        return _Candidates(self.worth, stages, gain, nbytes, instructions, layer, index, complete)

    def _stages(self, limits: Limits) -> tuple[list[_Partials], bool]:
        """For each layer the partial schemes of which it is the deepest; whether those are all."""
        none, zero = np.zeros(1, np.int64), np.zeros(1)
        behind = _Partials(none, none, none, zero, zero, none, none)
        stages = []
        complete = True
        for layer in reversed(range(len(self.worth.layers))):
            grown = self._with_layer(layer, behind, limits)
            behind = _thinned(grown, limits)
            complete = complete and len(behind) == len(grown)
            stages.append(behind)
        return stages[::-1], complete

    def _with_layer(self, layer: int, behind: _Partials, limits: Limits) -> _Partials:
        parts = []
        for j, option in enumerate(self.worth.layers[layer].options):
            added = self.costs.grown(layer, j)
            after = self.costs.with_option[layer][j].after
            part = _Partials(
                state=behind.state + added.state,
                least=np.maximum(after, behind.least),
                peak=np.maximum(after, behind.peak + added.carried),
                instructions=behind.instructions + added.instructions,
                gain=behind.gain + option.gain,
                option=np.full(len(behind), j),
                rest=np.arange(len(behind)),
            )
            fits = part.state + part.least <= limits.nbytes
            if limits.instructions is not None:
                fits &= part.instructions <= limits.instructions * MARGIN
            parts.append(part[fits])
        names = _Partials.__dataclass_fields__
        return _Partials(*(np.concatenate([getattr(p, n) for p in parts]) for n in names))


def _thinned(partials: _Partials, limits: Limits) -> _Partials:
    """At most ``MAX_PARTIAL`` of them.

    Where there are more, those within the limits by the estimate, and of those that take about
    the same the one with the highest gain; "about" grows until few enough are left.
    """
    cell = float(ALIGN)
    if len(partials) > MAX_PARTIAL:
        fits = partials.state + partials.peak <= limits.nbytes
        if limits.instructions is not None:
            fits &= partials.instructions <= limits.instructions
        partials = partials[fits]
    while len(partials) > MAX_PARTIAL:
        keys = [partials.state // cell, partials.peak // cell]
        if limits.instructions is not None:
            keys.append(partials.instructions // (cell / limits.nbytes * limits.instructions))
        ranked = np.lexsort((partials.option, -partials.gain, *keys))
        new = np.zeros(len(ranked), bool)
        new[0] = True
        for key in keys:
            new[1:] |= key[ranked][1:] != key[ranked][:-1]
        partials = partials[np.sort(ranked[new])]
        cell *= 2
    return partials
