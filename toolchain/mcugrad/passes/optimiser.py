"""Gradients of a mini-batch, and the update of every learning tensor."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any
from zlib import crc32

from mcugrad.errors import UsageError
from mcugrad.ir.graph import Graph
from mcugrad.ir.tensor import DType, Storage, Tensor
from mcugrad.ops import lookup
from mcugrad.ops.base import NoAttrs
from mcugrad.ops.elementwise import ElementwiseAttrs
from mcugrad.ops.sgd import WITH_VELOCITY, SgdAttrs
from mcugrad.ops.sgd_half import SgdHalfAttrs
from mcugrad.ops.sgd_quantized import WEIGHT_LIMIT, SgdQuantizedAttrs, bias_limit
from mcugrad.passes.autodiff import Differentiator
from mcugrad.passes.loss_scaling import LossScaling

#: What the count of updates is called.
UPDATES = "updates"


def gather_batch(diff: Differentiator) -> dict[str, str]:
    """Makes each learning tensor's gradient a sum over the mini-batch."""
    nodes = diff.builder.nodes
    accumulators = {}
    for name in diff.learning:
        gradient = diff.tensor(diff.gradients[name])
        gathered = diff.builder.add_tensor(
            Tensor(f"gathered.{name}", gradient.shape, gradient.dtype, storage=Storage.STATE)
        )
        at = next(i for i, n in enumerate(nodes) if gradient.name in n.outputs)
        if lookup(nodes[at].op).gathers:
            nodes[at] = replace(nodes[at], inputs=(*nodes[at].inputs, gathered))
        else:
            diff.gradients[name] = diff.emit(
                "add", ElementwiseAttrs(), (gathered, gradient.name), f"d.{name}"
            )
        accumulators[gathered] = diff.gradients[name]
    return accumulators


def attach_optimiser(
    diff: Differentiator,
    states: Mapping[str, str],
    hyper: str,
    *,
    exponents: Mapping[str, str],
    scaling: LossScaling | None,
    kept: Collection[str],
    momentum: bool,
    seed: int,
    qas: bool,
    rates: Mapping[str, float],
) -> dict[str, str]:
    """Adds the update of every learning tensor's STATE; returns the next state.

    ``exponents`` holds those of integer gradients, ``scaling`` the scale of those in half. Of the
    int8 weights in ``kept``, the remainders of their updates are a STATE too. ``rates`` are
    what the learning rate of some tensors is multiplied by.

    Raises:
        UsageError: momentum is wanted for int8 weights.
    """
    next_state: dict[str, str] = {}
    limits = _bias_limits(diff.graph)
    updates = ""
    if scaling is not None:
        # Backward, so that each gradient is looked through when it is complete.
        finite = scaling.finite(diff.gradients[s] for s in reversed(list(states.values())))
        next_state |= scaling.next_state(finite)
    for name, state in states.items():
        rate = rates.get(name, 1.0)
        if diff.tensor(state).dtype is DType.F32:
            next_state |= _descent(diff, "sgd", SgdAttrs(rate), state, (hyper,), momentum=momentum)
            continue
        if momentum and scaling is None:
            raise UsageError("int8 weights learn without momentum: leave out --momentum")
        if not updates:
            count = Tensor(UPDATES, (1,), DType.S32, storage=Storage.STATE)
            updates = diff.builder.add_tensor(count)
            next_state[updates] = diff.emit("increment", NoAttrs(), (updates,), f"{updates}/next")
        salt = crc32(f"{seed} {name}".encode()) >> 1
        gradient = diff.gradients[state]
        if scaling is not None:
            others = scaling.scale, finite, updates, hyper
            half = SgdHalfAttrs(salt, rate)
            next_state |= _descent(diff, "sgd_half", half, state, others, momentum=momentum)
            continue
        attrs = SgdQuantizedAttrs(limits.get(state, WEIGHT_LIMIT), salt, qas, rate)
        integer = gradient in exponents
        op = "sgd_integer" if integer else "sgd_quantized"
        exponent = (exponents[gradient],) if integer else ()
        changing = [state]
        if state in kept and diff.tensor(state).dtype is DType.S8:
            shape = diff.tensor(state).shape
            remainder = Tensor(f"remainder.{state}", shape, DType.S8, storage=Storage.STATE)
            changing.append(diff.builder.add_tensor(remainder))
        operands = (state, gradient, *exponent, updates, hyper, *changing[1:])
        names = [f"{n}/next" for n in changing]
        next_state |= zip(changing, diff.emit_as_stored(op, attrs, operands, names), strict=True)
    return next_state


def _bias_limits(graph: Graph) -> dict[str, int]:
    """Of each bias, the least that the layers which read it allow."""
    limits: dict[str, int] = {}
    for node in graph.nodes:
        slots = lookup(node.op).weights
        bias = node.inputs[slots.bias] if slots and slots.bias < len(node.inputs) else ""
        if slots and bias:
            products = graph.tensors[node.inputs[slots.weight]].size // graph.tensors[bias].size
            limits[bias] = min(limits.get(bias, bias_limit(0)), bias_limit(products))
    return limits


def _descent(
    diff: Differentiator, op: str, attrs: Any, name: str, others: Sequence[str], *, momentum: bool
) -> dict[str, str]:
    """Descends the float gradient of a STATE by ``op``; momentum has a STATE of its type."""
    gradient = diff.gradients[name]
    changing = [name]
    if momentum:
        op = WITH_VELOCITY[op]
        like = diff.tensor(gradient)
        velocity = Tensor(f"velocity.{name}", like.shape, like.dtype, storage=Storage.STATE)
        changing.append(diff.builder.add_tensor(velocity))
    operands = (name, gradient, *changing[1:], *others)
    results = diff.emit_all(op, attrs, operands, [f"{n}/next" for n in changing])
    return dict(zip(changing, results, strict=True))
