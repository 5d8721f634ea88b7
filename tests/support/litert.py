"""LiteRT's reference kernels, the judge of the forward pass."""

from __future__ import annotations

from collections.abc import Sequence

from ai_edge_litert.interpreter import Interpreter, OpResolverType

from mcugrad.ir.tensor import Array


class LiteRT:
    """A model in LiteRT's reference interpreter."""

    def __init__(self, content: bytes, keep: bool = False) -> None:
        self._interpreter = Interpreter(
            model_content=content,
            num_threads=1,
            experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
            experimental_preserve_all_tensors=keep,
        )
        self._interpreter.allocate_tensors()
        self._inputs = [d["index"] for d in self._interpreter.get_input_details()]
        self._outputs = [d["index"] for d in self._interpreter.get_output_details()]

    def run(self, inputs: Sequence[Array]) -> list[Array]:
        """The outputs for these inputs, in the model's order."""
        for index, value in zip(self._inputs, inputs, strict=True):
            self._interpreter.set_tensor(index, value)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(i) for i in self._outputs]

    def tensors(self) -> dict[str, Array]:
        """Every tensor of the last run by name, if they were to be kept."""
        found = {}
        for detail in self._interpreter.get_tensor_details():
            try:
                found[detail["name"]] = self._interpreter.get_tensor(detail["index"])
            except ValueError:  # a tensor that this run did not use
                continue
        return found
