"""Argument types and groups that several verbs share."""

from __future__ import annotations

import argparse
import re
from math import isfinite
from pathlib import Path

_UNITS = {"": 1, "k": 1024, "m": 1024 * 1024}


def byte_size(text: str) -> int:
    """A number of bytes: 262144, 256K or 1M."""
    match = re.fullmatch(r"(\d+)([kKmM]?)[bB]?", text)
    if match is None or int(match[1]) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 262144, 256K or 1M")
    return int(match[1]) * _UNITS[match[2].lower()]


def positive_int(text: str) -> int:
    """A whole number of at least one."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def seed(text: str) -> int:
    """A whole number of at least zero."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 0")
    return int(text)


def rate(text: str) -> float:
    """A finite number of at least zero."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not isfinite(value) or value < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of at least 0")
    return value


def add_compiled(parser: argparse.ArgumentParser) -> None:
    """The compiled folder."""
    parser.add_argument("dir", type=Path, metavar="DIR", help="a folder made by 'compile'")


def add_where(parser: argparse.ArgumentParser) -> None:
    """Where the model is to run."""
    parser.add_argument(
        "--on",
        default="host",
        metavar="host|emulator|PORT",
        help="this computer, the target's emulator, or a serial port or URL (default: host)",
    )


def add_weights(parser: argparse.ArgumentParser) -> None:
    """What an earlier run saved."""
    parser.add_argument(
        "--weights", type=Path, metavar="W.npz", help="start from what 'train --save' wrote"
    )


def add_data(parser: argparse.ArgumentParser) -> None:
    """The data file."""
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="D.npz",
        help="arrays x and y, and x_test and y_test to measure on",
    )
