"""The arena beside its lower bound, for real models under schemes of every size.

The last column is the arena once all wide feature maps at the peak are split.

Run: python -m benchmarks.arenas
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.datasets import FOLDER, MODELS, require_data
from mcugrad.cli.console import table
from mcugrad.compiler import import_model, plan_training, prepare
from mcugrad.passes.layers import layers
from mcugrad.passes.scheme import resolve_scheme
from mcugrad.passes.training import Precision, TrainingOptions, training_graph
from mcugrad.plan.narrow import Narrowed, narrow
from mcugrad.plan.place import Region, place
from mcugrad.targets import find_target

INT8 = {
    "KWS": MODELS / "kws_ref_model.tflite",
    "ResNet8": MODELS / "pretrainedResnet_quant.tflite",
    "VWW": MODELS / "vww_96_int8.tflite",
    "MobileNetV2-w0.35": FOLDER / "tte_backbones_tflite" / "mbv2-w0.35_int8.tflite",
    "MCUNet": FOLDER / "tte_backbones_tflite" / "mcunet-5fps_int8.tflite",
}
NOTHING = (Region("none", 0),)  # in which nothing fits
SCHEMES = ("head", "last:3", "last:10", "bias:10", "bias:20", "all")


def rows() -> Iterator[tuple[str, ...]]:
    """One row a model and scheme: arena, lower bound, what lies between, state; in bytes."""
    target = find_target("cortex-m7")
    for model, path in INT8.items():
        graph = prepare(import_model(path))
        for update in SCHEMES:
            if int(update.partition(":")[2] or 0) > len(layers(graph)):
                continue
            options = TrainingOptions(classes=10, precision=Precision.INT8)
            training = training_graph(graph, resolve_scheme(graph, update), options)
            plan = plan_training(training, target)
            least = narrow(
                Narrowed(training, place(plan.program, plan.schedule, NOTHING)),
                lambda narrower: plan_training(narrower, target, NOTHING),
            )
            bound = plan.schedule.lower_bound
            peak = plan.schedule.calls[plan.schedule.peak_step]
            sizes = (plan.arena_bytes, bound, plan.arena_bytes - bound, plan.state_bytes)
            split = str(least.plan.arena_bytes) if least.splits else ""
            yield (model, update, *map(str, sizes), f"{peak.op} of {peak.phase}", split)


def main() -> None:
    """Prints the table."""
    require_data()
    head = ("model, int8", "update", "arena", "lower bound", "over", "parameters", "peak", "split")
    print(table(head, list(rows())))


if __name__ == "__main__":
    main()
