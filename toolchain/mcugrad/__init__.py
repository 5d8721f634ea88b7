"""mcugrad compiles pretrained neural networks into firmware that keeps learning."""

__version__ = "0.1.0"
