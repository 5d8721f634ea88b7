#!/usr/bin/env python3
"""Runs the commands of a Markdown file as written: every block fenced as ``sh``, in order.

Usage: tools/readme.py README.md [--skip COMMAND ...]. Ends with the first command that fails.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path


def commands(text: str) -> list[str]:
    """The commands of all ``sh`` blocks; a backslash at a line's end joins it with the next."""
    found = []
    for block in re.findall(r"^```sh\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL):
        joined = block.replace("\\\n", " ")
        found += [re.sub(r"\s+", " ", c).strip() for c in joined.splitlines() if c.strip()]
    return found


def main() -> int:
    """Runs them and returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--skip", action="append", default=[], help="was run already")
    options = parser.parse_args()
    wanted = commands(options.file.read_text(encoding="utf-8"))
    if not wanted:
        print(f"{options.file} holds no commands", file=sys.stderr)
        return 1
    for command in wanted:
        if command in options.skip:
            continue
        print(f"$ {command}", flush=True)
        done = subprocess.run(command, shell=True, stdin=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            print(f"{options.file}: {command!r} exited with {done.returncode}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
