"""manifest.json: what a compiled folder holds, for whoever drives the device."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mcugrad.errors import UsageError
from mcugrad.ir.tensor import DType, QuantParams, Tensor
from mcugrad.ops.sgd import WITH_VELOCITY

FILE = "manifest.json"
VERSION = 4


@dataclass(frozen=True)
class Port:
    """What goes in or comes out: a sample, a target, a prediction."""

    shape: tuple[int, ...]
    dtype: DType
    scale: float | None  # None: not quantised
    zero_point: int | None

    @classmethod
    def of(cls, tensor: Tensor) -> Port:
        """The port of a graph's input or output."""
        quant: QuantParams | None = tensor.quant
        scale, zero_point = quant.per_tensor if quant is not None else (None, None)
        return cls(tensor.shape, tensor.dtype, scale, zero_point)


@dataclass(frozen=True)
class LinkTensor:
    """A tensor that can be read over a link; its position in the list is its number."""

    name: str
    dtype: DType
    shape: tuple[int, ...]
    writable: bool
    block: int
    offset: int


@dataclass(frozen=True)
class CallInfo:
    """One kernel call of the program, in order; ``bytes`` is what it reads and writes."""

    name: str
    op: str
    phase: str
    symbol: str
    products: int
    bytes: int


@dataclass(frozen=True)
class RegionUse:
    """What a firmware takes of one memory of its target."""

    name: str
    size: int
    arena: int
    parameters: int
    static: int
    stack: int


@dataclass(frozen=True)
class Manifest:
    """Everything about a compiled model that is not C. Sizes are in bytes.

    ``hyper`` is the number of the tensor that holds the hyper-parameters, ``scale_steps`` that of
    the count of good and skipped steps under a scale of the loss.
    """

    model: str
    target: str
    update: str
    fingerprint: int
    sample: Port
    wanted: Port
    prediction: Port
    classes: int
    batch: int
    learning: dict[str, list[int] | None]
    tensors: tuple[LinkTensor, ...]
    hyper: int
    scale_steps: int | None
    calls: tuple[CallInfo, ...]
    sram: dict[str, int]
    regions: tuple[RegionUse, ...]
    flash: dict[str, int]
    version: int = VERSION

    @property
    def has_velocity(self) -> bool:
        """Whether there is memory for momentum."""
        return any(call.op in WITH_VELOCITY.values() for call in self.calls)

    def write(self, folder: Path) -> None:
        """Writes manifest.json into ``folder``."""
        text = json.dumps(asdict(self), indent=1)
        (folder / FILE).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Reads the manifest of a compiled folder.

        Raises:
            UsageError: the folder was not made by ``mcugrad compile`` of this version.
        """
        path = folder / FILE
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise UsageError(
                f"{folder} is not a compiled model ({error}); make one with 'mcugrad compile'"
            ) from error
        try:
            if document["version"] != VERSION:
                raise UsageError(
                    f"{path} has version {document['version']}, this mcugrad reads "
                    f"{VERSION}: compile the model again"
                )
            return _from_json(document)
        except (KeyError, TypeError, ValueError) as error:
            raise UsageError(f"{path} is damaged ({error!r}): compile the model again") from error


def _from_json(document: dict[str, Any]) -> Manifest:
    def port(d: dict[str, Any]) -> Port:
        return Port(tuple(d["shape"]), DType(d["dtype"]), d["scale"], d["zero_point"])

    def link_tensor(d: dict[str, Any]) -> LinkTensor:
        dtype, shape = DType(d["dtype"]), tuple(d["shape"])
        return LinkTensor(d["name"], dtype, shape, d["writable"], d["block"], d["offset"])

    plain = dict(document)
    for name in ("sample", "wanted", "prediction"):
        plain[name] = port(plain[name])
    plain["tensors"] = tuple(link_tensor(t) for t in plain["tensors"])
    plain["calls"] = tuple(CallInfo(**c) for c in plain["calls"])
    plain["regions"] = tuple(RegionUse(**r) for r in plain["regions"])
    return Manifest(**plain)
