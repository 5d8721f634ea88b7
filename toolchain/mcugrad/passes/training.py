"""From an imported graph to a training graph: head, precision, loss, gradients, optimiser."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from mcugrad.errors import ModelError, UsageError
from mcugrad.ir.graph import Graph, Learning, Phase, TrainingGraph
from mcugrad.ir.tensor import DType, Storage, Tensor, constant
from mcugrad.ops import lookup
from mcugrad.ops.base import NoAttrs
from mcugrad.ops.loss import LossAttrs
from mcugrad.ops.reshape import ReshapeAttrs
from mcugrad.passes.as_state import as_state
from mcugrad.passes.autodiff import Differentiator
from mcugrad.passes.float_tail import float_tail
from mcugrad.passes.half import in_half
from mcugrad.passes.integer_gradients import integer_gradients
from mcugrad.passes.integer_head import integer_head
from mcugrad.passes.layers import layers
from mcugrad.passes.loss_scaling import LossScaling
from mcugrad.passes.optimiser import attach_optimiser, gather_batch
from mcugrad.passes.replace_head import replace_head
from mcugrad.passes.saturation_masks import keep_masks
from mcugrad.passes.scheme import UpdateScheme

#: What the tensors that training adds are called, where the model has none of that name.
TARGET, LOSS, HYPER = "target", "loss", "hyper"


class Precision(StrEnum):
    """The arithmetic of what learns in an int8 model."""

    F16 = "f16"  # the same tail, or all of a float model, in half precision
    F32 = "f32"  # the tail from the first learning layer on in float32
    INT8 = "int8"  # int8 throughout, gradients in float32; only a fresh head is float32


class Gradients(StrEnum):
    """The arithmetic of the backward pass of an int8 network."""

    F32 = "f32"
    S16 = "s16"  # integers: the same bits on every device, with a floating-point unit or not


class Loss(StrEnum):
    """What the training minimises."""

    CROSS_ENTROPY = "cross-entropy"
    MEAN_SQUARED_ERROR = "mse"


#: What the C holds, and what makes sense. NaN is in no range.
_RANGES = {
    "classes": (1, 65536),
    "batch": (1, 65536),
    "learning_rate": (0.0, 1e6),
    "momentum": (0.0, 1.0),
    "weight_decay": (0.0, 1e6),
    "seed": (0, (1 << 64) - 1),
}


@dataclass(frozen=True)
class TrainingOptions:
    """How the model is to learn. ``classes``: None keeps the head as it is.

    ``qas``: int8 weights learn with quantisation-aware scaling.

    Raises:
        UsageError: an option is out of range.
    """

    classes: int | None = None
    precision: Precision = Precision.F32
    gradients: Gradients = Gradients.F32
    qas: bool = True
    loss: Loss = Loss.CROSS_ENTROPY
    batch: int = 1
    learning_rate: float = 0.01
    momentum: float = 0.0
    weight_decay: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise UsageError(f"{name.replace('_', ' ')} {value}: must be from {low} to {high}")
        if not self.qas and self.precision is not Precision.INT8:
            raise UsageError("--no-qas is for weights that learn in int8: add --precision int8")
        if self.gradients is Gradients.S16:
            if self.precision is not Precision.INT8:
                raise UsageError("--gradients s16 is for weights that learn in --precision int8")
            if self.batch > 1:
                raise UsageError("--gradients s16 learns from one sample at a time: no --batch")


def training_graph(graph: Graph, scheme: UpdateScheme, options: TrainingOptions) -> TrainingGraph:
    """Forward, backward and update of ``graph`` under ``scheme``.

    Raises:
        ModelError: something between a learning tensor and the loss has no gradient.
        UsageError: the options do not fit the model.
    """
    learning = dict(scheme.learning)
    if options.classes is not None:
        if not learning:
            raise UsageError("a model that does not learn cannot be given a new head")
        fresh = [n for n in (layers(graph)[-1].weight, layers(graph)[-1].bias) if n]
        learning |= dict.fromkeys(fresh)  # untrained weights that do not learn are of no use
    else:
        fresh = []
    int8 = options.precision is Precision.INT8
    if int8 and learning and all(graph.tensors[n].dtype.is_float for n in learning):
        raise UsageError("what is to learn in int8 is float32 in this model: leave out --precision")
    forward = float_tail(graph, frozenset(fresh if int8 else learning))
    if options.classes is not None:
        forward = replace_head(forward, options.classes, options.seed)
        if options.gradients is Gradients.S16:
            forward = integer_head(forward)
    if options.precision is Precision.F16 and learning:
        forward = in_half(forward)
    if len(forward.inputs) != 1 or len(forward.outputs) != 1:
        raise ModelError(
            f"the model has {len(forward.inputs)} inputs and {len(forward.outputs)} outputs; "
            "training needs one of each"
        )
    for name in learning:
        if name not in forward.tensors:
            raise UsageError(f"{name!r} cannot learn: the output does not depend on it")
    return _differentiated(forward, replace(scheme, learning=learning), frozenset(fresh), options)


def _differentiated(
    graph: Graph, scheme: UpdateScheme, fresh: frozenset[str], options: TrainingOptions
) -> TrainingGraph:
    forward, states = as_state(graph, scheme.learning)
    output = forward.outputs[0]
    result = _logits(forward) if options.loss is Loss.CROSS_ENTROPY else output
    diff = Differentiator(forward, tuple(states.values()))
    integer = options.gradients is Gradients.S16
    if integer and any(diff.tensor(s).dtype.is_float for s in states.values()):
        raise UsageError("--gradients s16 needs an int8 model: some of what learns is float32")
    target, loss, gradient = _attach_loss(diff, result, options)
    scaling = None
    if any(diff.tensor(s).dtype is DType.F16 for s in states.values()):
        scaling = LossScaling.attach(diff, options.batch)
        gradient = scaling.scaled(gradient, f"d.{result}", diff.tensor(result).dtype)
    diff.run(result, gradient)
    for name, state in states.items():
        if state not in diff.gradients:
            raise ModelError(f"{name!r} cannot learn: no gradient reaches it")
    keep_masks(diff)
    next_state = gather_batch(diff) if options.batch > 1 else {}
    exponents = {}
    if integer:
        turned = integer_gradients(diff.builder, len(forward.nodes) + len(diff.keeping), loss)
        exponents, next_state = turned.exponents, turned.next_ranges
        for name, state in states.items():
            if diff.tensor(diff.gradients[state]).dtype is not DType.S32:
                raise ModelError(f"{name!r} is used twice: it learns with --gradients f32 alone")
    first_update = len(diff.builder.nodes)
    rates = [options.learning_rate, options.momentum, options.weight_decay]
    hyper = diff.builder.add_tensor(
        constant(HYPER, np.array(rates, np.float32), storage=Storage.STATE)
    )
    next_state |= attach_optimiser(
        diff,
        states,
        hyper,
        exponents=exponents,
        scaling=scaling,
        kept=fresh if integer else (),
        momentum=options.momentum != 0.0,
        seed=options.seed,
        qas=options.qas,
        rates=scheme.rates,
    )

    built = diff.builder.build(forward.name, (*forward.inputs, target), (output, loss))
    needed = _ancestors(built, {loss, *next_state.values()})
    phases = {}
    inference = {n.name for n in forward.nodes}
    for index, node in enumerate(built.nodes):
        if index >= first_update:
            phases[node.name] = Phase.UPDATE
        elif node.name in inference:
            phases[node.name] = Phase.FORWARD if node.name in needed else Phase.OUTPUT
        elif node.name in diff.keeping:
            phases[node.name] = Phase.KEEP
        else:
            phases[node.name] = Phase.BACKWARD
    return TrainingGraph(
        graph=built,
        phases=phases,
        learning=tuple(
            Learning(name, diff.gradients[states[name]], channels)
            for name, channels in scheme.learning.items()
        ),
        next_state=next_state,
        gradients=dict(diff.gradients),
        batch=options.batch,
        hyper=hyper,
    )


def _logits(forward: Graph) -> str:
    """What cross-entropy is taken of: the operand of the final softmax, or the output."""
    producers = forward.producers()
    name = forward.outputs[0]
    node = producers.get(name)
    while node is not None and (lookup(node.op).view or node.op in ("dequantize", "cast")):
        name = node.inputs[0]
        node = producers.get(name)
    if node is not None and node.op == "softmax":
        if node.attrs.beta != 1.0:
            raise UsageError(
                f"cross-entropy takes a final softmax with beta 1, not {node.attrs.beta}: "
                "use --loss mse"
            )
        return node.inputs[0]
    return forward.outputs[0]


def _attach_loss(
    diff: Differentiator, result: str, options: TrainingOptions
) -> tuple[str, str, str]:
    """Adds target and loss; returns their names and the gradient of ``result``.

    The result is int8 where nothing learns; then the loss is that of its real values. That of a
    result in half is in float32, as is its gradient.
    """
    tensor = diff.tensor(result)
    if tensor.dtype is not DType.F32:
        op = "cast" if tensor.dtype.is_float else "dequantize"
        result = diff.emit(op, NoAttrs(), (result,), f"{result}/float")
    attrs = LossAttrs(scale=1.0 / options.batch)
    if options.loss is Loss.MEAN_SQUARED_ERROR:
        target = diff.builder.add_tensor(Tensor(TARGET, tensor.shape, DType.F32))
        loss, gradient = diff.emit_all(
            "mean_squared_error", attrs, (result, target), (LOSS, f"d.{result}")
        )
        return target, loss, gradient
    if tensor.size != tensor.shape[-1] or tensor.size < 2:
        raise UsageError(
            f"cross-entropy needs one score for each of two classes or more, but {result!r} has "
            f"shape {tensor.shape}; use --loss mse"
        )
    target = diff.builder.add_tensor(Tensor(TARGET, (1,), DType.S32))
    flat = diff.emit("reshape", ReshapeAttrs((1, tensor.size)), (result,), f"{result}/flat")
    loss, gradient = diff.emit_all(
        "softmax_cross_entropy", attrs, (flat, target), (LOSS, f"d.{flat}")
    )
    return (
        target,
        loss,
        diff.emit("reshape", ReshapeAttrs(tensor.shape), (gradient,), f"d.{result}"),
    )


def _ancestors(graph: Graph, names: set[str]) -> set[str]:
    """The names of the nodes on which these tensors depend."""
    wanted = set(names)
    found = set()
    for node in reversed(graph.nodes):
        if wanted.intersection(node.outputs):
            wanted.update(node.inputs)
            found.add(node.name)
    return found
