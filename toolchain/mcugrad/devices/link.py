"""A device behind a port: a board, or an emulator."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields

import serial

from mcugrad.devices.base import (
    C_TYPES,
    C_UNITS,
    Device,
    DeviceInfo,
    Statistics,
    StepResult,
    Tally,
    Unit,
    prediction,
    sample_bytes,
    target_bytes,
)
from mcugrad.devices.session import Answer, Message, Request, Session
from mcugrad.errors import DeviceError, UsageError
from mcugrad.ir.tensor import Array

DEFAULT_BAUD = 921600
_PAYLOAD = 512  # MG_LINK_PAYLOAD
_INPUT, _TARGET = 0, 1  # slots of PUT
_OUTPUT = 0xFFFF  # the number under which the last prediction is read
_TRACE = 1
_START = 1
_OK, _NOT_FINITE = 0, 3

_INFO = struct.Struct("<13I")
_STATISTICS = struct.Struct("<QQ4I")

_STATUS = {
    1: "the arena is not as it should be",
    2: "the label is not one of the model's classes",
    19: "the firmware does not know the message",
    20: "the message has not the length that the firmware expects",
    21: "there is no such tensor or class, or not so many bytes in it",
    22: "the tensor cannot be written",
}


def open_port(url: str, baud: int = DEFAULT_BAUD) -> serial.SerialBase:
    """Opens a device file or a pyserial URL, such as ``socket://host:port``."""
    try:
        return serial.serial_for_url(url, baudrate=baud)
    except (serial.SerialException, ValueError, OSError) as error:
        raise DeviceError(f"cannot open {url}: {error}; is the board plugged in?") from error


def _nothing_known() -> None:
    return


class LinkDevice(Device):
    """The model in the firmware at the other end of ``port``.

    Args:
        port: an open pyserial port; it is closed with the device.
        fingerprint: the model that must run there; None: any.
        alive: raises when the other end is known to be gone.
        patience: seconds to wait for the first answer.
        limit: seconds that a request may take without a word from the device.
        quiet: seconds of silence before the device is asked whether a frame was lost.
    """

    def __init__(
        self,
        port: serial.SerialBase,
        fingerprint: int | None = None,
        *,
        alive: Callable[[], None] = _nothing_known,
        patience: float = 10.0,
        limit: float = 600.0,
        quiet: float = 2.0,
    ) -> None:
        self._port = port
        self._session = Session(port, alive, limit, quiet)
        self._info = _parse_info(self._session.hello(patience))
        if fingerprint is not None and self._info.fingerprint != fingerprint:
            raise UsageError(
                f"the device runs another model ({self._info.fingerprint:08x}) than the folder "
                f"holds ({fingerprint:08x}): flash the folder's firmware"
            )

    @property
    def info(self) -> DeviceInfo:
        """The model and the device."""
        return self._info

    def infer(self, x: Array) -> Array:
        """The prediction for one sample, flat."""
        content = self._ask(*self._sample(x), Request(Message.INFER)).body
        while len(content) < self._info.output_bytes:
            content += self._read(_OUTPUT, len(content))[1]
        return prediction(self._info, content)

    def train_step(self, x: Array, target: int | Array, *, trace: bool = False) -> StepResult:
        """Learns from one sample; with ``trace`` reports every traced tensor."""
        wanted = _puts(_TARGET, target_bytes(self._info, target))
        step = Request(Message.TRAIN, bytes([_TRACE if trace else 0]))
        answer = self._ask(*self._sample(x), *wanted, step, allowed=_NOT_FINITE)
        (loss,) = struct.unpack("<f", answer.body)
        return StepResult(loss, answer.status == _OK, answer.traced)

    def evaluate(self, samples: Iterable[tuple[Array, int]]) -> Tally:
        """Classifies samples with known labels; the device keeps the tally."""
        tally = Tally(0, 0)
        for x, label in samples:
            start = 0 if tally.count else _START
            request = Request(Message.EVALUATE, struct.pack("<BI", start, label & 0xFFFFFFFF))
            answer = self._ask(*self._sample(x), request)
            tally = Tally(*struct.unpack("<II", answer.body))
        return tally

    def read_tensor(self, tensor: int) -> bytes:
        """The bytes of the tensor of that number."""
        whole, content = self._read(tensor, 0)
        while len(content) < whole:
            content += self._read(tensor, len(content))[1]
        return content

    def write_tensor(self, tensor: int, content: bytes) -> None:
        """Replaces a learning tensor, optimiser state or the hyper-parameters."""
        if len(content) != self._read(tensor, 0)[0]:
            raise UsageError(f"tensor {tensor} does not take {len(content)} bytes")
        head = struct.Struct("<HI")
        for offset, part in _parts(content, _PAYLOAD - head.size):
            self._ask(Request(Message.WRITE, head.pack(tensor, offset) + part))

    def reset(self) -> None:
        """Takes the model back to its initial state."""
        self._ask(Request(Message.RESET))

    def statistics(self) -> Statistics:
        """What was measured so far."""
        body = self._ask(Request(Message.STATISTICS)).body
        infer, step, stack_bytes, stack_used, refused, updates = _STATISTICS.unpack(body)
        counts = self._info.unit is not Unit.NOTHING
        return Statistics(
            infer=infer if counts else None,
            step=step if counts else None,
            stack_bytes=stack_bytes,
            stack_used=stack_used,
            frames_refused=refused,
            updates=updates,
        )

    def close(self) -> None:
        """Closes the port."""
        self._port.close()

    def _sample(self, x: Array) -> list[Request]:
        return _puts(_INPUT, sample_bytes(self._info, x))

    def _read(self, tensor: int, offset: int) -> tuple[int, bytes]:
        """The size of a tensor, and as much of it from ``offset`` on as fits a frame."""
        body = self._ask(Request(Message.READ, struct.pack("<HI", tensor, offset))).body
        return int.from_bytes(body[:4], "little"), body[4:]

    def _ask(self, *requests: Request, allowed: int = _OK) -> Answer:
        answer = self._session.ask(requests)
        if answer.status not in (_OK, allowed):
            reason = _STATUS.get(answer.status, f"status {answer.status}")
            raise UsageError(f"the device refuses: {reason}")
        return answer


def _parts(content: bytes, size: int) -> Iterator[tuple[int, bytes]]:
    for offset in range(0, len(content), size):
        yield offset, content[offset : offset + size]


def _puts(slot: int, content: bytes) -> list[Request]:
    head = struct.Struct("<BI")
    return [
        Request(Message.PUT, head.pack(slot, offset) + part)
        for offset, part in _parts(content, _PAYLOAD - head.size)
    ]


def _parse_info(body: bytes) -> DeviceInfo:
    values = dict(zip((f.name for f in fields(DeviceInfo)), _INFO.unpack(body), strict=True))
    values["input_type"] = C_TYPES[values["input_type"]]
    values["output_type"] = C_TYPES[values["output_type"]]
    values["unit"] = C_UNITS[values["unit"]]
    return DeviceInfo(**values)
