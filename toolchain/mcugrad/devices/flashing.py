"""Programs a board with the target's own tool."""

from __future__ import annotations

import subprocess
from pathlib import Path

from mcugrad.commands import find_command
from mcugrad.errors import DeviceError, UsageError
from mcugrad.targets import Target


def flash(target: Target, image: Path) -> str:
    """Writes ``image`` to the board and returns what the tool said.

    Raises:
        UsageError: the target has no tool, or there is no image.
        MissingToolError: the tool is not installed, or no board answers it.
    """
    tool = target.flasher
    if tool is None:
        raise UsageError(f"{target.name} is not a board that can be flashed")
    if not image.is_file():
        raise UsageError(f"there is no firmware {image}")
    command = find_command(tool.command[0], tool.package)
    arguments = [part.replace("{bin}", str(image)) for part in tool.command[1:]]
    done = subprocess.run(
        [command, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    said = done.stdout.strip()
    if done.returncode != 0:
        raise DeviceError(f"{tool.command[0]} failed; is the board plugged in?\n{said}")
    return said
