"""The example model: the file in git is good, and its script makes such a file."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mcugrad.compiler import import_model, prepare
from mcugrad.demo import example_model
from mcugrad.golden.interpreter import run
from mcugrad.resources import data_root

pytest.importorskip("sklearn", reason="scikit-learn, which brings the digits, is not installed")
interpreter = pytest.importorskip("ai_edge_litert.interpreter")


def test_the_file_in_git_knows_the_digits_and_litert_agrees() -> None:
    from mcugrad.digits import load_digits

    litert = interpreter.Interpreter(
        str(example_model()),
        experimental_op_resolver_type=interpreter.OpResolverType.BUILTIN_REF,
    )
    litert.allocate_tensors()
    graph = prepare(import_model(example_model()))
    source, sink = litert.get_input_details()[0], litert.get_output_details()[0]
    scale, zero_point = source["quantization"]
    data = load_digits().measured
    right = 0
    for index, (image, label) in enumerate(zip(data.x, data.y, strict=True)):
        stored = np.clip(np.round(image / scale) + zero_point, -128, 127).astype(np.int8)
        litert.set_tensor(source["index"], stored[np.newaxis])
        litert.invoke()
        answer = litert.get_tensor(sink["index"])
        right += int(np.argmax(answer) == label)
        if index < 50:
            ours = run(graph, {graph.inputs[0]: stored[np.newaxis]})[graph.outputs[0]]
            np.testing.assert_array_equal(ours, answer)
    assert right / len(data) > 0.98


def test_the_script_trains_and_quantises(tmp_path: Path) -> None:
    pytest.importorskip("autograd")
    out = tmp_path / "digits.tflite"
    script = data_root() / "examples" / "digits" / "train.py"
    done = subprocess.run(
        [sys.executable, script, "--epochs", "4", "-o", out],
        check=True,
        capture_output=True,
        text=True,
    )
    accuracy = {
        kind: float(share) for kind, share in re.findall(r"(float|int8) +(\S+)", done.stdout)
    }
    assert accuracy["float"] > 0.8
    assert abs(accuracy["float"] - accuracy["int8"]) < 0.03
    assert [n.op for n in import_model(out).nodes] == [
        n.op for n in import_model(example_model()).nodes
    ]
