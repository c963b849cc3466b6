"""The connection, against a small real server that plays frames, refuses and hangs up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import numpy as np
import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from ltpkit.batch import Event, Goodbye, Received
from ltpkit.connection import Connection, Policy
from ltpkit.errors import ConnectionFailed, LoginRefused, SettingError

pytestmark = pytest.mark.anyio

QUICK = Policy(first_wait_s=0.01, longest_wait_s=0.02, open_s=2, close_s=0.5)
Handler = Callable[[ServerConnection], Awaitable[None]]


class Watched:
    """A connection, what it brought, and events to wait on instead of sleeping."""

    def __init__(
        self,
        url: str,
        policy: Policy = QUICK,
        *,
        rows: bool = True,
        final: tuple[int, ...] = (),
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        self.frames: list[bytes] = []
        self.batches: list[tuple[list[bytes], Received]] = []
        self.events: list[Event] = []
        self._changed = asyncio.Event()
        self.rows = rows
        self.greeting = ["hello"]
        self.connection = Connection(
            name="test",
            address=lambda: url,
            greet=lambda: self.greeting,
            deliver=self._deliver,
            judge=lambda code, reason: "stop" if code in final else "retry",
            note=self._note,
            policy=policy,
            headers=None if headers is None else lambda: headers,
            **more,
        )

    def _deliver(self, frames: list[bytes], received_at: Received) -> bool:
        self.frames += frames
        self.batches.append((frames, received_at))
        self._changed.set()
        return self.rows

    def _note(self, event: Event) -> None:
        self.events.append(event)
        self._changed.set()

    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]

    async def until(self, reached: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not reached():
                self._changed.clear()
                await self._changed.wait()


@asynccontextmanager
async def running(watched: Watched) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.ensure_future(watched.connection.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task], timeout=3)
        assert task.done()


@asynccontextmanager
async def server(handler: Handler, **options: object) -> AsyncIterator[str]:
    async with serve(handler, "127.0.0.1", 0, compression=None, **options) as served:  # type: ignore[arg-type]
        port = next(iter(served.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}/?token=s3cret"


async def test_frames_of_one_read_are_handed_over_together_in_order() -> None:
    async def play(peer: ServerConnection) -> None:
        await peer.recv()
        for n in range(1000):
            await peer.send(f"tick {n}")
        await peer.wait_closed()

    async with server(play) as url:
        watched = Watched(url)
        async with running(watched):
            await watched.until(lambda: len(watched.frames) == 1000)
    assert watched.frames == [f"tick {n}".encode() for n in range(1000)]
    assert len(watched.batches) < 500
    for frames, received_at in watched.batches:
        assert isinstance(received_at, int) or len(received_at) == len(frames)
    times = np.concatenate([np.broadcast_to(at, (len(frames),)) for frames, at in watched.batches])
    assert (np.diff(times) >= 0).all()


async def test_fragments_are_put_together() -> None:
    async def play(peer: ServerConnection) -> None:
        await peer.send([b"ab", b"cd", b"ef"])
        await peer.send("whole")
        await peer.wait_closed()

    async with server(play) as url:
        watched = Watched(url)
        async with running(watched):
            await watched.until(lambda: len(watched.frames) == 2)
    assert watched.frames == [b"abcdef", b"whole"]


async def test_the_greeting_is_sent_again_after_a_reconnect_as_it_is_wanted_then() -> None:
    heard: list[str] = []

    async def play(peer: ServerConnection) -> None:
        heard.append(str(await peer.recv()))
        await peer.send("tick")
        if len(heard) == 1:
            await peer.close(1012, "restarting")
        await peer.wait_closed()

    async with server(play) as url:
        watched = Watched(url)
        async with running(watched):
            await watched.until(lambda: len(watched.frames) == 1)
            watched.greeting = ["hello again"]
            await watched.until(lambda: len(watched.frames) == 2)
    assert heard == ["hello", "hello again"]
    assert watched.connection.opened == 2
    gone = next(event for event in watched.events if event.kind == "disconnected")
    assert gone.detail == {"code": 1012, "reason": "restarting"}


async def test_frames_that_arrive_with_the_end_of_the_line_are_not_lost() -> None:
    async def play(peer: ServerConnection) -> None:
        for n in range(50):
            await peer.send(f"{n}")
        peer.transport.close()

    async with server(play) as url:
        watched = Watched(url, Policy(gather_s=1.0, first_wait_s=5, longest_wait_s=5))
        async with running(watched):
            await watched.until(lambda: "disconnected" in watched.kinds())
            assert watched.frames == [f"{n}".encode() for n in range(50)]


@pytest.mark.parametrize("status", [HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN])
async def test_refused_login_is_not_retried(status: HTTPStatus) -> None:
    tries = 0

    def refuse(peer: ServerConnection, request: Request) -> Response:
        nonlocal tries
        tries += 1
        return peer.respond(status, "the token has expired")

    async def never(peer: ServerConnection) -> None:
        raise AssertionError

    async with server(never, process_request=refuse) as url:
        watched = Watched(url, final=(401, 403))
        async with running(watched) as task:
            await asyncio.wait_for(task, 5)
    error = watched.connection.last_error
    assert isinstance(error, LoginRefused)
    assert (error.code, tries, watched.connection.state) == (status, 1, "refused")
    assert "the token has expired" in str(error)


async def test_retry_after_is_honoured() -> None:
    def refuse(peer: ServerConnection, request: Request) -> Response:
        response = peer.respond(HTTPStatus.TOO_MANY_REQUESTS, "slow down")
        response.headers["Retry-After"] = "37"
        return response

    async def never(peer: ServerConnection) -> None:
        raise AssertionError

    async with server(never, process_request=refuse) as url:
        watched = Watched(url)
        async with running(watched):
            await watched.until(lambda: "backing_off" in watched.kinds())
    assert watched.events[-1].kind in ("backing_off", "stopped")
    waits = [event.detail["wait_s"] for event in watched.events if event.kind == "backing_off"]
    assert waits == [37.0]


async def test_a_server_that_accepts_and_closes_is_given_up_after_the_attempts_allowed() -> None:
    async def slam(peer: ServerConnection) -> None:
        await peer.close()

    async with server(slam) as url:
        policy = Policy(attempts=3, first_wait_s=0.001, longest_wait_s=0.002)
        watched = Watched(url, policy)
        async with running(watched) as task:
            await asyncio.wait_for(task, 5)
    assert watched.connection.opened == 4
    assert isinstance(watched.connection.last_error, ConnectionFailed)
    assert "given up after 4 tries" in str(watched.connection.last_error)


async def test_a_mute_line_is_left_although_it_answers_pings() -> None:
    async def mute(peer: ServerConnection) -> None:
        await peer.wait_closed()

    async with server(mute) as url:
        watched = Watched(url, Policy(silence_s=0.05, first_wait_s=5, longest_wait_s=5))
        async with running(watched):
            await watched.until(lambda: "backing_off" in watched.kinds())
    assert "stale" in watched.kinds()
    assert "sent no rows for 0.05" in str(watched.connection.last_error)


async def test_a_broker_that_says_goodbye_for_good_is_not_called_again() -> None:
    async def play(peer: ServerConnection) -> None:
        await peer.send("goodbye")
        await peer.wait_closed()

    async with server(play) as url:
        watched = Watched(url)
        async with running(watched) as task:
            await watched.until(lambda: bool(watched.frames))
            watched.connection.take_leave(Goodbye(code=806, reason="Data API not subscribed", then="stop"))
            await asyncio.wait_for(task, 5)
    assert str(watched.connection.last_error) == (
        "test refused the connection (806: Data API not subscribed). It was not retried."
    )


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "not an address", "ws://[half/"])
async def test_an_address_that_is_no_websocket_is_refused_at_once(url: str) -> None:
    watched = Watched(url)
    async with running(watched) as task:
        await asyncio.wait_for(task, 5)
    assert isinstance(watched.connection.last_error, SettingError)


async def test_an_address_nobody_listens_at_is_told_without_its_token() -> None:
    async def never(peer: ServerConnection) -> None:
        raise AssertionError

    async with server(never) as url:
        pass  # closed again: the port is free
    watched = Watched(url, Policy(first_wait_s=5, longest_wait_s=5))
    async with running(watched):
        await watched.until(lambda: "backing_off" in watched.kinds())
    said = str(watched.connection.last_error) + repr(watched.events)
    assert "cannot be reached" in said
    assert "s3cret" not in said
