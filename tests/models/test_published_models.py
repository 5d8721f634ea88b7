"""Published models, compiled: int8 equal to LiteRT, learning, and parity over many steps.

The benchmarks measure the same on more samples and print tables.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from benchmarks.datasets import MODELS

from mcugrad.compiler import GRAPH, Request, compile_model
from mcugrad.data import Data, random_samples
from mcugrad.devices import open_device
from mcugrad.fit import accuracy, fit
from mcugrad.golden.interpreter import Trainer
from mcugrad.ir.serial import load_training_graph
from mcugrad.parity import compare, report
from mcugrad.passes.training import Precision, TrainingOptions
from mcugrad.targets import targets

pytestmark = pytest.mark.usefixtures("data_folder")

needs_qemu = pytest.mark.skipif(
    shutil.which("qemu-system-arm") is None or shutil.which("qemu-system-riscv32") is None,
    reason="QEMU is not installed",
)

#: The targets with room for these models.
ROOMY = [name for name, t in targets().items() if t.ram_bytes is None or t.ram_bytes >= 128 << 10]


def differing_bytes(model: str, target: str, count: int) -> int:
    from benchmarks.models import LiteRT, running, samples

    judge = LiteRT(model)
    with running(model, target, "host" if target == "host" else "emulator") as device:
        return sum(int(np.sum(device.infer(x) != judge(x))) for x in samples(model, count))


@pytest.mark.parametrize("model", ["pretrainedResnet_quant", "kws_ref_model", "vww_96_int8"])
def test_int8_equals_litert_on_the_host(model: str) -> None:
    assert differing_bytes(model, "host", 40) == 0


@needs_qemu
@pytest.mark.emulator
@pytest.mark.parametrize("target", [t for t in ROOMY if t != "host"])
def test_int8_equals_litert_in_every_emulator(target: str) -> None:
    assert differing_bytes("kws_ref_model", target, 5) == 0


@pytest.mark.slow
@needs_qemu
@pytest.mark.emulator
@pytest.mark.parametrize("target", ROOMY)
@pytest.mark.parametrize("model", ["pretrainedResnet_quant", "kws_ref_model", "vww_96_int8"])
def test_int8_equals_litert_on_many_samples(model: str, target: str) -> None:
    assert differing_bytes(model, target, 200 if target == "host" else 20) == 0


@pytest.mark.slow
@needs_qemu
@pytest.mark.emulator
@pytest.mark.parametrize("target", ["cortex-m7", "rv32imfc"])
@pytest.mark.parametrize("model", ["kws_ref_model_float32.tflite", "pretrainedResnet.tflite"])
def test_parity_over_twenty_steps(model: str, target: str) -> None:
    from benchmarks.long_parity import images, keywords, run

    kws = model.startswith("kws")
    how = TrainingOptions(precision=Precision.F32, learning_rate=1e-3 if kws else 1e-6)
    found = run(model, keywords(20) if kws else images(20), how, target)
    assert found.ok, str(found)
    assert found.refused == 0
    assert found.steps == 20


@needs_qemu
@pytest.mark.emulator
@pytest.mark.parametrize(
    ("target", "precision"),
    [
        ("cortex-m55", Precision.F16),
        ("rv32-rvv", Precision.F16),
        ("rv32-rvv", Precision.F32),
    ],
)
def test_layers_that_do_not_learn_have_packed_weights(
    target: str, precision: Precision, tmp_path: Path
) -> None:
    model = MODELS / "kws_ref_model_float32.tflite"
    options = TrainingOptions(precision=precision)
    manifest = compile_model(Request(model, target, "bias:3", options), tmp_path / "out")
    convolutions = [c for c in manifest.calls if c.op in ("conv2d", "conv2d_bwd_data")]
    assert {c.op for c in convolutions} == {"conv2d", "conv2d_bwd_data"}
    assert [c.symbol for c in convolutions if not c.symbol.endswith("_packed")] == []
    golden = Trainer(load_training_graph(tmp_path / "out" / GRAPH))
    samples = random_samples(manifest, 2, 0)
    with open_device("emulator", tmp_path / "out") as device:
        pairs = list(zip(samples.x, samples.y, strict=True))
        found = report(list(compare(device, golden, manifest, pairs)))
    assert found.ok, str(found)


@needs_qemu
@pytest.mark.emulator
def test_a_step_takes_fewer_instructions_than_the_peers() -> None:
    """PULP-TrainLib: 211.2 M for ResNet8 and 33.5 M for the DS-CNN, all layers, on RV32."""
    from benchmarks.steps import counted

    for model, products, limit in (
        ("pretrainedResnet.tflite", 37_060_000, 75_000_000),
        ("kws_ref_model_float32.tflite", 7_650_000, 16_000_000),
    ):
        found = counted(model, "rv32imfc", "all")
        assert found.products == pytest.approx(products, rel=2e-3)
        assert found.step < limit


@needs_qemu
@pytest.mark.emulator
def test_vectors_of_half_take_a_step_in_few_instructions() -> None:
    """ResNet8, all layers, against 179 M of PULP-TrainLib with its packed half."""
    from benchmarks.steps import counted

    found = counted("pretrainedResnet.tflite", "rv32-rvv", "all", Precision.F16)
    assert found.step < 7_000_000


def taught(model: str, update: str, epochs: int, data: Data, folder: Path) -> tuple[float, float]:
    """Accuracy before and after learning ten classes on the host."""
    request = Request(MODELS / model, "host", update, TrainingOptions(classes=10))
    compile_model(request, folder / "out")
    with open_device("host", folder / "out") as device:
        before = accuracy(device, data.measured)
        fit(device, data.train, epochs, 0, lambda _done, _loss: None)
        return before, accuracy(device, data.measured)


def test_keywords_that_are_new_are_learned(tmp_path: Path) -> None:
    """Ten words, six or seven clips each, measured on speakers that were never heard."""
    from benchmarks.datasets import kws_new_words

    before, after = taught("kws_ref_model.tflite", "last:5", 40, kws_new_words()[0], tmp_path)
    assert before < 0.3
    assert after > 0.7


@pytest.mark.slow
def test_cifar10_is_learned_with_a_fresh_head(tmp_path: Path) -> None:
    from benchmarks.datasets import cifar10_int8

    before, after = taught(
        "pretrainedResnet_quant.tflite", "last:3", 3, cifar10_int8(2000, 2000), tmp_path
    )
    assert before < 0.3
    assert after >= 0.8


@needs_qemu
@pytest.mark.emulator
def test_a_model_wider_than_a_board_s_memories_learns_on_it(tmp_path: Path) -> None:
    """MobileNetV2-w0.35: a feature map of 192 KB, on a board whose two memories have 192 KB."""
    from benchmarks.arenas import INT8

    from mcugrad.compiler import GRAPH, Request, compile_model
    from mcugrad.data import random_samples
    from mcugrad.devices import open_device
    from mcugrad.golden.interpreter import Trainer
    from mcugrad.ir.serial import load_training_graph
    from mcugrad.parity import compare, report
    from mcugrad.passes.training import Precision, TrainingOptions

    options = TrainingOptions(classes=5, precision=Precision.INT8)
    request = Request(INT8["MobileNetV2-w0.35"], "stm32f405", "bias:10", options)
    manifest = compile_model(request, tmp_path / "out")
    assert all(region.arena > 0 for region in manifest.regions)
    data = random_samples(manifest, 1, 0)
    golden = Trainer(load_training_graph(tmp_path / "out" / GRAPH))
    with open_device("emulator", tmp_path / "out") as device:
        pairs = list(zip(data.x, data.y, strict=True))
        found = report(list(compare(device, golden, manifest, pairs)))
    assert found.ok, str(found)
