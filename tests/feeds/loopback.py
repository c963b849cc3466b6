"""A real server on the loopback interface: it answers what a feed asks, and sends what a test says."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterable
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

__all__ = ["Loopback"]


class Loopback:
    """A broker in small; a context manager with its own thread.

    Parameters
    ----------
    answer : callable
        Takes each request, read as JSON, and returns the text frames to send back.

    Attributes
    ----------
    url : str
        Address for the client.
    requests : list of dict
        Every request, in order, over all connections.
    paths : list of str
        The path of every connection.
    """

    def __init__(self, answer: Callable[[dict[str, Any]], Iterable[bytes]]) -> None:
        self._answer = answer
        self._client: ServerConnection | None = None
        self.url = ""
        self.requests: list[dict[str, Any]] = []
        self.paths: list[str] = []

    def __enter__(self) -> Loopback:
        started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main(started)), daemon=True)
        self._thread.start()
        assert started.wait(10)
        return self

    def __exit__(self, *exc: object) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(10)

    def send(self, *frames: bytes) -> None:
        """Send these to the client that is connected."""
        asyncio.run_coroutine_threadsafe(self._send(frames), self._loop).result(10)

    def hang_up(self) -> None:
        """Cut the line without a word."""
        assert self._client is not None
        self._loop.call_soon_threadsafe(self._client.transport.abort)

    async def _main(self, started: threading.Event) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        async with serve(self._talk, "127.0.0.1", 0, compression=None, close_timeout=1) as server:
            self.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            started.set()
            await self._stopping.wait()

    async def _talk(self, client: ServerConnection) -> None:
        self._client = client
        assert client.request is not None
        self.paths.append(client.request.path)
        try:
            async for message in client:
                request = json.loads(message)
                self.requests.append(request)
                await self._send(self._answer(request))
        except ConnectionClosed:
            pass

    async def _send(self, frames: Iterable[bytes]) -> None:
        assert self._client is not None
        for frame in frames:
            await self._client.send(frame, text=True)
