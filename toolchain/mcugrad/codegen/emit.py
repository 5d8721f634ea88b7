"""Straight-line C from a memory plan: model.h, model.c, weights.h."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from mcugrad.codegen.c_text import (
    C_TYPES,
    MG_TYPES,
    array,
    comment,
    identifier,
    number,
    weights,
)
from mcugrad.ir.graph import Phase
from mcugrad.ir.tensor import DType, Storage, Tensor
from mcugrad.lower.program import KernelCall, Program
from mcugrad.ops.base import CArray, CStruct, CValue
from mcugrad.plan.order import aligned
from mcugrad.plan.place import MemoryPlan, Place

#: ``MG_RUNTIME_VERSION`` of the runtime that the generated code is written for.
RUNTIME_VERSION = 2


@dataclass(frozen=True)
class TableEntry:
    """A tensor that can be named over a link; its position in the table is its number."""

    name: str
    place: Place
    tensor: Tensor
    writable: bool


def tensor_table(plan: MemoryPlan) -> list[TableEntry]:
    """State first, then sample and loss, then every traced gradient."""
    program = plan.program
    state = [n for n, t in program.tensors.items() if t.storage is Storage.STATE]
    names = dict.fromkeys((*state, *program.inputs, *program.outputs, *program.traced))
    entries = []
    for name in names:
        place = plan.place_of(name)
        if place is not None:
            tensor = program.tensors[name]
            entries.append(TableEntry(name, place, tensor, tensor.storage is Storage.STATE))
    return entries


@dataclass
class _Emitter:
    plan: MemoryPlan
    cores: int
    constants: dict[str, str] = field(default_factory=dict)  # tensor -> C name
    weights: list[dict[str, Any]] = field(default_factory=list)
    structs: list[dict[str, Any]] = field(default_factory=list)
    _known: dict[Any, str] = field(
        default_factory=dict
    )  # text of a structure or array -> its C name
    _taken: set[str] = field(default_factory=set)

    def constant(self, name: str) -> str:
        """The C array that holds a tensor's constant or initial content."""
        if name not in self.constants:
            tensor = self.plan.program.tensors[name]
            cname = self._unique(f"w_{identifier(name)}")
            self.constants[name] = cname
            self.weights.append(
                {
                    "ctype": C_TYPES[tensor.dtype],
                    # Kernels load two halves at a time.
                    "alignment": "_Alignas(4) " if tensor.dtype is DType.F16 else "",
                    "name": cname,
                    "size": tensor.size,
                    "rows": weights(tensor.initial(), tensor.dtype),
                    "comment": comment(f"{name} {list(tensor.shape)}"),
                }
            )
        return self.constants[name]

    def struct(self, value: CStruct, hint: str) -> str:
        """The C name of a parameter structure; equal ones are written once."""
        rows = self._rows(value, hint)
        key = (value.ctype, tuple(rows))
        if key not in self._known:
            self._known[key] = self._unique(hint)
            self.structs.append(
                {"ctype": value.ctype, "name": self._known[key], "fields": rows, "rows": None}
            )
        return self._known[key]

    def _rows(self, value: CStruct, hint: str) -> list[str]:
        fields = value.fields.items()
        return [f".{name} = {self._field(item, f'{hint}_{name}')}" for name, item in fields]

    def _field(self, item: CValue, hint: str) -> str:
        if isinstance(item, CStruct):
            return "{" + ", ".join(self._rows(item, hint)) + "}"
        if isinstance(item, tuple):
            return "{" + ", ".join(number(v) for v in item) + "}"
        if not isinstance(item, CArray):
            return number(item)
        rows = array(item.values, item.dtype)
        key = (item.dtype, tuple(rows))
        if key not in self._known:
            self._known[key] = self._unique(hint)
            self.structs.append(
                {
                    "ctype": item.dtype,
                    "name": self._known[key],
                    "size": len(item.values),
                    "fields": None,
                    "rows": rows,
                }
            )
        return self._known[key]

    def _unique(self, name: str) -> str:
        base, k = name, 2
        while name in self._taken:
            name, k = f"{base}_{k}", k + 1
        self._taken.add(name)
        return name

    def call(self, step: int, call: KernelCall) -> dict[str, Any]:
        """What the template needs to write one call."""
        arguments = []
        if call.scratch:
            start = address(self.plan.places[f"scratch:{call.name}"])
            each = call.scratch // self.cores
            own = f" + {each} * mg_core()" if self.cores > 1 and call.shared else ""
            arguments.append(f"SCRATCH({start}{own})")
        for value, kind in ((call.params, "params"), (call.quant, "quant")):
            if value is not None:
                arguments.append(f"&{self.struct(value, f'c{step}_{kind}')}")
        arguments += [self._argument(n) for n in (*call.inputs, *call.outputs)]
        table = {e.name: i for i, e in enumerate(tensor_table(self.plan))}
        guards = []
        if call.phase is Phase.KEEP:
            guards.append("model->learning")
        if self.cores > 1 and not call.shared:
            guards.append("mg_core() == 0")
        return {
            "comment": comment(
                f"{call.op} {call.name}" + (f", {call.products} products" if call.products else "")
            ),
            "symbol": call.symbol,
            "guard": " && ".join(guards),
            "lines": _filled(call.symbol, arguments, 8 if guards else 4),
            "traces": [table[n] for n in call.outputs if n in self.plan.program.traced],
            "loss": self.plan.program.outputs[1] in call.outputs,
            "checked": _spans(self.plan, self.gradients(call)),
        }

    def initial(self, name: str) -> list[str]:
        """The statement that gives a STATE its initial content."""
        tensor, start = self.plan.program.tensors[name], address(self.plan.places[name])
        call = self.plan.program.starts.get(name)
        if call is None:
            arguments = [start, self.constant(name), str(tensor.nbytes)]
            return _filled("__builtin_memcpy", arguments, 4)
        inputs = [self._argument(n) for n in call.inputs]
        params = self.struct(call.params, f"{identifier(name)}_start")
        return _filled(call.symbol, [f"&{params}", *inputs, self._argument(name)], 4)

    def gradients(self, call: KernelCall) -> list[str]:
        """The float32 gradients that an update uses, which may not be finite.

        Those in half are looked through by operators, as they overflow now and then.
        """
        program = self.plan.program
        names = set(call.inputs).intersection(program.traced if call.phase is Phase.UPDATE else ())
        return [n for n in names if program.tensors[n].dtype is DType.F32]

    def _argument(self, name: str) -> str:
        if not name:
            return "NULL"
        tensor = self.plan.program.tensors[name]
        place = self.plan.place_of(name)
        if place is not None:
            return f"{tensor.dtype.upper()}({address(place)})"
        return self.constant(self.plan.program.root(name))


def address(place: Place) -> str:
    """The C text of a place."""
    return f"block{place.block} + {place.offset}"


def _filled(symbol: str, arguments: Sequence[str], margin: int) -> list[str]:
    """A call broken into lines as clang-format does: continued behind the parenthesis."""
    indent = margin + len(symbol) + 1
    lines = []
    line = " " * margin + symbol + "("
    for i, argument in enumerate(arguments):
        piece = argument + ("," if i + 1 < len(arguments) else ");")
        spaced = piece if line.endswith("(") or not line.strip() else f" {piece}"
        if len(line) + len(spaced) > 100:
            lines.append(line)
            line = " " * indent + piece
        else:
            line += spaced
    return [*lines, line]


@dataclass(frozen=True)
class Sources:
    """The generated files by name, and the number that names the model they are of."""

    files: Mapping[str, str]
    fingerprint: int


def emit(plan: MemoryPlan, model_name: str, cores: int) -> Sources:
    """The generated sources for a target of so many cores.

    The fingerprint is a CRC-32 of code and constants.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("mcugrad.codegen"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["comment"] = comment
    environment.filters["address"] = address
    context = _context(plan, model_name, cores)

    def rendered(name: str, fingerprint: int = 0) -> str:
        template = environment.get_template(f"{name}.j2")
        return template.render(context, fingerprint=f"0x{fingerprint:08x}u")

    files = {name: rendered(name) for name in ("model.h", "weights.h", "model.c")}
    fingerprint = crc32("".join(files.values()).encode())
    return Sources({**files, "model.c": rendered("model.c", fingerprint)}, fingerprint)


def _context(plan: MemoryPlan, model_name: str, cores: int) -> dict[str, Any]:
    program = plan.program
    emitter = _Emitter(plan, cores)
    calls = [(c.phase, emitter.call(i, c)) for i, c in enumerate(plan.schedule.calls)]
    training_end = {Phase.BACKWARD, Phase.UPDATE} if program.batch == 1 else {Phase.BACKWARD}
    functions = {
        "forward": [c for p, c in calls if p in (Phase.FORWARD, Phase.KEEP)],
        "output": [c for p, c in calls if p is Phase.OUTPUT],
        "backward": [c for p, c in calls if p in training_end],
        "update": [c for p, c in calls if p is Phase.UPDATE] if program.batch > 1 else [],
    }
    filled = [
        line
        for name, tensor in program.tensors.items()
        if tensor.storage is Storage.STATE and (tensor.data is not None or name in program.starts)
        for line in emitter.initial(name)
    ]
    sample, target = program.inputs
    prediction, loss = program.outputs
    lines = {name: [t for c in calls for t in c["lines"]] for name, calls in functions.items()}
    lines["reset"] = filled
    texts = [t for function in lines.values() for t in function]
    return {
        "model": comment(model_name),
        "runtime_version": RUNTIME_VERSION,
        "plan": plan,
        "cores": cores,
        "weights": emitter.weights,
        "structs": emitter.structs,
        "functions": functions,
        "accessors": [
            (d.upper(), C_TYPES[d]) for d in DType if any(f"{d.upper()}(" in t for t in texts)
        ],
        "headers": _kernel_headers(program),
        "scratch": any("SCRATCH(" in t for t in texts),
        "filled": filled,
        "cleared": _spans(plan, program.accumulators),
        "checked": _spans(plan, (n for c in program.calls for n in emitter.gradients(c))),
        "table": tensor_table(plan),
        "sample": program.tensors[sample],
        "target": program.tensors[target],
        "prediction": program.tensors[prediction],
        "place_of": {
            "input": plan.place_of(sample),
            "target": plan.place_of(target),
            "loss": plan.place_of(loss),
            "hyper": plan.place_of(program.hyper),
            "prediction": plan.place_of(prediction),
        },
        "used": {name: _used_blocks(plan, name, texts) for name, texts in lines.items()},
        "classes": class_count(plan),
        "types": MG_TYPES,
        "ctypes": C_TYPES,
    }


def _kernel_headers(program: Program) -> list[str]:
    """The headers of the kernels, those of some types only where there are tensors of them."""
    types = {t.dtype for t in program.tensors.values()}
    return ["mg_kernels.h", *(f"mg_kernels_{d}.h" for d in (DType.F16, DType.S16) if d in types)]


def _used_blocks(plan: MemoryPlan, function: str, texts: Sequence[str]) -> list[int]:
    """The blocks that a function's calls touch, and the prediction that output() copies."""
    numbers = {int(n) for text in texts for n in re.findall(r"\bblock(\d+) \+", text)}
    prediction = plan.place_of(plan.program.outputs[0])
    if function == "output" and prediction is not None:
        numbers.add(prediction.block)
    return sorted(numbers)


def _spans(plan: MemoryPlan, names: Iterable[str]) -> list[tuple[Place, int]]:
    """The places and bytes of tensors, of those that lie side by side in one piece."""
    spans: dict[Place, int] = {}
    start = end = None
    places = {place: n for n in names if (place := plan.place_of(n)) is not None}
    for place in sorted(places, key=lambda p: (p.block, p.offset)):
        size = aligned(plan.program.tensors[places[place]].nbytes)
        if start is None or place != end:
            start = place
        spans[start] = spans.get(start, 0) + size
        end = Place(place.block, place.offset + size)
    return list(spans.items())


def class_count(plan: MemoryPlan) -> int:
    """The number of classes where the target is a class index, else 0."""
    target = plan.program.tensors[plan.program.inputs[1]]
    prediction = plan.program.tensors[plan.program.outputs[0]]
    return prediction.size if target.dtype is DType.S32 else 0
