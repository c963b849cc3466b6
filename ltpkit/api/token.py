"""The token that a service asks for: where callers show it, and what browsers get in its place.

It is taken out of the address before anything further in sees it, compared in constant time, and held by
nobody else.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import parse_qsl, urlencode

import msgspec
from pydantic import SecretStr
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

__all__ = ["Token", "take_from_address", "tries_one"]

_COOKIE: Final = "ltpkit"
_FIRST_MESSAGE_S: Final = 10.0


class Token:
    """The token of one service.

    Parameters
    ----------
    secret : SecretStr
    """

    def __init__(self, secret: SecretStr) -> None:
        self._secret = secret.get_secret_value().encode()

    def is_shown(self, headers: Headers, in_address: str | None) -> bool:
        """Return whether it stands in the headers, in the address, or in the cookie that stands for it."""
        kind, _, bearer = headers.get("authorization", "").partition(" ")
        if kind.casefold() == "bearer" and self.matches(bearer.strip()):
            return True
        if in_address is not None and self.matches(in_address):
            return True
        cookie = _cookie_in(headers)
        return cookie is not None and _same(cookie, self._ticket().encode())

    def cookie(self) -> str:
        """Return the cookie for a browser that came with the token in the address."""
        return f"{_COOKIE}={self._ticket()}; Path=/; HttpOnly; SameSite=Strict"

    def ask_first(self, receive: Receive, send: Send) -> tuple[Receive, Send]:
        """Return the two, so that nothing goes out before the first message has brought the token."""
        proven = asyncio.Event()
        accepted = asyncio.Event()

        async def asking() -> Message:
            if proven.is_set() or not accepted.is_set():
                return await receive()
            try:
                async with asyncio.timeout(_FIRST_MESSAGE_S):
                    message = await receive()
            except TimeoutError:
                message = {"type": "websocket.receive", "text": ""}
            if message["type"] != "websocket.receive":
                return message
            if self.matches(_token_of(message)):
                proven.set()
                return await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": "the token was expected first"})
            return {"type": "websocket.disconnect", "code": 1008}

        async def waiting(message: Message) -> None:
            if message["type"] == "websocket.accept":
                accepted.set()
            elif message["type"] == "websocket.send":
                await proven.wait()
            await send(message)

        return asking, waiting

    def matches(self, shown: str) -> bool:
        """Return whether this is it."""
        return _same(shown, self._secret)

    def _ticket(self) -> str:
        """Return what a browser is given in its place: of no use for finding it out."""
        return hmac.new(self._secret, b"ltpkit cookie", hashlib.sha256).hexdigest()

    def __repr__(self) -> str:
        return "<Token ***>"


def take_from_address(scope: Scope) -> str | None:
    """Return the query's token and take it out, so that nothing further in can write it anywhere."""
    query = scope["query_string"].decode("latin-1")
    if "token=" not in query:
        return None
    pairs = parse_qsl(query, keep_blank_values=True)
    scope["query_string"] = urlencode([pair for pair in pairs if pair[0] != "token"]).encode()
    return next((value for name, value in pairs if name == "token"), None)


def tries_one(headers: Headers, in_address: str | None) -> bool:
    """Return whether a token is shown at all, right or wrong."""
    return in_address is not None or "authorization" in headers or _cookie_in(headers) is not None


def _same(shown: str, known: bytes) -> bool:
    """Compare in a time that does not tell where they differ."""
    return hmac.compare_digest(shown.encode(errors="replace"), known)


def _token_of(message: Message) -> str:
    """Return the token in ``{"token": "…"}``, or nothing."""
    try:
        said = msgspec.json.decode(message.get("text") or message.get("bytes") or b"")
    except msgspec.DecodeError:
        return ""
    token = said.get("token") if isinstance(said, dict) else None
    return token if isinstance(token, str) else ""


def _cookie_in(headers: Headers) -> str | None:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(_COOKIE)
    except CookieError:
        return None
    return None if found is None else found.value
