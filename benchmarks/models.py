"""int8 and float models against LiteRT: sizes, differing bytes, accuracy on the whole set.

Run: python -m benchmarks.models sizes | bytes [--emulators] | accuracy
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from benchmarks.datasets import MODELS, cifar10, flowers, int8_pixels, kws_test_set, require_data
from mcugrad.cli.console import table
from mcugrad.compiler import Request, compile_model
from mcugrad.devices import Device, open_device
from mcugrad.errors import DoesNotFitError
from mcugrad.ir.tensor import Array
from mcugrad.targets import targets

ALL = (
    "pretrainedResnet",
    "pretrainedResnet_quant",
    "kws_ref_model_float32",
    "kws_ref_model",
    "vww_96_float",
    "vww_96_int8",
)

INT8 = ("pretrainedResnet_quant", "kws_ref_model", "vww_96_int8")


def samples(model: str, count: int) -> Array:
    """Real samples of an int8 model, [N, 1, ...]."""
    if model == "kws_ref_model":
        return kws_test_set().x[:count]
    if model == "vww_96_int8":
        # Photographs: its own test set is not at hand.
        return int8_pixels(flowers("train")[0][:count, 16:112, 16:112])
    return int8_pixels(cifar10("test")[0][:count])


class LiteRT:
    """A model in LiteRT's reference interpreter."""

    def __init__(self, model: str) -> None:
        self._interpreter = Interpreter(
            str(MODELS / f"{model}.tflite"),
            num_threads=1,
            experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
        )
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._output = self._interpreter.get_output_details()[0]["index"]

    def __call__(self, x: Array) -> Array:
        """The flat output for one sample."""
        self._interpreter.set_tensor(self._input, x)
        self._interpreter.invoke()
        return np.asarray(self._interpreter.get_tensor(self._output)).reshape(-1)


@contextmanager
def running(model: str, target: str, where: str, update: str = "none") -> Iterator[Device]:
    """The compiled model on a device."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        compile_model(Request(MODELS / f"{model}.tflite", target, update), out)
        with open_device(where, out) as device:
            yield device


def sizes() -> None:
    """What every model takes on every target, with a learning head."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for model in ALL:
            for target in targets():
                request = Request(MODELS / f"{model}.tflite", target, "head")
                try:
                    manifest = compile_model(request, Path(folder) / "out")
                except DoesNotFitError as error:
                    rows.append((model, target, "", "", str(error).splitlines()[0]))
                    continue
                total = str(manifest.sram["total"]), str(manifest.flash["total"])
                rows.append((model, target, *total, ""))
    print(table(("model", "target", "SRAM", "flash", ""), rows))


def differing(emulators: bool) -> int:
    """Bytes that differ from LiteRT's: 200 samples on the host, 20 in each emulator."""
    rows = []
    for model in (
        m for m in ALL if m in ("pretrainedResnet_quant", "kws_ref_model", "vww_96_int8")
    ):
        judge = LiteRT(model)
        inputs = samples(model, 200)
        expected = [judge(x) for x in inputs]
        for target in targets() if emulators else ("host",):
            where, count = ("host", 200) if target == "host" else ("emulator", 20)
            try:
                with running(model, target, where) as device:
                    pairs = zip(inputs[:count], expected, strict=False)
                    wrong = sum(int(np.sum(device.infer(x) != y)) for x, y in pairs)
            except DoesNotFitError as error:
                rows.append((model, target, "0", "", str(error).splitlines()[0]))
                continue
            rows.append((model, target, str(count), str(wrong), ""))
    print(table(("model", "target", "samples", "differing bytes", ""), rows))
    return int(any(row[3] not in ("0", "") for row in rows))


def accuracy() -> int:
    """Top-1 on all 10,000 CIFAR-10 test images and all 1,000 keyword samples."""
    rows = []
    for model, labels in (
        ("pretrainedResnet_quant", cifar10("test")[1]),
        ("kws_ref_model", kws_test_set().y),
    ):
        judge = LiteRT(model)
        inputs = samples(model, len(labels))
        theirs = np.array([np.argmax(judge(x)) for x in inputs])
        with running(model, "host", "host") as device:
            ours = np.array([np.argmax(device.infer(x)) for x in inputs])
        shares = [f"{100 * np.mean(found == labels):.2f} %" for found in (ours, theirs)]
        rows.append((model, str(len(labels)), *shares, str(int(np.sum(ours != theirs)))))
    print(table(("model", "samples", "mcugrad", "LiteRT", "different answers"), rows))
    return int(any(row[4] != "0" for row in rows))


def main() -> int:
    """Runs what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("sizes", "bytes", "accuracy"))
    parser.add_argument("--emulators", action="store_true")
    options = parser.parse_args()
    require_data()
    if options.what == "sizes":
        sizes()
        return 0
    return differing(options.emulators) if options.what == "bytes" else accuracy()


if __name__ == "__main__":
    sys.exit(main())
