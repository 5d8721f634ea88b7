"""The process that an emulator runs in."""

from __future__ import annotations

import atexit
import subprocess
from collections.abc import Sequence
from typing import IO

from mcugrad.errors import DeviceError


class Process:
    """A running emulator, which ends with this process at the latest.

    Args:
        command: the command line.
        terminal: a file descriptor that is its standard input and output; None: it has no
            input, and its output is part of what it says.
    """

    def __init__(self, command: Sequence[str], terminal: int | None = None) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL if terminal is None else terminal,
            stdout=subprocess.PIPE if terminal is None else terminal,
            stderr=subprocess.STDOUT if terminal is None else subprocess.PIPE,
            bufsize=0,
        )
        atexit.register(self.stop)
        output = self._process.stdout if terminal is None else self._process.stderr
        assert output is not None
        self.output: IO[bytes] = output
        self._said = ""

    def read_line(self) -> str:
        """The next line that it says; empty at the end."""
        line = self.output.readline().decode(errors="replace")
        self._said += line
        return line

    def wait(self) -> None:
        """Waits until it has ended."""
        self._process.wait()

    def check(self) -> None:
        """Raises if it has ended."""
        code = self._process.poll()
        if code is not None:
            said = self._said + self.output.read().decode(errors="replace")
            raise DeviceError(f"the emulator ended with code {code}: {said.strip()}")

    def stop(self) -> None:
        """Ends it."""
        atexit.unregister(self.stop)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self.output.close()
