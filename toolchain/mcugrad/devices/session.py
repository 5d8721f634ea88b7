"""A session on the link: requests in order, each done exactly once, whatever the wire loses.

The device takes frames in the order of their sequence numbers and refuses all others, so a
lost frame shows in the next one. Whenever something is amiss, a HELLO, which is answered at
any time, tells which frame the device waits for, and sending goes on from there. When that is
the one after the last, only the answer was lost: the last frame is sent again, and the device
repeats its answer without doing the work twice.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum

import serial

from mcugrad.devices.frame import Frame, Splitter
from mcugrad.errors import DeviceError

VERSION = 1
_SEQUENCES = 1 << 16
_TICK = 0.1  # seconds of one wait for bytes
_REPEATS = 50  # of one request, then the connection is too bad
_TRACED = struct.Struct("<HI")
_HELLO = struct.Struct("<IHHH")


class Message(IntEnum):
    """``mg_message`` of mg_link.h."""

    HELLO = 0x01
    PUT = 0x02
    INFER = 0x03
    TRAIN = 0x04
    EVALUATE = 0x05
    READ = 0x06
    WRITE = 0x07
    RESET = 0x08
    STATISTICS = 0x09
    TRACED = 0x40
    REFUSED = 0x41
    ANSWER = 0x80


@dataclass(frozen=True)
class Request:
    """One message to the device."""

    message: Message
    payload: bytes = b""


@dataclass(frozen=True)
class Answer:
    """What the device said: the status first; and the tensors it sent on the way."""

    status: int
    body: bytes
    traced: dict[int, bytes]


class Session:
    """Speaks with one device over an open port.

    Args:
        port: a pyserial port.
        alive: raises when the device is known to be gone.
        limit: seconds of silence after which it is given up.
        quiet: seconds of silence before it is asked for its state.
    """

    def __init__(
        self, port: serial.SerialBase, alive: Callable[[], None], limit: float, quiet: float
    ) -> None:
        self._port = port
        self._port.timeout = min(_TICK, quiet)
        self._port.write_timeout = limit
        self._alive = alive
        self._limit = limit
        self._quiet = quiet
        self._splitter = Splitter()
        self._next = 0
        self._token = time.monotonic_ns() & 0xFFFF

    def hello(self, patience: float) -> bytes:
        """Starts the session; the answer's body, which describes the device.

        Raises:
            DeviceError: there is no answer, or one of another version of the protocol.
        """
        end = time.monotonic() + patience
        while time.monotonic() < end:
            token = self._send_hello()
            for frame in self._frames(0.5):
                if frame is not None and self._is_hello(frame, token):
                    _, version, _, _ = _HELLO.unpack_from(frame.payload, 1)
                    if version != VERSION:
                        raise DeviceError(
                            f"the firmware speaks version {version} of the link, not {VERSION}: "
                            "compile and flash it again"
                        )
                    self._next = frame.sequence
                    if self._next == 0:  # from then on 0 is a sign of a restart
                        self.ask([Request(Message.STATISTICS)])
                    return frame.payload[1 + _HELLO.size :]
            self._alive()
        raise DeviceError(f"nothing that speaks mcugrad's protocol answers on {self._port.port}")

    def ask(self, requests: Sequence[Request]) -> Answer:
        """Has the device do ``requests`` in order and returns the answer to the last one.

        All but the last must be messages that are not answered when all goes well.
        """
        first = self._next
        frames = [
            Frame((first + i) % _SEQUENCES, request.message, request.payload)
            for i, request in enumerate(requests)
        ]
        answer = self._deliver(first, frames)
        self._next = (first + len(frames)) % _SEQUENCES
        return answer

    def _deliver(self, first: int, frames: Sequence[Frame]) -> Answer:
        token: int | None = None  # of the HELLO whose answer is awaited
        traced: dict[int, bytearray] = {}
        repeats = 0
        last_word = time.monotonic()
        self._send(frames)
        while True:
            heard = False
            for frame in self._frames(self._quiet):
                heard = True
                last_word = time.monotonic()
                if frame is None or frame.kind == Message.REFUSED:
                    token = token if token is not None else self._send_hello()
                elif token is not None and self._is_hello(frame, token):
                    token = None
                    done = (frame.sequence - first) % _SEQUENCES
                    repeats += 1
                    if done > len(frames):
                        raise DeviceError(
                            "the device restarted in the middle of a request: it was reset, or "
                            "met a fault, such as a stack that is too small"
                        )
                    if repeats > _REPEATS:
                        raise DeviceError("frames are lost again and again")
                    self._send(frames[min(done, len(frames) - 1) :])
                elif frame.kind == Message.TRACED and frame.sequence == frames[-1].sequence:
                    _collect(traced, frame.payload)
                elif self._answers(frame, frames):
                    whole = {number: bytes(content) for number, content in traced.items()}
                    return Answer(frame.payload[0], frame.payload[1:], whole)
            self._alive()
            if not heard:
                if time.monotonic() - last_word > self._limit:
                    raise DeviceError(f"the device is silent for {self._limit:.0f} seconds")
                token = self._send_hello()

    @staticmethod
    def _answers(frame: Frame, frames: Sequence[Frame]) -> bool:
        """Whether ``frame`` answers the last frame, or says that an earlier one is wrong."""
        return bool(frame.payload) and any(
            frame.sequence == f.sequence and frame.kind == f.kind | Message.ANSWER for f in frames
        )

    @staticmethod
    def _is_hello(frame: Frame, token: int) -> bool:
        return (
            frame.kind == Message.HELLO | Message.ANSWER
            and len(frame.payload) > _HELLO.size
            and _HELLO.unpack_from(frame.payload, 1)[0] == token
        )

    def _send_hello(self) -> int:
        self._token = (self._token + 1) & 0xFFFFFFFF
        hello = Frame(0, Message.HELLO, struct.pack("<I", self._token))
        self._write(b"\0" + hello.encode())  # the zero ends what was half sent
        return self._token

    def _send(self, frames: Sequence[Frame]) -> None:
        for frame in frames:
            self._write(frame.encode())
            if frame is not frames[-1] and self._waiting():
                return  # only what was refused is answered before the last frame

    @contextmanager
    def _connected(self) -> Iterator[None]:
        """Says what the port raises as a lost connection."""
        try:
            yield
        except (serial.SerialException, OSError) as error:
            raise self._lost(error) from error

    def _write(self, content: bytes) -> None:
        with self._connected():
            self._port.write(content)

    def _waiting(self) -> int:
        with self._connected():
            return int(self._port.in_waiting)

    def _frames(self, quiet: float) -> Iterator[Frame | None]:
        """Frames as they arrive, None for a damaged one, until ``quiet`` seconds of silence."""
        end = time.monotonic() + quiet
        while time.monotonic() < end:
            with self._connected():
                received = self._port.read(max(1, self._port.in_waiting))
            for frame in self._splitter.feed(received):
                yield frame
                end = time.monotonic() + quiet

    def _lost(self, error: Exception) -> DeviceError:
        time.sleep(_TICK)  # a process that ends closes its port first
        self._alive()
        return DeviceError(f"the connection to {self._port.port} is lost: {error}")


def _collect(traced: dict[int, bytearray], payload: bytes) -> None:
    number, offset = _TRACED.unpack_from(payload)
    content = traced.setdefault(number, bytearray())
    if len(content) != offset:
        raise DeviceError("a part of a traced tensor was lost on the way: repeat the run")
    content += payload[_TRACED.size :]
