"""Mutated frames against the device's side of the link, under sanitizers."""

from __future__ import annotations

import random
import struct
import subprocess
from pathlib import Path

from mcugrad.devices.frame import Frame, Splitter
from tests.devices.wire import build_link

FRAMES = 20_000
_PAYLOADS = {
    0x01: 4,  # HELLO
    0x02: 9,  # PUT
    0x03: 0,  # INFER
    0x04: 1,  # TRAIN
    0x05: 5,  # EVALUATE
    0x06: 6,  # READ
    0x07: 10,  # WRITE
    0x08: 0,  # RESET
    0x09: 0,  # STATISTICS
}
_HELLO = 0x01


def _payload(r: random.Random, kind: int) -> bytes:
    """A payload near to what the message wants: small numbers, limits, now and then nonsense."""
    size = _PAYLOADS.get(kind, r.randrange(20))
    if r.random() < 0.15:
        size = r.choice([0, size + 1, max(0, size - 1), r.randrange(600), 512, 513])
    words = b"".join(
        struct.pack("<I", r.choice([0, 1, 2, 4, 12, 16, 48, 0xFFFF, 0xFFFFFFFF, r.getrandbits(32)]))
        for _ in range(size // 4 + 1)
    )
    return words[:size] if r.random() < 0.8 else r.randbytes(size)


def _mutated(r: random.Random, wire: bytes) -> bytes:
    """Bytes altered, cut out, put in or repeated."""
    spoiled = bytearray(wire)
    for _ in range(r.randrange(1, 4)):
        at = r.randrange(len(spoiled) + 1)
        match r.randrange(4):
            case 0 if at < len(spoiled):
                spoiled[at] = r.getrandbits(8)
            case 1:
                del spoiled[at : at + r.randrange(1, 20)]
            case 2:
                spoiled[at:at] = r.randbytes(r.randrange(1, 20))
            case _:
                spoiled[at:at] = spoiled[: r.randrange(len(spoiled) + 1)]
    return bytes(spoiled)


class _Device:
    """Which sequence number the device must be waiting for."""

    def __init__(self) -> None:
        self.next = 0
        self._splitter = Splitter()

    def receive(self, wire: bytes) -> None:
        for frame in self._splitter.feed(wire):
            if frame is None or len(frame.payload) > 512:
                continue
            is_hello = frame.kind == _HELLO and len(frame.payload) == 4
            if not is_hello and frame.sequence == self.next:
                self.next = (self.next + 1) & 0xFFFF


def test_mutated_frames_do_no_harm(tmp_path: Path) -> None:
    r = random.Random(20220)
    device = _Device()
    stream = bytearray()
    for _ in range(FRAMES):
        kind = r.choice([*_PAYLOADS, *_PAYLOADS, r.getrandbits(8)])
        sequence = (
            device.next if r.random() < 0.8 else r.choice([device.next - 1, r.getrandbits(16)])
        )
        wire = Frame(sequence & 0xFFFF, kind, _payload(r, kind)).encode()
        if r.random() < 0.4:
            wire = _mutated(r, wire)
        device.receive(wire)
        stream += wire
    good = b"\0" + Frame(0, _HELLO, b"last").encode()
    done = subprocess.run(
        [build_link(tmp_path)],
        input=bytes(stream + good),
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    *answers, last = Splitter().feed(done.stdout)
    assert len(answers) > FRAMES / 2
    assert all(answer is not None for answer in answers)
    assert last is not None
    assert last.payload[1:5] == b"last"
    assert last.sequence == device.next
