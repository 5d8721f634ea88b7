"""Some indices along an axis, as runs of adjacent ones that C kernels walk."""

from __future__ import annotations

from math import prod

from mcugrad.ops.base import CArray, CStruct, require


def check_channels(channels: tuple[int, ...], extent: int) -> None:
    """Raises ``ValueError`` unless they are distinct, ascending and of the axis."""
    require(len(channels) > 0, "no channels")
    require(
        all(a < b for a, b in zip((-1, *channels), (*channels, extent), strict=True)),
        f"channels {channels} do not ascend from 0 to below {extent}",
    )


def runs_params(shape: tuple[int, ...], axis: int, channels: tuple[int, ...]) -> CStruct:
    """``mg_runs_params`` of these channels of an array."""
    inner = prod(shape[axis + 1 :])
    runs: list[list[int]] = []
    for channel in channels:
        if runs and channel * inner == sum(runs[-1]):
            runs[-1][1] += inner
        else:
            runs.append([channel * inner, inner])
    return CStruct(
        "mg_runs_params",
        {
            "outer": prod(shape[:axis]),
            "stride": shape[axis] * inner,
            "count": len(runs),
            "start": CArray("int32_t", [start for start, _ in runs]),
            "length": CArray("int32_t", [length for _, length in runs]),
        },
    )
