"""The link's C code in a process of its own, behind a wire that loses and spoils frames."""

from __future__ import annotations

import os
import random
import select
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.devices.hand_made import MODEL, ROOT

#: Turns one frame, the ending zero included, into what arrives of it.
Fault = Callable[[bytes], bytes]

_SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")


def build_link(folder: Path) -> Path:
    """Compiles the link, the runtime and the hand-made model for this computer."""
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed, whose sanitizers judge the link")
    program = folder / "link"
    include = ROOT / "runtime" / "include"
    sources = [MODEL.parent / "link_on_host.c", MODEL / "model.c"]
    sources += sorted((ROOT / "runtime" / "core").glob("*.c"))
    flags = ["-std=c11", "-g", "-O1", "-Wall", "-Wextra", "-Werror", "-Wconversion", *_SANITIZERS]
    places = [f"-I{include}", f"-I{MODEL}"]
    subprocess.run(["gcc", *flags, *places, *map(str, sources), "-lm", "-o", program], check=True)
    return program


def unchanged(frame: bytes) -> bytes:
    """A wire without faults."""
    return frame


class Spoiler:
    """Drops, cuts, doubles or alters a share of the frames, always the same ones."""

    def __init__(self, seed: int, share: float) -> None:
        self._random = random.Random(seed)
        self._share = share

    def __call__(self, frame: bytes) -> bytes:
        """What arrives of ``frame``."""
        r = self._random
        if len(frame) < 2 or r.random() > self._share:
            return frame
        at = r.randrange(len(frame) - 1)
        altered = bytes([frame[at] ^ (1 << r.randrange(8))])
        return r.choice(
            [
                b"",
                frame + frame,
                frame[:at],
                frame[:at] + altered + frame[at + 1 :],
                b"\x05noise" + frame,
            ]
        )


class WirePort:
    """As much of a pyserial port as a session uses, with the program at the other end."""

    port = "the test's wire"

    def __init__(
        self, program: Path, to_device: Fault = unchanged, to_host: Fault = unchanged
    ) -> None:
        self.timeout = 0.1
        self.write_timeout = 1.0
        self._to_device, self._to_host = to_device, to_host
        self._process = subprocess.Popen(
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in, self._out = self._process.stdin, self._process.stdout
        self._half = b""
        self._ready = b""

    def write(self, content: bytes) -> None:
        """Sends frames through the fault."""
        for part in content.split(b"\0")[:-1]:
            self._in.write(self._to_device(part + b"\0"))

    @property
    def in_waiting(self) -> int:
        """Bytes that can be read at once."""
        self._fetch(0.0)
        return len(self._ready)

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes, as many as come in time."""
        if not self._ready:
            self._fetch(self.timeout)
        content, self._ready = self._ready[:size], self._ready[size:]
        return content

    def _fetch(self, timeout: float) -> None:
        while select.select([self._out], [], [], timeout)[0]:
            received = os.read(self._out.fileno(), 65536)
            if not received:
                return
            *whole, self._half = (self._half + received).split(b"\0")
            self._ready += b"".join(self._to_host(part + b"\0") for part in whole)
            timeout = 0.0

    def close(self) -> None:
        """Ends the program; fails if it found anything amiss."""
        self._in.close()
        code = self._process.wait(10)
        self._out.close()
        assert code == 0, f"the link's program ended with {code}"
