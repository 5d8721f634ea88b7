"""The command line: one module a verb. Nothing outside this package prints.

The verbs' modules are imported only when they run, and each imports what is heavy only
inside ``run``, so that ``--help`` is quick.
"""

from __future__ import annotations

import argparse
import signal
import sys
from importlib import import_module
from types import FrameType
from typing import NoReturn

from mcugrad import __version__
from mcugrad.cli.console import Console
from mcugrad.errors import McugradError, UsageError

VERBS = {
    "compile": "compile a model into firmware that learns",
    "train": "train a compiled model on the host, in an emulator or on a board",
    "eval": "measure the accuracy of a compiled model",
    "parity": "compare a device with the golden model, tensor by tensor",
    "emulate": "boot the firmware in an emulator and take one step",
    "profile": "count what each operator costs, in the target's emulator",
    "flash": "program a board with the firmware",
    "targets": "list the targets",
    "ops": "list the supported operators",
    "doctor": "say what is missing on this computer",
    "demo": "teach a small model something new inside an emulated Cortex-M4",
}

_EPILOG = """exit codes: 0 done, 1 a check failed, 2 usage, 3 invalid or unsupported model,
4 does not fit, 5 a tool or device is missing; 129, 130, 143 ended by a signal"""


def _parser(verb: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mcugrad",
        description="Compiles a neural network into firmware that learns on a microcontroller.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"mcugrad {__version__}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name, summary in VERBS.items():
        sub = verbs.add_parser(name, help=summary, description=summary)
        sub.add_argument("--json", action="store_true", help="print one JSON object on stdout")
        sub.add_argument("-q", "--quiet", action="store_true", help="print results only")
        sub.add_argument("-v", "--verbose", action="store_true", help="say more on stderr")
        if name == verb:
            import_module(f"mcugrad.cli.{_module(name)}").configure(sub)
    return parser


def _module(verb: str) -> str:
    return f"{verb}_verb" if verb in ("compile", "eval") else verb  # those are built-in names


def _terminate(number: int, _frame: FrameType | None) -> NoReturn:
    """Ends as an exception does, so that emulators are stopped and folders removed."""
    raise SystemExit(128 + number)


def _end_tidily() -> None:
    """On SIGTERM, and on SIGHUP (a terminal that is closed) unless nohup has it ignored."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _terminate)


def main(argv: list[str] | None = None) -> int:
    """Runs one verb and returns the exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    verb = next((a for a in arguments if a in VERBS), None)
    options = _parser(verb).parse_args(arguments)
    _end_tidily()
    console = Console(json=options.json, quiet=options.quiet, verbose=options.verbose)
    try:
        code = import_module(f"mcugrad.cli.{_module(options.verb)}").run(options, console)
    except McugradError as error:
        console.error(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        console.error("interrupted")
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except OSError as error:  # a folder that cannot be written, a full disk
        console.error(f"{error.filename or 'the operating system'}: {error.strerror or error}")
        return UsageError.exit_code
    return int(code)
