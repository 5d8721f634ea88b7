"""``mcugrad compile``: a model file becomes a folder with C sources and firmware."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcugrad.cli.console import Console, table
from mcugrad.cli.options import byte_size, positive_int, rate, seed
from mcugrad.errors import UsageError

if TYPE_CHECKING:
    from mcugrad.compiler import Request
    from mcugrad.manifest import Manifest, RegionUse

_STAGES = ("import", "fold", "train", "plan")


def configure(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    parser.add_argument("model", type=Path, metavar="MODEL", help="a .tflite file")
    parser.add_argument("--target", required=True, metavar="NAME", help="see 'mcugrad targets'")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="DIR", help="the result")
    parser.add_argument(
        "--update",
        default="head",
        metavar="SPEC",
        help="what learns: none, head, bias:N, last:N, all, auto, or a .toml file (default: head)",
    )
    auto = parser.add_argument_group("--update auto", "finds the scheme that gains most in --sram")
    auto.add_argument(
        "--data", type=Path, metavar="D.npz", help="samples to find it with: arrays x and y"
    )
    auto.add_argument(
        "--instructions", type=positive_int, metavar="N", help="limit of a training step"
    )
    auto.add_argument(
        "--analysis",
        choices=("fisher", "accuracy"),
        help="of what tensors are worth: gradients, or short fine-tunings (default: fisher)",
    )
    parser.add_argument("--classes", type=positive_int, metavar="N", help="give it a new head")
    parser.add_argument(
        "--precision",
        choices=("f32", "f16", "int8"),
        default="f32",
        help="of what learns; int8 is for int8 models (default: f32)",
    )
    parser.add_argument(
        "--gradients",
        choices=("f32", "s16"),
        default="f32",
        help="arithmetic of the backward pass behind --precision int8 (default: f32)",
    )
    parser.add_argument(
        "--qas",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="quantisation-aware scaling of the gradients of int8 weights (default: yes)",
    )
    parser.add_argument("--loss", choices=("cross-entropy", "mse"), default="cross-entropy")
    parser.add_argument("--batch", type=positive_int, default=1, help="samples an update")
    parser.add_argument("--lr", type=rate, default=0.01, help="learning rate (default: 0.01)")
    parser.add_argument("--momentum", type=rate, default=0.0, help="0 spares its memory")
    parser.add_argument("--weight-decay", type=rate, default=0.0)
    parser.add_argument("--seed", type=seed, default=0, help="of the new head's weights")
    parser.add_argument("--sram", type=byte_size, metavar="BYTES", help="limit, such as 256K")
    parser.add_argument("--flash", type=byte_size, metavar="BYTES", help="limit, such as 1M")
    parser.add_argument("--stack", type=byte_size, default=4096, metavar="BYTES", help="reserve")
    parser.add_argument("--toolchain", choices=("zig", "gnu"), default="zig")
    parser.add_argument(
        "--dump-after", choices=_STAGES, metavar="STAGE", help=f"print it: {', '.join(_STAGES)}"
    )


def run(options: argparse.Namespace, console: Console) -> int:
    """Compiles, and reports what the result takes."""
    from mcugrad.compiler import compile_model

    def dump(stage: str, text: str) -> None:
        if stage == options.dump_after:
            console.note(text)

    request = _request(options)
    if options.update == "auto":
        return _run_auto(request, options, console, dump)
    for name in ("data", "instructions", "analysis"):
        if getattr(options, name) is not None:
            raise UsageError(f"--{name} goes with --update auto only")
    manifest = compile_model(request, options.out, dump)
    console.result(_document(options.out, manifest), _text(options.out, manifest))
    return 0


def _run_auto(
    request: Request,
    options: argparse.Namespace,
    console: Console,
    dump: Callable[[str, str], None],
) -> int:
    from mcugrad.compiler import SCHEME
    from mcugrad.search.analysis import Analysis
    from mcugrad.search.auto import Wish, compile_auto
    from mcugrad.search.table import rows_text

    for name in ("data", "sram"):
        if getattr(options, name) is None:
            raise UsageError(f"--update auto needs --{name}")
    analysis = Analysis(options.analysis or Analysis.FISHER)
    wish = Wish(options.data, options.instructions, analysis)
    manifest, found = compile_auto(request, wish, options.out, console, dump)
    choice = found.choice
    document = _document(options.out, manifest) | {
        "search": {
            "analysis": analysis,
            "gain": choice.gain,
            "unit": found.unit,
            "instructions": choice.taken.instructions,
            "counted_on": found.counted_on,
            "best": choice.proven,
            "plans": found.plans,
            "table": [asdict(row) for row in found.rows],
        }
    }
    said = (
        f"{options.out / SCHEME}: expected gain {choice.gain:.2f} {found.unit}, "
        f"about {choice.taken.instructions:,.0f} instructions a step"
    )
    table = "\n".join(rows_text(found.rows, found.unit))
    console.result(document, "\n\n".join([_text(options.out, manifest), said, table]))
    return 0


def _document(out: Path, manifest: Manifest) -> dict[str, Any]:
    return {
        "out": str(out),
        "target": manifest.target,
        "update": manifest.update,
        "classes": manifest.classes,
        "learning": manifest.learning,
        "sram": manifest.sram,
        "regions": [asdict(r) for r in manifest.regions],
        "flash": manifest.flash,
    }


def _request(options: argparse.Namespace) -> Request:
    from mcugrad.compiler import Request
    from mcugrad.passes.training import Gradients, Loss, Precision, TrainingOptions

    return Request(
        model=options.model,
        target=options.target,
        update=options.update,
        training=TrainingOptions(
            classes=options.classes,
            precision=Precision(options.precision),
            gradients=Gradients(options.gradients),
            qas=options.qas,
            loss=Loss(options.loss),
            batch=options.batch,
            learning_rate=options.lr,
            momentum=options.momentum,
            weight_decay=options.weight_decay,
            seed=options.seed,
        ),
        sram=options.sram,
        flash=options.flash,
        stack=options.stack,
        toolchain=options.toolchain,
    )


def _text(out: Path, manifest: Manifest) -> str:
    return f"{out}: {manifest.model} for {manifest.target}\n" + memory_table(manifest)


def memory_table(manifest: Manifest, stack_used: int | None = None) -> str:
    """What a compiled model takes; ``stack_used`` is the high-water mark, where measured."""
    sram, flash = manifest.sram, manifest.flash
    reserve = "reserve" if stack_used is None else f"reserve, {stack_used} used"
    rows = [
        ("SRAM", "arena", str(sram["arena"]), f"lower bound {sram['lower_bound']}"),
        ("", "parameters", str(sram["parameters"]), f"{len(manifest.learning)} tensors learn"),
        ("", "static", str(sram["static"]), ""),
        ("", "stack", str(sram["stack"]), reserve),
        ("", "total", str(sram["total"]), ""),
        *(_region_row(r) for r in manifest.regions if len(manifest.regions) > 1),
        ("flash", "weights", str(flash["weights"]), ""),
        ("", "code", str(flash["code"]), ""),
        ("", "total", str(flash["total"]), ""),
    ]
    return table(("memory", "part", "bytes", ""), rows)


def _region_row(use: RegionUse) -> tuple[str, str, str, str]:
    taken = use.arena + use.parameters + use.static + use.stack
    return "", f"in {use.name}", str(taken), f"of {use.size}, arena {use.arena}"
