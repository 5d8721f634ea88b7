"""int8 models that learn on targets with two memories: what goes where, and parity in QEMU.

Run: python -m benchmarks.memories
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from benchmarks.arenas import INT8
from benchmarks.datasets import require_data
from benchmarks.sparse import scheme
from benchmarks.tasks import TASKS, searched
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
from mcugrad.targets import find_target

#: The models that are searched, with their tasks.
SEARCHED = {"KWS": "kws", "ResNet8": "resnet8", "MobileNetV2-w0.35": "mbv2", "MCUNet": "mcunet"}

#: Target, model, scheme, classes of a new head.
CASES = (
    *(("stm32f405", model, "auto", TASKS[task].classes) for model, task in SEARCHED.items()),
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


def _compiled(target: str, model: str, update: str, classes: int | None, folder: Path) -> Path:
    """The folder that a case was compiled into."""
    options = TrainingOptions(classes, precision=Precision.INT8)
    asked = Request(INT8[model], target, update, options)
    if update == "auto":
        limit = find_target(target).ram_bytes
        searched(TASKS[SEARCHED[model]], replace(asked, sram=limit), folder)
        return folder / "auto"
    if update == "49kb":
        (folder / "49kb.toml").write_text(scheme(), encoding="utf-8")
        asked = replace(asked, update=str(folder / "49kb.toml"))
    compile_model(asked, folder / "out")
    return folder / "out"


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
    rows: list[tuple[str, ...]] = []
    failed = False
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for target, model, update, classes in CASES:
            try:
                compiled = _compiled(target, model, update, classes, folder)
            except DoesNotFitError as error:
                first = str(error).splitlines()[0]
                rows.append((target, model, update, "", "", "", first))
                continue
            manifest = Manifest.read(compiled)
            found = _parity(compiled, manifest)
            failed |= not found.ok
            memories = [_used(r) for r in manifest.regions]
            learning = f"{len(manifest.learning)} tensors"
            worst = f"worst error {found.worst.error:.2g}"
            rows.append((target, model, update, learning, *memories, worst))
    head = ("target", "model, int8", "update", "learning", "first memory", "second")
    print(table((*head, "parity in QEMU, 2 steps"), rows))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
