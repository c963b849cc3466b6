"""Frames out of a byte stream, however it was cut: the same as the library's own parser finds."""

from __future__ import annotations

import asyncio
import itertools
import struct
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import Frame
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from ltpkit.batch import Received
from ltpkit.sockets import Socket

MOST = 70_000


class Line(asyncio.Transport):
    """Where nothing is sent and everything is remembered."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.closing = False

    def write(self, data: Any) -> None:
        self.sent += bytes(data)

    def write_eof(self) -> None: ...

    def can_write_eof(self) -> bool:
        return True

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True

    abort = close

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...


def answer_to(protocol: ClientProtocol) -> bytes:
    """Begin the handshake and return the server's answer."""
    protocol.send_request(protocol.connect())
    server = ServerProtocol()
    server.receive_data(b"".join(protocol.data_to_send()))
    (request,) = server.events_received()
    server.send_response(server.accept(request))  # type: ignore[arg-type]
    return b"".join(server.data_to_send())


def client() -> ClientProtocol:
    return ClientProtocol(parse_uri("ws://localhost/"), max_size=MOST)


async def ours(stream: bytes, cuts: list[int]) -> tuple[list[bytes], bytes, int | None]:
    """Return the messages, what was sent back, and the code of our close frame."""
    found: list[bytes] = []

    def deliver(frames: list[bytes], received_at: Received) -> None:
        assert isinstance(received_at, int) or len(received_at) == len(frames)
        found.extend(frames)

    kind = type("Kind", (Socket,), {"deliver": staticmethod(deliver), "max_bytes": MOST})
    protocol, line = client(), Line()
    socket = kind(protocol, ping_interval=None)
    socket.connection_made(line)
    data = answer_to(protocol) + stream
    places = sorted({0, len(data), *(cut % len(data) for cut in cuts)})
    for start, stop in itertools.pairwise(places):
        socket.data_received(data[start:stop])
    socket.connection_lost(None)
    code = protocol.close_sent
    return found, plain(line.sent), None if code is None else int(code.code)


def theirs(stream: bytes) -> tuple[list[bytes], bytes, int | None]:
    """Return the same from the library's own parser, given all at once."""
    protocol = client()
    data = answer_to(protocol)
    protocol.receive_data(data + stream)
    found: list[bytes] = []
    pieces: list[bytes] = []
    for event in protocol.events_received():
        if isinstance(event, Frame) and event.opcode in (0, 1, 2):
            pieces.append(bytes(event.data))
            if event.fin:
                found.append(b"".join(pieces))
                pieces.clear()
    code = protocol.close_sent
    sent = b"".join(protocol.data_to_send())
    return found, plain(sent), None if code is None else int(code.code)


def plain(sent: bytes) -> bytes:
    """Return the frames a client sent without their random masks."""
    frames, at = b"", 0
    while at < len(sent):
        head, size = sent[at], sent[at + 1] & 0x7F
        mask, start = sent[at + 2 : at + 6], at + 6
        frames += bytes([head]) + bytes(b ^ mask[i % 4] for i, b in enumerate(sent[start : start + size]))
        at = start + size
    return frames


def frame(head: int, payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        return struct.pack("!BB", head, size) + payload
    length = struct.pack("!BH", 126, size) if size < 65_536 else struct.pack("!BQ", 127, size)
    return bytes([head]) + length + payload


sizes = st.one_of(st.integers(0, 130), st.sampled_from([65_535, 65_536, MOST, MOST + 1]))
plain_frames = st.builds(lambda head, size: frame(head, b"x" * size), st.sampled_from([0x81, 0x82]), sizes)
# Pieces, pings, pongs and closes, in an order that may be wrong; then kinds that do not exist.
others = st.builds(
    lambda head, size: frame(head, b"\x03\xe8" + b"y" * size if head == 0x88 else b"y" * size),
    st.sampled_from([0x01, 0x02, 0x00, 0x80, 0x89, 0x8A, 0x88, 0x83, 0xC1, 0x91]),
    st.integers(0, 120),
)
masked = st.just(b"\x81\x82abcdxy")
streams = st.lists(st.one_of(plain_frames, plain_frames, others, masked), max_size=12).map(b"".join)
cuts = st.lists(st.integers(0, 200_000), max_size=12)


@settings(deadline=None, max_examples=300)
@given(streams, cuts)
def test_frames_are_those_of_the_library_however_the_stream_is_cut(stream: bytes, cuts: list[int]) -> None:
    assert asyncio.run(ours(stream, cuts)) == theirs(stream)


@settings(deadline=None, max_examples=200)
@given(streams, st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=4), cuts)
def test_damaged_streams_end_as_they_do_in_the_library(
    stream: bytes, damage: list[tuple[int, int]], cuts: list[int]
) -> None:
    broken = bytearray(stream)
    for place, value in damage:
        if broken:
            broken[place % len(broken)] = value
    assert asyncio.run(ours(bytes(broken), cuts)) == theirs(bytes(broken))


def test_a_message_that_comes_byte_by_byte_is_one_message() -> None:
    stream = frame(0x82, b"z" * 3000) + frame(0x89, b"ping") + frame(0x81, b"end")
    found, sent, code = asyncio.run(ours(stream, list(range(5000))))
    assert found == [b"z" * 3000, b"end"]
    assert (sent, code) == (b"\x8aping", None)
