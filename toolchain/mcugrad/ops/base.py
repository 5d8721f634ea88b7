"""What an operator is: its types, its arithmetic, its gradient, and the kernels that serve it.

Every file in this folder defines one operator, with the operators of its gradient, and
hands each to :func:`register`. Nothing else in the compiler knows an operator by name,
save passes that are about that operator.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mcugrad.ir.graph import Node
from mcugrad.ir.tensor import Array, DType, Tensor

Floats = NDArray[np.float64]

#: Element types that a kernel's body serves alike.
FLOATS = (DType.F32, DType.F16)


@dataclass(frozen=True)
class NoAttrs:
    """The attributes of an operator that has none."""


@dataclass(frozen=True)
class Spec:
    """Shape and element type of a result."""

    shape: tuple[int, ...]
    dtype: DType


@dataclass(frozen=True)
class OpCall:
    """One use of an operator: its attributes and the tensors it reads and writes."""

    attrs: Any
    inputs: Sequence[Tensor | None]
    outputs: Sequence[Tensor]

    def input(self, index: int) -> Tensor:
        """The input tensor at ``index``, which must be given."""
        tensor = self.inputs[index] if index < len(self.inputs) else None
        if tensor is None:
            raise ValueError(f"input {index} is absent")
        return tensor

    def has_input(self, index: int) -> bool:
        """Whether the optional input at ``index`` is given."""
        return index < len(self.inputs) and self.inputs[index] is not None

    @property
    def dtype(self) -> DType:
        """Element type of the first input, by which kernels are named."""
        return self.input(0).dtype


@dataclass(frozen=True)
class CArray:
    """A constant array that a parameter structure points to."""

    dtype: str  # C element type, such as "int32_t"
    values: Sequence[int] | Sequence[float]


@dataclass(frozen=True)
class CStruct:
    """A constant parameter structure: C type name, and its fields in order."""

    ctype: str
    fields: Mapping[str, CValue]


CValue = int | float | tuple[int, ...] | CArray | CStruct


StructOf = Callable[[OpCall], CStruct]


class Layout(Protocol):
    """How a kernel reads a constant weight, where not as the model has it.

    The compiler lays the weight out; kernels that read it share one copy, if their layouts are
    equal.
    """

    def pack(self, w: Array) -> Array:
        """The weight's elements in that order, and what fills it up."""


#: Whether a kernel can serve a call.
Matches = Callable[[OpCall], bool]


def always(_call: OpCall) -> bool:
    """Matches every call."""
    return True


@dataclass(frozen=True)
class Kernel:
    """One C function that serves an operator: a row of its kernel list.

    The call is ``symbol(scratch?, params?, quant?, inputs..., outputs...)``; an absent
    input is passed as NULL. The first row that matches wins, so fast variants stand first
    and the portable kernel last. With ``scratch`` the compiler asks the C function
    ``<symbol>_scratch_size(params)`` how many bytes it needs, for each core. ``inplace`` lists
    pairs (output, input) that may be the same memory when nothing else needs the input,
    in the calls for which ``inplace_in`` holds.
    ``arity`` is the number of inputs of a C function with optional ones at the end: those
    that a node leaves out are passed as NULL too. With ``half_sums`` some products are summed
    in half precision.
    ``shared`` tells whether the C function takes, of several cores, only the share of the core
    that calls it; else one of them runs it alone.
    With a ``layout`` input 1, the weight, is a constant that lies in that layout.
    """

    symbol: str
    dtype: DType | None  # of the inputs, those of int32 apart; None: any
    params: StructOf | None = None
    quant: StructOf | None = None
    matches: Matches = always
    features: frozenset[str] = frozenset()
    scratch: bool = False
    inplace: tuple[tuple[int, int], ...] = ()
    inplace_in: Callable[[OpCall], bool] = always
    arity: int = 0
    half_sums: bool = False
    shared: bool = False
    layout: Callable[[OpCall], Layout] | None = None

    def inplace_pairs(self, call: OpCall) -> tuple[tuple[int, int], ...]:
        """The pairs (output, input) that may be the same memory in ``call``."""
        return self.inplace if self.inplace_in(call) else ()

    def layout_of(self, call: OpCall) -> Layout | None:
        """The layout in which it reads the weight; None: as in the model."""
        return self.layout(call) if self.layout is not None else None

    def suits(self, call: OpCall, features: frozenset[str]) -> bool:
        """Whether a target with ``features`` can use this row for ``call``, bar its layout."""
        return (
            self.features <= features
            and (self.dtype is None or _element_types(call) <= {self.dtype, DType.S32})
            and self.matches(call)
        )

    def serves(self, call: OpCall, features: frozenset[str], layout: Layout | None = None) -> bool:
        """Whether it suits ``call`` with the weight in ``layout``; None: as in the model."""
        return self.suits(call, features) and self.layout_of(call) == layout


def of_type(dtype: DType) -> Callable[[OpCall], bool]:
    """That the first input has that type, whatever the others have."""
    return lambda call: call.dtype is dtype


@dataclass(frozen=True)
class Variant:
    """That a kernel has a fast form in the folder ``family`` of the runtime's kernels.

    It serves targets that have the family among their features, in the calls that ``matches``; of
    several cores one runs it alone. A ``portable`` one lies with the kernel itself, serves every
    target and is shared as the kernel is; ``family`` is its name.
    Another form of a family has a name of its own, ``form``.
    ``inplace`` tells whether it may write over what the kernel itself may write over, ``types``
    which of an operator's kernels it is a form of (None: any), and ``half_sums`` that it sums some
    products in half precision. With a ``layout`` it serves constant weights that lie so.
    """

    family: str
    matches: Matches = always
    types: tuple[DType, ...] | None = None
    scratch: bool = False
    portable: bool = False
    inplace: bool = True
    half_sums: bool = False
    form: str = ""
    layout: Callable[[OpCall], Layout] | None = None

    @property
    def name(self) -> str:
        """What its kernels' symbols end with."""
        return f"{self.family}_{self.form}" if self.form else self.family


def packed_or_not(
    variant: Variant,
    layout: Callable[[OpCall], Layout],
    matches: Matches | None = None,
    *,
    scratch: bool | None = None,
) -> tuple[Variant, Variant]:
    """A form for constant weights that lie in a layout, ``<name>_packed``, before the form itself.

    ``matches`` and ``scratch`` are those of the former; None: as of the latter.
    """
    packed = replace(
        variant,
        form=f"{variant.form}_packed" if variant.form else "packed",
        layout=layout,
        matches=variant.matches if matches is None else matches,
        scratch=variant.scratch if scratch is None else scratch,
    )
    return packed, variant


def _both(first: Matches, second: Matches) -> Matches:
    return lambda call: first(call) and second(call)


def with_variants(
    portable: Kernel, variants: Sequence[Variant], named: DType | None = None
) -> tuple[Kernel, ...]:
    """The rows of a kernel's variants, ``<symbol>_<name>``, and of the kernel itself.

    ``named`` is the type that it is named by, if not that of all inputs.
    """
    dtype = named or portable.dtype
    fitting = (v for v in variants if v.types is None or dtype in v.types)
    fast = (
        replace(
            portable,
            symbol=f"{portable.symbol}_{v.name}",
            features=frozenset() if v.portable else frozenset({v.family}),
            scratch=v.scratch,
            inplace=portable.inplace if v.inplace else (),
            half_sums=v.half_sums,
            shared=portable.shared and v.portable,
            layout=v.layout,
            matches=_both(portable.matches, v.matches),
        )
        for v in fitting
    )
    return (*fast, portable)


def float_kernels(symbol: str, variants: Sequence[Variant] = (), **row: Any) -> tuple[Kernel, ...]:
    """The same rows for each type of floats, which ``{}`` in ``symbol`` stands for."""
    rows = (with_variants(Kernel(symbol.format(d), d, **row), variants) for d in FLOATS)
    return tuple(chain.from_iterable(rows))


def _element_types(call: OpCall) -> set[DType]:
    return {t.dtype for t in call.inputs if t is not None}


class GradientContext(Protocol):
    """What a gradient rule sees of the graph being differentiated."""

    def tensor(self, name: str) -> Tensor:
        """The tensor of that name."""

    def needs(self, name: str) -> bool:
        """Whether anything that learns depends on this tensor's gradient."""

    def channels(self, name: str) -> tuple[int, ...] | None:
        """The input channels of a learning tensor that learn; None: all of them."""

    def keep(self, name: str, channels: tuple[int, ...] | None) -> str:
        """What to save of a forward tensor: these of its last axis, picked in the forward pass."""

    def emit(self, op: str, attrs: Any, inputs: Sequence[str], name: str) -> str:
        """Adds a backward node with one output and returns that output's name.

        Where no kernel takes an int8 operand as it is, its real values are taken.
        """


#: (context, attrs, input names, output names, gradient names of the outputs)
#: -> gradient name of each input, None where it is not needed or is zero.
GradientRule = Callable[
    [GradientContext, Any, Sequence[str], Sequence[str], Sequence[str]], Sequence[str | None]
]


class IntegerContext(Protocol):
    """What a rule of integer gradients sees of the graph being turned.

    A gradient is ``code * 2^exponent * scale``: codes of int16 (of int32 for a weight or bias),
    a scale that stands in the tensor's quantisation, and an exponent that the step computes.
    """

    def tensor(self, name: str) -> Tensor:
        """The tensor of that name; a gradient has its integer type already."""

    def exponent(self, gradient: str) -> str:
        """The int32 tensor [2] with the exponent of a gradient and the bits of its largest code."""

    def integers(self, name: str) -> str | None:
        """The integers whose real values a float tensor holds, if it is made of such."""

    def carry(self, node: Node, factor: float = 1.0) -> None:
        """Lets ``node`` itself make codes of codes: ``factor`` times the scale, one exponent."""

    def emit(self, op: str, attrs: Any, inputs: Sequence[str], outputs: Sequence[Tensor]) -> None:
        """Adds a node; outputs that have the name of a float gradient take its place."""

    def give(self, gradient: str, exponent: str) -> None:
        """Says which tensor holds the exponent of a gradient."""

    def range(self, gradient: str, gain: int) -> tuple[str, str]:
        """A STATE range that starts with the guess ``gain``, and the name of its next value."""


#: Turns a backward node into integer arithmetic; False: it cannot, so floats serve.
IntegerRule = Callable[[IntegerContext, Node], bool]


@dataclass(frozen=True)
class Weights:
    """Which inputs of a layer can learn."""

    weight: int
    bias: int
    channel_axis: int  # of the weight: its input channels


def no_products(_call: OpCall) -> int:
    """An operator without multiply-accumulates."""
    return 0


@dataclass(frozen=True)
class Op:
    """An operator.

    ``infer`` gives the results' types and raises ``ValueError`` for operands that do not
    fit. ``reference`` is the golden arithmetic: floats come in and go out as float64,
    integers as stored. ``products`` counts multiply-accumulates.

    Attributes:
        view: the output is the input's bytes under another shape, so there is no kernel.
        gradient: None means that no gradient passes; a rule returns None for an input
            whose derivative is zero.
        weights: given for a layer, whose weight and bias inputs can learn.
        gathers: the operator takes, as an optional last input, a sum that its result is
            added to; so gradients gather over a mini-batch without a second pass.
        integer: how it works on integer gradients, for operators of the backward pass.
    """

    name: str
    attrs: type
    infer: Callable[[OpCall], tuple[Spec, ...]]
    reference: Callable[[OpCall, Sequence[Array | None]], tuple[Array, ...]]
    kernels: tuple[Kernel, ...] = ()
    gradient: GradientRule | None = None
    products: Callable[[OpCall], int] = no_products
    view: bool = False
    weights: Weights | None = None
    gathers: bool = False
    integer: IntegerRule | None = None

    def kernel(
        self, call: OpCall, features: frozenset[str], layout: Layout | None = None
    ) -> Kernel | None:
        """The first row for ``call``, whose weight lies in ``layout``; None: as in the model."""
        return next((k for k in self.kernels if k.serves(call, features, layout)), None)

    def layout(self, call: OpCall, features: frozenset[str]) -> Layout | None:
        """The layout that the kernels would have the weight in; None: as in the model."""
        layouts = (k.layout_of(call) for k in self.kernels if k.suits(call, features))
        return next(layouts, None)

    def supports(self, dtype: DType) -> bool:
        """Whether some kernel takes ``dtype``."""
        return self.view or any(k.dtype in (dtype, None) for k in self.kernels)


@dataclass
class _Registry:
    ops: dict[str, Op] = field(default_factory=dict)


_REGISTRY = _Registry()


def register(op: Op) -> Op:
    """Makes ``op`` known under its name."""
    if op.name in _REGISTRY.ops:
        raise ValueError(f"operator {op.name} is defined twice")
    _REGISTRY.ops[op.name] = op
    return op


def lookup(name: str) -> Op:
    """The operator of that name."""
    return _REGISTRY.ops[name]


def registered() -> Mapping[str, Op]:
    """All operators by name."""
    return _REGISTRY.ops


def require(condition: bool, message: str) -> None:
    """Raises ``ValueError(message)`` unless ``condition`` holds; for ``infer``."""
    if not condition:
        raise ValueError(message)
