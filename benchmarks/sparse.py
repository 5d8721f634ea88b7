"""MCUNet learning in int8 under the released "49kb" scheme of Tiny Training Engine.

Biases of the last 20 convolutions; of the convolutions counted from 0, the weights of 24 with a
quarter, 27 and 30 with half of their input channels; the classifier, replaced by one of ten
classes. With --functions, what functions of external linkage take of a step.

Run: python -m benchmarks.sparse [--target NAME] [--portable] [--functions]
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from benchmarks.cores import step_of
from benchmarks.datasets import BACKBONES, require_data
from mcugrad.cli.console import table
from mcugrad.compiler import Request, compile_model, import_model, prepare
from mcugrad.data import random_samples
from mcugrad.devices import open_device
from mcugrad.devices.opening import FIRMWARE
from mcugrad.image import read_code
from mcugrad.manifest import Manifest
from mcugrad.passes.layers import layers
from mcugrad.passes.training import Gradients, Precision, TrainingOptions
from mcugrad.profiling.calls import Entry

MODEL = BACKBONES / "mcunet-5fps_int8.tflite"
_SHOWN = 25  # functions
SHARES = {24: 0.25, 27: 0.5, 30: 0.5}


def scheme(model: Path = MODEL, biases: int = 20, shares: Mapping[int, float] = SHARES) -> str:
    """A scheme as a file for ``--update``: the head, the last biases, shares of weights.

    ``shares`` are those of the input channels, by the number of the convolution.
    """
    *convolutions, head = layers(prepare(import_model(model)))
    rows = [f'"{layer.bias}" = true' for layer in convolutions[-biases:]]
    rows += [f'"{convolutions[i].weight}" = {float(share)}' for i, share in shares.items()]
    rows += [f'"{head.weight}" = true', f'"{head.bias}" = true']
    return "\n".join(["[update]", *rows, ""])


def compiled(gradients: Gradients, target: str, portable: bool, folder: Path) -> Manifest:
    """The model for a target, in ``folder / "out"``."""
    path = folder / "49kb.toml"
    path.write_text(scheme(), encoding="utf-8")
    options = TrainingOptions(classes=10, precision=Precision.INT8, gradients=gradients)
    request = Request(MODEL, target, str(path), options, portable=portable)
    return compile_model(request, folder / "out")


def functions(gradients: Gradients, target: str, portable: bool) -> list[tuple[str, str, str]]:
    """Those in which a step spends most instructions: name, instructions and share."""
    with tempfile.TemporaryDirectory() as name:
        out = Path(name) / "out"
        manifest = compiled(gradients, target, portable, Path(name))
        code = read_code(out / FIRMWARE)
        ends = [code.functions[n] for n in (Entry.STEP, "mg_port_count")]
        marks = [range(f.start, f.start + 1) for f in ends]
        taken: Counter[str] = Counter()
        for segment in step_of(manifest, out, code, marks, 0):
            for block, runs in segment.blocks.items():
                where = (n for n, f in code.functions.items() if block.address in f)
                taken[next(where, "others")] += block.instructions * runs.count
    whole = taken.total()
    most = taken.most_common(_SHOWN)
    return [(name, str(count), f"{100 * count / whole:.2f} %") for name, count in most]


def measured(gradients: Gradients, target: str, portable: bool) -> list[str]:
    """The column of one arithmetic of the backward pass, in the order of ``ROWS``."""
    with tempfile.TemporaryDirectory() as name:
        manifest = compiled(gradients, target, portable, Path(name))
        sample = random_samples(manifest, 1, 0)
        with open_device("emulator", Path(name) / "out") as device:
            device.infer(sample.x[0])
            device.train_step(sample.x[0], sample.y[0])
            counted = device.statistics()
    sram, flash = manifest.sram, manifest.flash
    values = sram["arena"], sram["lower_bound"], sram["total"], counted.stack_used, flash["total"]
    return [str(v) for v in (*values, counted.infer, counted.step)]


ROWS = (
    "arena, bytes",
    "its lower bound, bytes",
    "SRAM with the stack's reserve, bytes",
    "stack used, bytes",
    "flash, bytes",
    "instructions, inference",
    "instructions, training step",
)


def main() -> None:
    """Prints what it takes, with float and with integer gradients."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", default="cortex-m7")
    parser.add_argument("--portable", action="store_true", help="with portable kernels alone")
    parser.add_argument("--functions", action="store_true", help="with integer gradients")
    args = parser.parse_args()
    require_data()
    if args.functions:
        rows = functions(Gradients.S16, args.target, args.portable)
        print(table(("function", "instructions", "share of the step"), rows))
        return
    columns = [measured(gradients, args.target, args.portable) for gradients in Gradients]
    values = list(zip(ROWS, *columns, strict=True))
    kernels = ", portable kernels" if args.portable else ""
    print(table((f"MCUNet, 49kb scheme, {args.target}{kernels}", *Gradients), values))


if __name__ == "__main__":
    main()
