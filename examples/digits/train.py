"""Trains the example network on handwritten digits and writes ``digits_int8.tflite``.

Run it from anywhere with ``python examples/digits/train.py``; see the README beside it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import autograd.numpy as anp
import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from autograd import grad
from network import Array, Parameters, forward, initial_parameters
from quantize import quantize

from mcugrad.data import Samples
from mcugrad.digits import load_digits

_MOMENTUM = 0.9
_PEAK_RATE = 0.05
_BATCH = 32


def cross_entropy(parameters: Parameters, x: Array, y: Array) -> Array:
    """The mean over a batch of the negative logarithm of the right class's probability."""
    scores = forward(parameters, x)["scores"]
    shifted = scores - anp.max(scores, axis=1, keepdims=True)
    total = anp.log(anp.sum(anp.exp(shifted), axis=1))
    return anp.mean(total - shifted[anp.arange(len(y)), y])


def train(data: Samples, epochs: int, seed: int) -> Parameters:
    """Stochastic gradient descent with momentum; the rate falls along a cosine to zero."""
    rng = np.random.default_rng(seed)
    parameters = initial_parameters(seed)
    velocity = {name: np.zeros_like(value) for name, value in parameters.items()}
    gradient = grad(cross_entropy)
    for epoch in range(epochs):
        rate = _PEAK_RATE * (1 + np.cos(np.pi * epoch / epochs)) / 2
        order = rng.permutation(len(data))
        for batch in np.array_split(order, len(data) // _BATCH):
            slopes = gradient(parameters, data.x[batch], data.y[batch])
            for name, slope in slopes.items():
                velocity[name] = _MOMENTUM * velocity[name] + slope
                parameters[name] = parameters[name] - rate * velocity[name]
        print(f"epoch {epoch + 1:2}: loss {cross_entropy(parameters, data.x, data.y):.4f}")
    return parameters


def float_accuracy(parameters: Parameters, data: Samples) -> float:
    """The share of images that the network classifies rightly."""
    scores = forward(parameters, data.x)["scores"]
    return float(np.mean(np.argmax(scores, axis=1) == data.y))


def int8_accuracy(model: bytes, data: Samples) -> float:
    """The same, as LiteRT's reference kernels run the file."""
    interpreter = Interpreter(
        model_content=model, experimental_op_resolver_type=OpResolverType.BUILTIN_REF
    )
    interpreter.allocate_tensors()
    source, sink = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    scale, zero_point = source["quantization"]
    right = 0
    for image, label in zip(data.x, data.y, strict=True):
        stored = np.clip(np.round(image / scale) + zero_point, -128, 127).astype(np.int8)
        interpreter.set_tensor(source["index"], stored[np.newaxis])
        interpreter.invoke()
        right += int(np.argmax(interpreter.get_tensor(sink["index"])) == label)
    return right / len(data)


def main() -> None:
    """Trains, quantises, measures, writes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "-o", "--out", type=Path, default=Path(__file__).with_name("digits_int8.tflite")
    )
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    digits = load_digits()
    parameters = train(digits.train, options.epochs, options.seed)
    model = quantize(parameters, digits.train.x)
    print(f"parameters           {sum(value.size for value in parameters.values())}")
    print(f"accuracy, float      {float_accuracy(parameters, digits.measured):.4f}")
    print(f"accuracy, int8       {int8_accuracy(model, digits.measured):.4f}")
    options.out.write_bytes(model)
    print(f"{options.out}: {len(model)} bytes")


if __name__ == "__main__":
    main()
