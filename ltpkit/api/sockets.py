"""The WebSocket of a subscription: prices as they come, at the pace the subscription asked for."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Annotated, Final

import polars as pl
from fastapi import APIRouter, Query, WebSocket
from starlette.websockets import WebSocketDisconnect

from ltpkit.api.problems import problem
from ltpkit.api.wire import EXTENSION
from ltpkit.errors import UnknownSubscription
from ltpkit.schema import polars_schema
from ltpkit.service import Delivery, Outlet
from ltpkit.service.updates import BOOKS, TICK, Update, framed

__all__ = ["ARROW", "JSON", "router"]

ARROW: Final = "ltpkit.arrow"
JSON: Final = "ltpkit.json"

_STALLED_S: Final = 30.0
_CLOSE_S: Final = 1.0
_MOST_MESSAGES: Final = 100  # from a client, which has nothing to say

_Sender = Callable[[list[bytes], list[Update]], Awaitable[None]]

router = APIRouter()


@router.websocket("/api/v1/realtime/ws/{subscription_id}")
async def updates(
    socket: WebSocket,
    subscription_id: str,
    after_seq: Annotated[int | None, Query(ge=0, le=2**63 - 1)] = None,
) -> None:
    """Send a subscription's updates until it ends, or the client goes."""
    delivery: Delivery = socket.app.state.delivery
    try:
        outlet = Outlet(socket.app.state.service.subscription(subscription_id))
    except UnknownSubscription as error:
        await socket.send_denial_response(problem(404, str(error), kind="unknown-subscription"))
        return
    offered = socket.scope["subprotocols"]
    chosen = next((one for one in (ARROW, JSON) if one in offered), None)
    await socket.accept(chosen)
    sender = _sender(socket, arrow=chosen == ARROW)
    both = {
        asyncio.ensure_future(_write(delivery, outlet, after_seq, sender)),
        asyncio.ensure_future(_read(socket)),
    }
    try:
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in both:
                task.cancel()
            await asyncio.wait(both)
        for task in both:
            if not task.cancelled():
                task.result()
        code, why = (1001, outlet.ending) if outlet.ending else (1008, "too much was said, or too slow")
        with contextlib.suppress(WebSocketDisconnect, RuntimeError, TimeoutError):  # it has gone already
            async with asyncio.timeout(_CLOSE_S):
                await socket.close(code, why)
    finally:
        delivery.leave(outlet)


async def _write(delivery: Delivery, outlet: Outlet, after_seq: int | None, send: _Sender) -> None:
    with contextlib.suppress(WebSocketDisconnect, TimeoutError):
        async for part in delivery.join(outlet, after_seq):
            await _within(send(outlet.notes(), part))
        while True:
            notes, news = await outlet.take()
            if not notes and not news:
                return
            await _within(send(notes, news))


async def _within(sending: Awaitable[None]) -> None:
    async with asyncio.timeout(_STALLED_S):
        await sending


async def _read(socket: WebSocket) -> None:
    """Return when the client has gone, or has said too much."""
    for _ in range(_MOST_MESSAGES):
        if (await socket.receive())["type"] == "websocket.disconnect":
            return


def _sender(socket: WebSocket, *, arrow: bool) -> _Sender:
    """Return what sends messages and updates, in as few writes as the server can."""

    async def arrows(notes: list[bytes], news: list[Update]) -> None:
        for note in notes:
            await socket.send_text(note.decode())
        for kind in (TICK, BOOKS):
            if rows := tuple(one for one in news if one.kind == kind):
                await socket.send_bytes(_ipc(kind, rows))

    async def texts(notes: list[bytes], news: list[Update]) -> None:
        for text in (*notes, *(one.text for one in news)):
            await socket.send_text(text.decode())

    async def frames(notes: list[bytes], news: list[Update]) -> None:
        joined = b"".join((*map(framed, notes), *(one.frame for one in news)))
        if joined:
            await socket.send({"type": "websocket.send", "frames": joined})

    if arrow:
        return arrows
    return frames if EXTENSION in socket.scope.get("extensions", {}) else texts


@lru_cache(maxsize=4)
def _ipc(kind: str, updates: tuple[Update, ...]) -> bytes:
    """Return rows as an Arrow IPC stream of their own: schema and one batch.

    Connections that were offered the same updates are sent the same bytes, made once.
    """
    out = io.BytesIO()
    frame = pl.DataFrame([one.row for one in updates], schema=polars_schema(kind), orient="row")
    frame.write_ipc_stream(out, compat_level=pl.CompatLevel.oldest())
    return out.getvalue()
