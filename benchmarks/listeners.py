"""WebSocket clients in a process of their own, cheap enough that they do not slow what they listen to.

They split bytes into frames and note when each came, no more: what is in them is looked at afterwards.
"""

from __future__ import annotations

import multiprocessing
import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

__all__ = ["Ages", "Listeners", "listening", "never_reads"]

_READ_BYTES: Final = 1 << 18
_TEXT, _BINARY, _CLOSE, _PING, _PONG = 1, 2, 8, 9, 10
_BEAT_US: Final = 50_000  # what comes closer together was written at once

Ages = npt.NDArray[np.float64]


class _Said(msgspec.Struct):
    """What of a message is looked at."""

    type: str
    received_at: Any = None


class Heard(msgspec.Struct, kw_only=True):
    """What came in some seconds.

    Attributes
    ----------
    updates : array of float
        Of each update: ms from the tick's arrival at the service until this process had read it.
    beats : array of float
        The same of what was written to a client at once: from the newest tick's arrival to the last byte.
    octets : int
        Received in all.
    closed : int
        Connections that have ended.
    """

    updates: Any
    beats: Any
    octets: int
    closed: int


class _Line:
    """One connection: bytes in, frames out, each with the time (µs) at which it was complete."""

    def __init__(self, address: str, subprotocol: str) -> None:
        self.socket = _shaken(address, subprotocol)
        self.socket.settimeout(10)
        self._rest = b""
        while b"\r\n\r\n" not in self._rest:
            self._rest += self.socket.recv(4096)
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        if b" 101 " not in head.splitlines()[0]:
            raise AssertionError(head.splitlines()[0].decode())
        self.socket.setblocking(False)
        self.octets = 0
        self.frames: list[tuple[int, int, bytes]] = []

    def read(self) -> bool:
        """Take what is there; return whether the connection is still open."""
        try:
            chunk = self.socket.recv(_READ_BYTES)
        except BlockingIOError:
            return True
        except ConnectionError:
            return False
        at = time.time_ns() // 1000
        self.octets += len(chunk)
        bytes_, start, end = self._rest + chunk, 0, 0
        while end + 2 <= len(bytes_):
            size, start = bytes_[end + 1], end + 2
            if size >= 126:
                wide = 2 if size == 126 else 8
                size, start = int.from_bytes(bytes_[start : start + wide]), start + wide
            if start + size > len(bytes_):
                break
            kind, end = bytes_[end] & 15, start + size
            if kind == _PING:
                self.socket.send(bytes((0x80 | _PONG, 0x80 | size)) + bytes(4) + bytes_[start:end])
            elif kind == _CLOSE:
                return False
            else:
                self.frames.append((at, kind, bytes_[start:end]))
        self._rest = bytes_[end:]
        return bool(chunk)


class Listeners:
    """Clients in another process; what they hear is asked for.

    Parameters
    ----------
    pipe : Connection
    """

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def begin(self) -> None:
        """Forget what came so far."""
        self._pipe.send("begin")

    def end(self) -> Heard:
        """Return what came since `begin`."""
        self._pipe.send("end")
        if not self._pipe.poll(120):
            raise TimeoutError("the listeners did not say within two minutes what they heard")
        heard: Heard = self._pipe.recv()
        return heard


@contextmanager
def listening(addresses: Sequence[str], *, subprotocol: str = "ltpkit.json") -> Iterator[Listeners]:
    """Listen at each address until the block ends."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_main, args=(theirs, list(addresses), subprotocol), daemon=True)
    process.start()
    theirs.close()  # so that its end is noticed
    try:
        if not ours.poll(60) or ours.recv() != "ready":
            raise TimeoutError("the listeners did not connect within a minute")
        yield Listeners(ours)
    finally:
        process.terminate()
        process.join(10)
        ours.close()


@contextmanager
def never_reads(address: str) -> Iterator[None]:
    """Hold a connection that reads nothing, not even the answer to its handshake."""
    with _shaken(address, "ltpkit.json", received_bytes=4096):
        yield


def _shaken(address: str, subprotocol: str, *, received_bytes: int | None = None) -> socket.socket:
    url = urlsplit(address)
    assert url.hostname is not None
    line = socket.socket()
    if received_bytes is not None:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, received_bytes)
    line.connect((url.hostname, url.port))
    line.sendall(
        f"GET {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Protocol: {subprotocol}\r\n\r\n".encode()
    )
    return line


def _main(pipe: Connection, addresses: list[str], subprotocol: str) -> None:
    lines = [_Line(address, subprotocol) for address in addresses]
    selector = selectors.DefaultSelector()
    for line in lines:
        selector.register(line.socket, selectors.EVENT_READ, line)
    selector.register(pipe.fileno(), selectors.EVENT_READ)
    pipe.send("ready")
    closed = 0
    while True:
        for key, _ in selector.select():
            if key.data is None:
                if pipe.recv() == "end":
                    pipe.send(_heard(lines, closed))
                for line in lines:
                    line.octets = 0
                    line.frames.clear()
            elif not key.data.read():
                selector.unregister(key.fileobj)
                closed += 1


def _heard(lines: list[_Line], closed: int) -> Heard:
    updates: list[Ages] = []
    beats: list[Ages] = []
    for line in lines:
        read, received = _stamps(line.frames)
        if len(read):
            updates.append((read - received) / 1000)
            starts = np.flatnonzero(np.diff(read, prepend=read[0] - 2 * _BEAT_US) > _BEAT_US)
            ends = np.append(starts[1:], len(read)) - 1
            beats.append((read[ends] - np.maximum.reduceat(received, starts)) / 1000)
    none: list[Ages] = [np.zeros(0)]
    return Heard(
        updates=np.concatenate(updates or none),
        beats=np.concatenate(beats or none),
        octets=sum(line.octets for line in lines),
        closed=closed,
    )


def _stamps(frames: list[tuple[int, int, bytes]]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return when each update was read, and when its tick was received; in µs."""
    decode = msgspec.json.Decoder(_Said).decode
    read: list[int] = []
    received: list[int] = []
    for at, kind, payload in frames:
        if kind == _BINARY:
            stamps = pl.read_ipc_stream(payload)["received_at"].to_physical().to_list()
            received += stamps
            read += [at] * len(stamps)
        elif (said := decode(payload)).type in ("ltp_update", "quote_update"):
            received.append(np.datetime64(said.received_at.removesuffix("Z"), "us").astype(int))
            read.append(at)
    return np.array(read, np.int64), np.array(received, np.int64)
