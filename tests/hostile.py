"""A server on the loopback interface that misbehaves in one chosen way, over real sockets.

It speaks just enough HTTP and WebSocket to be wrong on purpose, which a library would not let it be:

    with Hostile(garbage) as server:
        client = ...                    # url=server.url
        server.wait_for(3)              # three connections were made

A mode is a coroutine that gets a `Peer`. Returning ends the connection; most modes end with
`peer.listen()`, which answers pings and stays until the client goes.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import ssl
import struct
import threading
import time
import zlib
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any, Self

import numpy as np

from ltpkit import nifty
from ltpkit.feeds.dhan.wire import TICKER

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
RELIANCE = next(one.broker_id for one in nifty.instruments() if one.symbol == "RELIANCE")
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Gone(Exception):
    """The client has left."""


class Peer:
    """One client, from the side of the server.

    Attributes
    ----------
    number : int
        0 for the server's first client.
    head : bytes
        The handshake's request, as it came.
    server : Hostile
    """

    def __init__(self, server: Hostile, number: int, reader: Any, writer: Any) -> None:
        self.server, self.number = server, number
        self.reader, self.writer = reader, writer
        self.head = b""

    async def request(self) -> bytes:
        """Read the handshake's request."""
        self.head = await self.reader.readuntil(b"\r\n\r\n")
        self.server.heads.append(self.head)
        return self.head

    async def answer(self, status: str, *headers: str, body: bytes = b"") -> None:
        """Answer the handshake in HTTP."""
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
        await self.write("\r\n".join(lines).encode() + body)

    async def accept(self) -> None:
        """Read the request and become a WebSocket."""
        head = await self.request()
        key = next(
            line.partition(b":")[2].strip()
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"sec-websocket-key")
        )
        token = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest()).decode()
        await self.write(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {token}\r\n\r\n".encode()
        )
        self.server.accepted += 1
        self.server.tell()

    async def write(self, raw: bytes) -> None:
        self.writer.write(raw)
        await self.writer.drain()

    async def send(self, payload: bytes | str, *, opcode: int | None = None) -> None:
        """Send one whole message."""
        if opcode is None:
            opcode = TEXT if isinstance(payload, str) else BINARY
        await self.write(frame(opcode, payload.encode() if isinstance(payload, str) else payload))

    async def listen(self, *, answer: bool = True) -> None:
        """Take messages and answer pings, until the client says goodbye (answered) or goes."""
        while True:
            opcode, payload = await self.receive()
            if opcode == PING and answer:
                await self.send(payload, opcode=PONG)
            elif opcode == CLOSE:
                if answer:
                    await self.send(payload, opcode=CLOSE)
                    return
            elif opcode in (TEXT, BINARY):
                self.server.messages.append(payload)
                self.server.tell()

    async def receive(self) -> tuple[int, bytes]:
        """Return the next frame's opcode and payload."""
        first, second = await self.reader.readexactly(2)
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack(">H", await self.reader.readexactly(2))
        elif size == 127:
            (size,) = struct.unpack(">Q", await self.reader.readexactly(8))
        mask = await self.reader.readexactly(4)
        payload = await self.reader.readexactly(size)
        return first & 0x0F, bytes(b ^ mask[i % 4] for i, b in enumerate(payload))


Mode = Callable[[Peer], Awaitable[None]]


def frame(opcode: int, payload: bytes, *, fin: bool = True, rsv: int = 0, claim: int | None = None) -> bytes:
    """Return a server's frame; `claim` is the length it pretends to have."""
    size = len(payload) if claim is None else claim
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    if size < 126:
        head += bytes([size])
    elif size < 1 << 16:
        head += b"\x7e" + struct.pack(">H", size)
    else:
        head += b"\x7f" + struct.pack(">Q", size)
    return head + payload


def tick(price: float = 1500.0, security_id: str | int = RELIANCE, at: float | None = None) -> bytes:
    """Return one of Dhan's ticker packets."""
    packet = np.zeros(1, TICKER)
    packet["code"], packet["length"], packet["segment"] = 2, TICKER.itemsize, 1
    packet["security_id"], packet["ltp"] = int(security_id), price
    packet["ltt"] = int(time.time() if at is None else at) + 19_800  # Dhan writes the clock of India
    return packet.tobytes()


class Hostile:
    """The server; a context manager with a thread of its own.

    Parameters
    ----------
    mode : coroutine function
        What is done to each client.
    tls : ssl.SSLContext, optional
        Serve ``wss://``.

    Attributes
    ----------
    url : str
    connections, accepted, here : int
        Clients that have connected; that became a WebSocket; that are connected now.
    heads, messages : list of bytes
        Handshake requests and messages received.
    go : asyncio.Event
        For a mode to wait on, and `release` to set.
    """

    def __init__(self, mode: Mode, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self._mode, self._tls, self._host = mode, tls, host
        self.url = ""
        self.connections = self.accepted = self.here = 0
        self.heads: list[bytes] = []
        self.messages: list[bytes] = []
        self._changed = threading.Condition()

    def __enter__(self) -> Self:
        started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main(started)), daemon=True)
        self._thread.start()
        assert started.wait(10)
        return self

    def __exit__(self, *exc: object) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(10)
        assert not self._thread.is_alive()

    def wait_for(self, reached: int | Callable[[], bool], timeout_s: float = 20) -> None:
        """Wait for so many connections, or until something told is true."""
        done = (lambda: self.connections >= reached) if isinstance(reached, int) else reached
        with self._changed:
            assert self._changed.wait_for(done, timeout_s)

    def tell(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def release(self) -> None:
        """Set `go`."""
        self._loop.call_soon_threadsafe(self.go.set)

    async def _main(self, started: threading.Event) -> None:
        self._loop, self._stopping, self.go = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._client, self._host, 0, ssl=self._tls, limit=1 << 20)
        port = server.sockets[0].getsockname()[1]
        self.url = f"{'ws' if self._tls is None else 'wss'}://{self._host}:{port}/"
        started.set()
        await self._stopping.wait()
        server.close()
        for _ in range(5):  # who was accepted in this very moment gets its transport, and loses it below
            await asyncio.sleep(0)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        peer = Peer(self, self.connections, reader, writer)
        self.connections += 1
        self.here += 1
        self.tell()
        try:
            await self._mode(peer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client has gone, or the server is being stopped
        finally:
            self._tasks.discard(task)
            self.here -= 1
            writer.transport.abort() if self._stopping.is_set() else writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await asyncio.wait_for(writer.wait_closed(), 0.5)
            self.tell()


# -- before the handshake ---------------------------------------------------------------------


async def no_http(peer: Peer) -> None:
    await peer.request()
    await peer.write(bytes(range(256)) * 8)


async def never_answers(peer: Peer) -> None:
    await peer.request()
    await peer.reader.read()


async def answers_slowly(peer: Peer) -> None:
    await peer.request()
    for byte in b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n" * 100:
        await peer.write(bytes([byte]))
        await asyncio.sleep(0.05)


async def slams_the_door(peer: Peer) -> None:
    """Accept the TCP connection and end it."""


def http(status: str, *headers: str, body: bytes = b"") -> Mode:
    async def refuses(peer: Peer) -> None:
        await peer.request()
        await peer.answer(status, *headers, body=body)

    refuses.__name__ = f"http {status}"
    return refuses


async def echoes_the_request(peer: Peer) -> None:
    """Refuse, and repeat everything that was sent, as careless servers do."""
    head = await peer.request()
    await peer.answer("403 Forbidden", body=head)


# -- after it ---------------------------------------------------------------------------------


async def garbage(peer: Peer) -> None:
    await peer.accept()
    await peer.write(b"\xff\xfe\xfd" * 1000)
    await peer.listen(answer=False)


async def reserved_bits(peer: Peer) -> None:
    await peer.accept()
    await peer.write(frame(BINARY, b"abc", rsv=3))
    await peer.listen(answer=False)


async def bad_opcode(peer: Peer) -> None:
    await peer.accept()
    await peer.write(frame(3, b"abc"))
    await peer.listen(answer=False)


async def cut_in_a_frame(peer: Peer) -> None:
    await peer.accept()
    await peer.write(frame(BINARY, b"abc", claim=100))
    peer.writer.transport.close()


async def claims_a_terabyte(peer: Peer) -> None:
    await peer.accept()
    await peer.write(frame(BINARY, b"abc", claim=1 << 40))
    await peer.listen(answer=False)


async def floods_one_message(peer: Peer) -> None:
    """64 MiB in pieces of 64 KiB, none of them the last."""
    await peer.accept()
    piece = bytes(1 << 16)
    for n in range(1024):
        await peer.write(frame(BINARY if n == 0 else 0, piece, fin=False))
    await peer.listen(answer=False)


async def crumbles_one_message(peer: Peer) -> None:
    """A message in pieces of a byte, without end."""
    await peer.accept()
    await peer.write(frame(BINARY, b"x", fin=False))
    crumbs = frame(0, b"x", fin=False) * 1000
    while True:
        await peer.write(crumbs)


async def sends_a_bomb(peer: Peer) -> None:
    """256 MiB of nothing in 256 KiB, compressed as permessage-deflate, which was not agreed."""
    await peer.accept()
    await peer.write(frame(BINARY, _bomb(), rsv=4))
    await peer.listen(answer=False)


@cache
def _bomb() -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(256)) + packer.flush()


async def closes_at_once(peer: Peer) -> None:
    await peer.accept()
    await peer.send(struct.pack(">H", 1000), opcode=CLOSE)


async def ends_at_once(peer: Peer) -> None:
    await peer.accept()


async def resets(peer: Peer) -> None:
    await peer.accept()
    peer.writer.transport.abort()


async def is_mute(peer: Peer) -> None:
    await peer.accept()
    await peer.listen()


async def only_heartbeats(peer: Peer) -> None:
    await peer.accept()
    listening = asyncio.ensure_future(peer.listen())
    while not listening.done():
        await peer.send(b"")  # a message in which there is nothing
        await asyncio.wait([listening], timeout=0.02)


async def is_deaf(peer: Peer) -> None:
    """Read nothing and answer nothing, as behind a cable that was pulled: no FIN, no reset."""
    await peer.accept()
    peer.writer.transport.pause_reading()
    await asyncio.Event().wait()


async def drips(peer: Peer) -> None:
    """Send one message a byte at a time, so slowly that it never ends."""
    await peer.accept()
    for byte in frame(BINARY, bytes(100_000)):
        await peer.write(bytes([byte]))
        await asyncio.sleep(0.05)


async def never_lets_go(peer: Peer) -> None:
    """Send a tick, then take no part in closing."""
    await peer.accept()
    await peer.send(tick())
    await peer.listen(answer=False)


async def floods_with_pings(peer: Peer) -> None:
    await peer.accept()
    reading = asyncio.ensure_future(peer.listen())
    while not reading.done():
        await peer.write(frame(PING, b"ping") * 50)
        await asyncio.sleep(0.005)


def closes_with(code: int, reason: str = "") -> Mode:
    async def closes(peer: Peer) -> None:
        await peer.accept()
        await peer.send(struct.pack(">H", code) + reason.encode(), opcode=CLOSE)
        await peer.listen()

    closes.__name__ = f"closes with {code}"
    return closes


async def ticks(peer: Peer) -> None:
    """A server as it should be: ticks until the client goes."""
    await peer.accept()
    listening = asyncio.ensure_future(peer.listen())
    while not listening.done():
        await peer.send(tick())
        await asyncio.wait([listening], timeout=0.005)


async def one_tick(peer: Peer) -> None:
    """One tick, then the end."""
    await peer.accept()
    await peer.send(tick())


BEFORE = [no_http, never_answers, answers_slowly, slams_the_door, http("503 Service Unavailable")]
AFTER = [
    garbage, reserved_bits, bad_opcode, cut_in_a_frame, claims_a_terabyte, floods_one_message,
    crumbles_one_message, sends_a_bomb, closes_at_once, ends_at_once, resets, is_mute, only_heartbeats,
    is_deaf, drips, never_lets_go, floods_with_pings, ticks,
]  # fmt: skip
