"""Every case of every operator in C, against the operator's reference."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mcugrad.build import kernel_library
from mcugrad.resources import data_root
from tests.kernels.call import Kernels, has_kernel
from tests.ops.case import Case
from tests.ops.cases import all_types

CASES = [case for case in all_types() if has_kernel(case)]


@pytest.fixture(scope="module")
def kernels() -> Kernels:
    return Kernels(kernel_library())


@pytest.mark.parametrize("case", CASES, ids=str)
def test_kernel_equals_reference(kernels: Kernels, case: Case) -> None:
    kernels.check(case)


@pytest.mark.timeout(2400)  # minutes, and more on a busy machine
def test_no_access_or_behaviour_outside_the_language(tmp_path: Path) -> None:
    """The same with GCC, its address and undefined-behaviour sanitizers, and exact buffers."""
    gcc = shutil.which("gcc")
    if gcc is None:
        pytest.skip("gcc is not installed, and only it brings a sanitizer for shared libraries")
    sources = sorted((data_root() / "runtime" / "kernels").glob("*/*.c"))
    includes = [f"-I{data_root() / 'runtime' / d}" for d in ("include", "kernels/portable")]
    library = tmp_path / "libkernels.so"
    flags = ["-std=c11", "-O1", "-g", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror"]
    sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    subprocess.run(
        [gcc, *flags, *sanitizers, *includes, *map(str, sources), "-o", str(library), "-lm"],
        check=True,
    )
    runtime = subprocess.run(
        [gcc, "-print-file-name=libasan.so"], check=True, capture_output=True, text=True
    ).stdout.strip()
    ran = subprocess.run(
        [sys.executable, "-m", "tests.kernels.worker", str(library)],
        cwd=Path(__file__).parents[2],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
            "LD_PRELOAD": runtime,
            "ASAN_OPTIONS": "detect_leaks=0",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    last = ran.stdout.splitlines()[-1:]
    assert last == ["done"], f"after {last}:\n{ran.stderr}"
