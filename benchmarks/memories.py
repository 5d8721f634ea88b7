"""int8 models that learn on targets with two memories: what goes where, and parity in QEMU.

Run: python -m benchmarks.memories
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.arenas import INT8
from benchmarks.datasets import require_data
from benchmarks.sparse import scheme
from mcugrad.cli.console import table
from mcugrad.compiler import GRAPH, Request, compile_model
from mcugrad.data import random_samples
from mcugrad.devices import open_device
from mcugrad.errors import DoesNotFitError
from mcugrad.golden.interpreter import Trainer
from mcugrad.ir.serial import load_training_graph
from mcugrad.manifest import Manifest, RegionUse
from mcugrad.parity import Report, compare, report
from mcugrad.passes.training import Precision, TrainingOptions

CASES = (
    ("stm32f405", "KWS", "all", None),
    ("stm32f405", "ResNet8", "last:2", None),
    ("stm32f405", "ResNet8", "bias:9", None),
    ("stm32f405", "ResNet8", "last:3", None),
    ("stm32f405", "MobileNetV2-w0.35", "bias:20", 5),
    ("stm32f405", "MCUNet", "49kb", 10),
    ("mps2-psram", "KWS", "all", None),
    ("mps2-psram", "ResNet8", "all", None),
    ("mps2-psram", "MobileNetV2-w0.35", "last:10", 5),
)


def _parity(folder: Path, manifest: Manifest) -> Report:
    """Two steps in the emulator against the golden model."""
    data = random_samples(manifest, 2, 0)
    golden = Trainer(load_training_graph(folder / GRAPH))
    with open_device("emulator", folder) as device:
        samples = list(zip(data.x, data.y, strict=True))
        return report(list(compare(device, golden, manifest, samples)))


def _used(use: RegionUse) -> str:
    return f"{use.arena + use.parameters + use.static + use.stack} of {use.size}"


def main() -> int:
    """Prints the table; 1 if parity fails."""
    require_data()
    rows, failed = [], False
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "49kb.toml").write_text(scheme(), encoding="utf-8")
        for target, model, update, classes in CASES:
            spec = str(folder / "49kb.toml") if update == "49kb" else update
            options = TrainingOptions(classes=classes, precision=Precision.INT8)
            try:
                manifest = compile_model(
                    Request(INT8[model], target, spec, options), folder / "out"
                )
            except DoesNotFitError as error:
                first = str(error).splitlines()[0]
                rows.append((target, model, update, "", "", first))
                continue
            found = _parity(folder / "out", manifest)
            failed |= not found.ok
            memories = [_used(r) for r in manifest.regions]
            rows.append((target, model, update, *memories, f"worst error {found.worst.error:.2g}"))
    head = ("target", "model, int8", "update", "first memory", "second", "parity in QEMU, 2 steps")
    print(table(head, rows))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
