"""The generated C: the same everywhere, formatted, and clean under strict warnings."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from mcugrad.codegen.c_text import comment, identifier, number, weights
from mcugrad.codegen.emit import emit
from mcugrad.ir.tensor import DType
from mcugrad.passes.training import Gradients, Precision, TrainingOptions
from mcugrad.resources import data_root
from tests.plan.test_plan import plan_of
from tests.support.networks import random_network, residual_network
from tests.support.quantised import quantised

WARNINGS = ("-std=c11", "-Wall", "-Wextra", "-Werror", "-Wconversion", "-c")


def sources(seed: int = 0) -> Mapping[str, str]:
    graph = residual_network() if seed == 0 else random_network(seed)
    options = TrainingOptions(batch=2, momentum=0.9) if seed % 2 else TrainingOptions()
    return emit(plan_of(graph, options=options), "a model */ of ours", cores=1).files


def written(folder: Path, seed: int) -> Path:
    for name, text in sources(seed).items():
        (folder / name).write_text(text, encoding="ascii")
    return folder


def compilers() -> list[list[str]]:
    found = [[sys.executable, "-m", "ziglang", "cc"]]
    if shutil.which("gcc"):
        found.append(["gcc"])
    return found


@pytest.mark.parametrize("compiler", compilers(), ids=lambda c: c[-1])
@pytest.mark.parametrize("seed", range(3))
def test_compiles_without_a_warning(seed: int, compiler: list[str], tmp_path: Path) -> None:
    written(tmp_path, seed)
    include = data_root() / "runtime" / "include"
    result = ["-o", str(tmp_path / "model.o")]
    command = [*compiler, *WARNINGS, f"-I{include}", str(tmp_path / "model.c"), *result]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("seed", range(4))
def test_is_formatted(seed: int, tmp_path: Path) -> None:
    formatter = shutil.which("clang-format", path=str(Path(sys.executable).parent))
    if formatter is None:
        pytest.skip("clang-format is not installed")
    written(tmp_path, seed)
    shutil.copy(data_root() / ".clang-format", tmp_path)
    files = sorted(str(p) for p in tmp_path.glob("*.[ch]"))
    done = subprocess.run(
        [formatter, "--dry-run", "--Werror", *files], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_layer_has_one_table_of_multipliers() -> None:
    graph = residual_network()
    x = np.random.default_rng(0).normal(size=graph.tensors["x"].shape)
    int8 = quantised(graph, [x.astype(np.float32)])
    for gradients in Gradients:
        options = TrainingOptions(precision=Precision.INT8, gradients=gradients)
        plan = plan_of(int8, options=options)
        tables = emit(plan, "", cores=1).files["model.c"].count("const int32_t c")
        scaled = {"conv2d", "depthwise_conv2d"}
        layers = sum(c.op in scaled for c in plan.schedule.calls)
        # The head's sums are rounded otherwise: its weight and bias have tables of their own.
        assert layers <= tables <= layers + 2


def test_is_byte_identical_whatever_the_hash_seed() -> None:
    program = (
        "import hashlib; from tests.codegen.test_codegen import sources;"
        "print(hashlib.sha256(repr(sorted(sources(5).items())).encode()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    here = hashlib.sha256(repr(sorted(sources(5).items())).encode()).hexdigest()
    assert digests == {here}


def test_a_name_cannot_break_out_of_a_comment() -> None:
    assert "*/ of" not in sources()["model.c"]
    assert "*/" not in comment("evil */ int main; /*")


def test_float_literals_keep_every_bit() -> None:
    values = np.random.default_rng(0).standard_normal(5000).astype(np.float32)
    edges = np.array([0, -0.0, 3.4e38], np.float32)
    values = np.concatenate([values, values * np.float32(1e-38), edges])
    text = " ".join(weights(values, DType.F32)).replace("f,", "").split()
    back = np.array([float(t.rstrip(",f")) for t in text], np.float32)
    assert back.tobytes() == values.tobytes()
    assert all(np.float32(number(float(v)).rstrip("f")) == v for v in values)


def test_identifiers_are_short_and_valid() -> None:
    name = identifier("a/b:0;" * 40 + "conv 2d/Kernel")
    assert f"w_{name}".isidentifier()
    assert name.endswith("conv_2d_Kernel")
    assert len(name) <= 40
