"""Subscribing and listening as another program does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

BASE = "/api/v1/realtime"
LIMIT_S = 20


def subscribe(http: httpx.Client, *symbols: str, **more: Any) -> dict[str, Any]:
    answer = http.post(f"{BASE}/subscribe", json={"symbols": symbols, **more})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


@contextmanager
def listening(address: str, **more: Any) -> Iterator[ClientConnection]:
    # A queue without an end: this client does not hear the answer to its goodbye while its queue is full.
    with connect(address, open_timeout=LIMIT_S, **{"max_queue": None, "close_timeout": 1, **more}) as socket:
        yield socket


def messages(socket: ClientConnection, kind: str | None = None) -> Iterator[dict[str, Any]]:
    """Yield the messages, or those of one kind."""
    while True:
        message = json.loads(socket.recv(LIMIT_S))
        if kind is None or message["type"] == kind:
            yield message


def take(socket: ClientConnection, kind: str, count: int) -> list[dict[str, Any]]:
    """Return the next messages of one kind."""
    found = messages(socket, kind)
    return [next(found) for _ in range(count)]
