"""Keeps one bit of an int8 result where the backward pass needs to know no more of it."""

from __future__ import annotations

from dataclasses import replace

from mcugrad.ir.tensor import DType
from mcugrad.ops.base import NoAttrs
from mcugrad.passes.autodiff import Differentiator


def keep_masks(diff: Differentiator) -> None:
    """Turns each ``clamp_bwd`` that is alone in reading its int8 result backward.

    The mask is taken in the forward pass, and the result itself is free after it.
    """
    forward = {node.name for node in diff.graph.nodes}
    backward = [n for n in diff.builder.nodes if n.name not in forward | diff.keeping]
    readers: dict[str, list[str]] = {}
    for node in backward:
        for name in node.inputs:
            readers.setdefault(name, []).append(node.op)
    for node in backward:
        if node.op != "clamp_bwd":
            continue
        dy, y = node.inputs
        if diff.tensor(y).dtype is not DType.S8 or set(readers[y]) != {"clamp_bwd"}:
            continue
        mask = diff.keep_as("saturation_mask", node.attrs, y, f"mask.{y}")
        at = diff.builder.nodes.index(node)
        diff.builder.nodes[at] = replace(
            node, op="saturation_mask_bwd", inputs=(dy, mask), attrs=NoAttrs()
        )
