"""The framing on the computer's side."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mcugrad.devices.frame import Frame, Splitter, cobs, uncobs


@given(st.binary(max_size=1200) | st.integers(0, 1200).map(lambda n: b"\1" * n))
def test_cobs_gives_its_content_back_without_zeros(content: bytes) -> None:
    wire = cobs(content)
    assert 0 not in wire
    assert len(wire) <= len(content) + 1 + len(content) // 254
    assert uncobs(wire) == content


def test_cobs_as_its_authors_give_it() -> None:
    assert cobs(bytes.fromhex("45 00 00 2c 4c 79 00 00 40 06 4f 37")) == bytes.fromhex(
        "02 45 01 04 2c 4c 79 01 05 40 06 4f 37"
    )


@given(st.binary(max_size=600))
def test_decoding_never_raises(wire: bytes) -> None:
    frame = Frame.decode(wire.replace(b"\0", b"\1"))
    assert frame is None or frame.encode()[:-1] == wire


@given(st.lists(st.binary(max_size=100), max_size=8), st.integers(1, 50))
def test_a_stream_is_cut_into_its_frames(payloads: list[bytes], chunk: int) -> None:
    frames = [Frame(i, 7, payload) for i, payload in enumerate(payloads)]
    stream = b"\0" + b"".join(f.encode() for f in frames)
    splitter = Splitter()
    found = [
        frame
        for at in range(0, len(stream), chunk)
        for frame in splitter.feed(stream[at : at + chunk])
    ]
    assert found == frames


def test_one_wrong_bit_is_seen() -> None:
    wire = Frame(3, 4, b"some payload").encode()[:-1]
    for bit in range(8 * len(wire)):
        spoiled = bytearray(wire)
        spoiled[bit // 8] ^= 1 << bit % 8
        assert Frame.decode(bytes(spoiled)) is None
