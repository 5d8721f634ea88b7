"""A program: kernel calls of one target, and the memory they touch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mcugrad.ir.graph import Phase
from mcugrad.ir.tensor import Storage, Tensor
from mcugrad.ops.base import CStruct


@dataclass(frozen=True)
class KernelCall:
    """One C call ``symbol(scratch?, params?, quant?, inputs..., outputs...)``.

    ``inputs`` and ``outputs`` are tensor names, "" for an absent input. ``inplace`` lists
    (output, input) positions that the kernel allows to be the same memory. ``shared`` tells
    whether several cores share its work; each then has its part of the ``scratch``.
    """

    name: str
    op: str
    phase: Phase
    symbol: str
    params: CStruct | None
    quant: CStruct | None
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    scratch: int
    inplace: tuple[tuple[int, int], ...]
    products: int
    shared: bool


@dataclass(frozen=True)
class Start:
    """The C call ``symbol(params, inputs..., state)`` that gives a STATE its initial content."""

    symbol: str
    params: CStruct
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Program:
    """Calls in an order in which they can run, before any scheduling.

    Attributes:
        tensors: every tensor that a call touches, and the sample, target and outputs.
        views: tensor -> the tensor whose memory it shares, by definition and not by choice:
            reshapes of one value, and the next value of a STATE, which is written over it.
        inputs: the names of sample and target.
        outputs: the names of prediction and loss.
        traced: tensors that a traced step reports: every gradient.
        accumulators: STATE tensors that are cleared when an update is done.
        hyper: the STATE of the hyper-parameters, which the runtime can set.
        starts: what fills a STATE that does not start as zeros or as a constant of its own.
    """

    calls: tuple[KernelCall, ...]
    tensors: Mapping[str, Tensor]
    views: Mapping[str, str]
    inputs: tuple[str, str]
    outputs: tuple[str, str]
    traced: tuple[str, ...]
    accumulators: tuple[str, ...]
    batch: int
    hyper: str
    starts: Mapping[str, Start]

    def root(self, name: str) -> str:
        """The tensor that owns the memory of ``name``."""
        while name in self.views:
            name = self.views[name]
        return name

    def storage(self, name: str) -> Storage:
        """Where the memory of ``name`` lives."""
        return self.tensors[self.root(name)].storage

    def moved_bytes(self, call: KernelCall) -> int:
        """Bytes of everything that a call reads and writes."""
        return sum(self.tensors[n].nbytes for n in (*call.inputs, *call.outputs) if n)

    def phase_order(self) -> tuple[frozenset[Phase], ...]:
        """Groups of phases that run one after the other.

        Without a mini-batch each update may run as soon as its gradient is complete.
        """
        last: tuple[frozenset[Phase], ...] = (
            (frozenset({Phase.BACKWARD, Phase.UPDATE}),)
            if self.batch == 1
            else (frozenset({Phase.BACKWARD}), frozenset({Phase.UPDATE}))
        )
        return (frozenset({Phase.FORWARD, Phase.KEEP}), frozenset({Phase.OUTPUT}), *last)
