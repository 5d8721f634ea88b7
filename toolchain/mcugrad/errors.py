"""Every failure a user can meet, with the exit code it ends the command with."""

from __future__ import annotations

from collections.abc import Mapping


class McugradError(Exception):
    """A failure with a message for the user; ``exit_code`` ends the command."""

    exit_code = 1


class CheckFailedError(McugradError):
    """A check ran and failed: parity, a plan, a verification."""

    exit_code = 1


class UsageError(McugradError):
    """The command line, a scheme file or a data file is not what it must be."""

    exit_code = 2


class ModelError(McugradError):
    """The model is malformed, or needs something that is not supported."""

    exit_code = 3


class DoesNotFitError(McugradError):
    """The program needs more SRAM or flash than the target or the user allows.

    ``kind`` is "SRAM" or "flash", ``excess`` the bytes beyond the limit; ``overflows`` those of
    each memory that a linker found too small.
    """

    exit_code = 4

    def __init__(
        self, message: str, kind: str, excess: int, overflows: Mapping[str, int] | None = None
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.excess = excess
        self.overflows = overflows or {}


class MissingToolError(McugradError):
    """A tool or a device is missing; the message holds the command that installs it."""

    exit_code = 5


class DeviceError(MissingToolError):
    """A device cannot be opened, does not answer, or was lost on the way."""


class InternalError(McugradError):
    """One stage handed the next something that the verifier refuses: a bug of ours."""

    exit_code = 1
