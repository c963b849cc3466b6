"""A real server on the loopback interface that plays a recorded Binance capture.

A capture is text, one message a line, ``recv_ns payload``; a line without ``stream`` is the REST
answer with the whole book, stored where it arrived. `CaptureServer` sends the lines over a WebSocket
and answers the book over HTTP on the same port, so that a client under test goes the way it would
go with the exchange:

    with CaptureServer(path) as server:
        client = ...                        # url=server.url, rest_url=server.rest_url
        server.play_until(1000)             # and hold there
        server.wait_until(1000)
        ...
        server.play_on()

**The book over HTTP.** The sequence rule needs a snapshot that is not older than the first change
the client got, and the truth files apply the recorded snapshot at its own line. So where a client
subscribed to depth, playing holds at the first snapshot's line until the client has asked for the
book and has been answered with exactly that recorded text; the changes sent before it are those
the truth files keep and replay. An earlier request waits for that line. A later one (after a gap or a
reconnect) is answered with the book as it stands after the lines played so far, lines left out
included, as the exchange's own book would.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
from collections.abc import Coroutine, Iterable, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

_DEPTH_PATHS = ("/api/v3/depth", "/fapi/v1/depth")
_T = TypeVar("_T")


def read_capture(*paths: Path) -> list[tuple[int, bytes]]:
    """Return (receive time in ns, payload) of every line, of several files one after the other."""
    lines: list[tuple[int, bytes]] = []
    for path in paths:
        with gzip.open(path) as file:
            for line in file:
                received_ns, _, payload = line.rstrip(b"\n").partition(b" ")
                lines.append((int(received_ns), payload))
    return lines


class CaptureServer:
    """Plays a capture to whoever subscribes; a context manager with its own thread.

    One capture is played once: a client that comes back goes on where the one before ended. Lines are
    counted from 1, as in the truth files. Only streams that were subscribed are sent.

    Parameters
    ----------
    lines : paths or lines of `read_capture`
        What to play.
    speed : float, optional
        1 keeps the recorded pace, 10 is ten times as fast. By default as fast as the socket takes it.
    skip : iterable of int
        Lines that are never sent: what a client should notice as missing.
    corrupt : dict of int to bytes
        Other payloads to send in the place of these lines.
    hold_at : int, optional
        Do not play beyond this line until told to, as by `play_until` before the client comes.

    Attributes
    ----------
    url, rest_url : str
        Base addresses for the client.
    requests : list of dict
        Every JSON message received, in order.
    paths : list of str
        The path and query of every HTTP request, WebSocket handshakes included.
    """

    def __init__(
        self,
        *lines: Path | Sequence[tuple[int, bytes]],
        speed: float | None = None,
        skip: Iterable[int] = (),
        corrupt: dict[int, bytes] | None = None,
        hold_at: int | None = None,
    ) -> None:
        self.lines: list[tuple[int, bytes]] = []
        for some in lines:
            self.lines += read_capture(some) if isinstance(some, Path) else some
        self._book_lines = [
            number
            for number, (_, payload) in enumerate(self.lines, 1)
            if payload.startswith(b'{"lastUpdateId"')
        ]
        self._speed, self._skip, self._corrupt = speed, frozenset(skip), dict(corrupt or {})
        self._limit = len(self.lines) if hold_at is None else hold_at
        self._at = 0  # lines played
        self._marks = {len(self.lines), *self._book_lines}  # lines that someone may wait for
        self._answered = False  # the recorded book was given out
        self._subscribed: set[str] = set()
        self._client: ServerConnection | None = None
        self.requests: list[dict[str, Any]] = []
        self.paths: list[str] = []

    # Called by the test -------------------------------------------------------------------------

    def __enter__(self) -> CaptureServer:
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,), name="capture server", daemon=True)
        self._thread.start()
        assert started.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(10)
        assert not self._thread.is_alive()

    @property
    def played(self) -> int:
        """How many lines were played so far."""
        return self._at

    def play_until(self, line: int) -> None:
        """Play up to and including this line, and hold there."""
        self._call(self._set_limit(line))

    def play_on(self) -> None:
        """Play to the end."""
        self.play_until(len(self.lines))

    def wait_until(self, line: int | None = None, timeout_s: float = 30.0) -> None:
        """Wait until this line was sent; the last one without a number."""
        wanted = len(self.lines) if line is None else line
        self._marks.add(wanted)
        self._call(self._until(lambda: self._at >= wanted), timeout_s)

    def wait_for_client(self, timeout_s: float = 10.0) -> None:
        """Wait until a client has subscribed to something."""
        self._call(self._until(lambda: self._client is not None and bool(self._subscribed)), timeout_s)

    def drop(self) -> None:
        """Cut the client's connection without a word, as a broken network would."""
        self._call(self._drop())

    def close(self, code: int = 1001, reason: str = "") -> None:
        """Close the client's connection as the exchange does."""
        self._call(self._close(code, reason))

    def _call(self, work: Coroutine[Any, Any, _T], timeout_s: float = 10.0) -> _T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout_s)

    # On the server's own loop -------------------------------------------------------------------

    def _run(self, started: threading.Event) -> None:
        asyncio.run(self._main(started))

    async def _main(self, started: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self._changed = asyncio.Condition()
        # An answer may wait long for its line: the handshake has no time limit here.
        server: Server
        async with serve(
            self._talk,
            "127.0.0.1",
            0,
            compression=None,
            open_timeout=None,
            close_timeout=1,
            process_request=self._answer,
        ) as server:
            port = server.sockets[0].getsockname()[1]
            self.url, self.rest_url = f"ws://127.0.0.1:{port}", f"http://127.0.0.1:{port}"
            player = asyncio.create_task(self._play())
            started.set()
            await self._stopping.wait()
            player.cancel()
            await asyncio.gather(player, return_exceptions=True)

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _until(self, true: Any) -> None:
        async with self._changed:
            await self._changed.wait_for(true)

    async def _set_limit(self, line: int) -> None:
        self._limit = line
        await self._tell()

    async def _drop(self) -> None:
        if self._client is not None:
            self._client.transport.abort()
            await self._client.wait_closed()

    async def _close(self, code: int, reason: str) -> None:
        if self._client is not None:
            await self._client.close(code, reason)

    async def _talk(self, client: ServerConnection) -> None:
        """Read what a client asks for, until it goes."""
        self._subscribed.clear()
        self._client = client
        try:
            async for message in client:
                request = json.loads(message)
                self.requests.append(request)
                streams = {_kind(stream) for stream in request.get("params", ())}
                if request["method"] == "SUBSCRIBE":
                    self._subscribed |= streams
                elif request["method"] == "UNSUBSCRIBE":
                    self._subscribed -= streams
                await client.send(json.dumps({"result": None, "id": request["id"]}))
                await self._tell()
        except ConnectionClosed:
            pass
        finally:
            if self._client is client:
                self._client = None
                self._subscribed.clear()

    async def _play(self) -> None:
        began: float | None = None  # loop time at which the capture's time 0 falls
        while self._at < len(self.lines):
            if not self._may_go_on():
                await self._until(self._may_go_on)
                began = None
            received_ns, payload = self.lines[self._at]
            if self._speed is not None:
                due = received_ns / 1e9 / self._speed
                began = self._loop.time() - due if began is None else began
                await asyncio.sleep(began + due - self._loop.time())
            client = self._client
            if client is None:
                continue
            try:
                await self._send(client, self._at + 1, payload)
            except ConnectionClosed:
                if self._client is client:  # `_talk` will notice as well; this line waits for the next client
                    self._client = None
                continue
            self._at += 1
            if self._at in self._marks:
                await self._tell()
            elif self._at % 64 == 0:
                await asyncio.sleep(0)  # sending gives way only when the socket is full

    def _may_go_on(self) -> bool:
        return (
            self._client is not None
            and bool(self._subscribed)
            and self._at < self._limit
            and not (self._at + 1 > self._first_book() and not self._answered and self._wants_depth())
        )

    def _first_book(self) -> int:
        return self._book_lines[0] if self._book_lines else len(self.lines) + 1

    def _wants_depth(self) -> bool:
        return any(stream.endswith("@depth") for stream in self._subscribed)

    async def _send(self, client: ServerConnection, line: int, payload: bytes) -> None:
        if line in self._skip or line in self._book_lines:
            return
        if _kind(payload[11 : payload.index(b'"', 11)].decode()) not in self._subscribed:
            return
        await client.send(self._corrupt.get(line, payload), text=True)

    async def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        self.paths.append(request.path)
        if not request.path.startswith(_DEPTH_PATHS):
            return None
        await self._until(lambda: self._at >= self._first_book())
        body = self.lines[self._first_book() - 1][1] if not self._answered else self._book_now()
        response = connection.respond(HTTPStatus.OK, body.decode())
        del response.headers["Content-Type"]
        response.headers["Content-Type"] = "application/json"
        self._answered = True
        await self._tell()
        return response

    def _book_now(self) -> bytes:
        """Return the book after the lines played so far, from plain dicts of the texts as sent."""
        book: dict[str, Any] = json.loads(self.lines[self._first_book() - 1][1])
        sides = {side: dict(book[name]) for side, name in (("b", "bids"), ("a", "asks"))}
        for _, payload in self.lines[: self._at]:
            if b'"depthUpdate"' not in payload:
                continue
            change = json.loads(payload)["data"]
            if change["u"] <= book["lastUpdateId"]:
                continue
            book["lastUpdateId"] = change["u"]
            for side, levels in sides.items():
                for price, qty in change[side]:
                    if float(qty):
                        levels[price] = qty
                    else:
                        levels.pop(price, None)
        bids = sorted(sides["b"].items(), key=lambda level: -float(level[0]))
        asks = sorted(sides["a"].items(), key=lambda level: float(level[0]))
        return json.dumps({"lastUpdateId": book["lastUpdateId"], "bids": bids, "asks": asks}).encode()


def _kind(stream: str) -> str:
    """Return symbol and kind: the captures' ``@depth@0ms`` answers a wish for ``@depth@100ms``."""
    return "@".join(stream.split("@")[:2])
