"""What several cores gain: instructions of a training step on the busiest of them, in the emulator.

Each core is counted by itself; what it spends on waiting for others is no work.

Run: python -m benchmarks.cores [--model resnet8|kws ...] [--update SPEC] [--precision P]
[--gradients G] [--calls]
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from benchmarks.datasets import MODELS, require_data
from mcugrad.cli.console import table
from mcugrad.compiler import Request, compile_model
from mcugrad.data import random_samples
from mcugrad.devices.opening import FIRMWARE
from mcugrad.image import Code, read_code
from mcugrad.manifest import Manifest
from mcugrad.passes.training import Gradients, Precision, TrainingOptions
from mcugrad.profiling.calls import Entry
from mcugrad.profiling.counting import Segment, counting
from mcugrad.targets import find_target

NETWORKS = {"resnet8": "pretrainedResnet.tflite", "kws": "kws_ref_model_float32.tflite"}
INT8_NETWORKS = {"resnet8": "pretrainedResnet_quant.tflite", "kws": "kws_ref_model.tflite"}
ONE, MANY = "rv32imfc", "rv32-cluster8"

_JOIN, _WAIT, _END = "mg_join", "mg_wait", "mg_port_count"


@dataclass(frozen=True)
class Step:
    """Instructions of each core between two barriers, in their order; the first part is serial."""

    parts: Sequence[Sequence[int]]  # [core][part]

    @property
    def busiest(self) -> int:
        """Of the core that has most to do."""
        return max(sum(core) for core in self.parts)

    @property
    def longest_parts(self) -> int:
        """Of the core that has most to do between two barriers, added up."""
        return sum(max(part) for part in zip(*self.parts, strict=True))


def counted(
    model: str, target: str, update: str, options: TrainingOptions | None = None
) -> tuple[Manifest, Step]:
    """What one training step of a model takes on each core of a target."""
    asked = options or TrainingOptions()
    networks = INT8_NETWORKS if asked.precision is Precision.INT8 else NETWORKS
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        manifest = compile_model(Request(MODELS / networks[model], target, update, asked), out)
        cores = range(find_target(target).cores)
        return manifest, Step([_core(manifest, out, core) for core in cores])


def _core(manifest: Manifest, out: Path, core: int) -> list[int]:
    code = read_code(out / FIRMWARE)
    starts = [
        code.functions[name].start for name in (Entry.STEP, _JOIN, _END) if name in code.functions
    ]
    marks = [range(start, start + 1) for start in starts]
    parts = [work(s, code) for s in step_of(manifest, out, code, marks, core)]
    return parts if core == 0 else [0, *parts]


def step_of(
    manifest: Manifest, out: Path, code: Code, marks: Sequence[range], core: int
) -> list[Segment]:
    """A core's training step between marks, among which are the step's entry and end.

    They are those from the first core's entry to the reading of its counter; another core's are
    all.
    """
    target = find_target(manifest.target)
    sample = random_samples(manifest, 1, 0)
    with counting(target, out / FIRMWARE, manifest.fingerprint, marks, core) as device:
        device.device.train_step(sample.x[0], sample.y[0])
        device.device.statistics()  # until then all cores wait for more work
        segments = device.segments()
    first, end = (code.functions[name].start for name in (Entry.STEP, _END))
    entered = [i for i, s in enumerate(segments) if s.address == first]
    step = segments[entered[-1] if entered else 0 :]
    return list(takewhile(lambda s: s.address != end, step))


def work(segment: Segment, code: Code) -> int:
    """Its instructions, without those of waiting for other cores."""
    waiting = code.functions.get(_WAIT, range(0))
    blocks = segment.blocks.items()
    return sum(b.instructions * r.count for b, r in blocks if b.address not in waiting)


def main() -> None:
    """Prints the table and, on request, the barriers at which cores wait longest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", action="append", choices=tuple(NETWORKS), help="default: both")
    parser.add_argument("--update", default="all")
    parser.add_argument("--calls", action="store_true", help="what each call takes, too")
    parser.add_argument("--precision", type=Precision, choices=list(Precision), default="f32")
    parser.add_argument("--gradients", type=Gradients, choices=list(Gradients), default="f32")
    options = parser.parse_args()
    training = TrainingOptions(precision=options.precision, gradients=options.gradients)
    require_data()
    rows = []
    for model in options.model or NETWORKS:
        _, one = counted(model, ONE, options.update, training)
        _, many = counted(model, MANY, options.update, training)
        alone = one.busiest
        rows.append(
            (
                model,
                f"{alone / 1e6:.3f}",
                f"{many.busiest / 1e6:.3f}",
                f"{alone / many.busiest:.2f}",
                f"{many.longest_parts / 1e6:.3f}",
                f"{alone / many.longest_parts:.2f}",
            )
        )
        if options.calls:
            for i, part in enumerate(zip(*many.parts, strict=True)):
                print(f"{i:3} {max(part):9} {sum(part) / len(part):11.1f}  {part}")
    header = ("model", "one core M", "busiest M", "gain", "sum of longest M", "gain")
    print(table(header, rows))


if __name__ == "__main__":
    main()
