"""Who may ask: one ASGI middleware around everything that is served, pages and sockets of others included.

A web page of another site may neither read prices nor subscribe: `Origin` and `Host` are checked on every
request and WebSocket. Where there is a token, everything but two probes needs it. Sizes, connections and
rates have limits.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

import msgspec
from pydantic import SecretStr
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ltpkit.api.problems import problem
from ltpkit.api.token import Token, take_from_address, tries_one
from ltpkit.logs import get_logger

__all__ = ["LOOPBACK", "Guard", "Limits", "is_loopback"]

LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")

#: Answer "alive" or "ready" and nothing else, for orchestrators that hold no token.
_PROBES: Final = ("/health/live", "/health/ready")
#: Sockets that may send the token as their first message, as pages cannot set headers on one.
_SOCKETS: Final = "/api/v1/realtime/ws/"
_MOST_ADDRESSES: Final = 10_000
_MOST_DIGITS: Final = 18
_MOST_WARNINGS: Final = 100
_LONGEST_ORIGIN: Final = 200

_HEADERS: Final = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    # A notebook on this machine may show the dashboard in a frame; nobody else may.
    "content-security-policy": "frame-ancestors 'self' http://localhost:* http://127.0.0.1:*",
}


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one service takes.

    Attributes
    ----------
    body_bytes : int
        Of a request.
    sockets : int
        WebSockets at a time.
    requests_per_second, burst : float
        From one address: in the long run, and at once.
    """

    body_bytes: int = 262_144
    sockets: int = 1_000
    requests_per_second: float = 200.0
    burst: float = 1_000.0


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches what listens at `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.casefold() == "localhost"


class Guard:
    """Lets through what is allowed, and refuses the rest with a problem.

    Parameters
    ----------
    app : ASGI application
    token : SecretStr or None
        Asked for everywhere but at two probes; None asks nobody.
    hosts : collection of str
        Names by which the service is called, besides addresses and loopback's own.
    origins : collection of str
        Pages that may ask besides the service's own, as ``https://ticks.example``.
    limits : Limits
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        token: SecretStr | None = None,
        hosts: Collection[str] = (),
        origins: Collection[str] = (),
        limits: Limits | None = None,
    ) -> None:
        self._app, self._limits = app, limits or Limits()
        self._token = None if token is None else Token(token)
        self._origins = frozenset(origins)
        self._hosts = frozenset(
            name.casefold()
            for name in (*LOOPBACK, *hosts, *(urlsplit(one).hostname or "" for one in origins))
        )
        self._sockets = 0
        self._rates: dict[str, tuple[float, float]] = {}
        self._warned: set[str] = set()
        self._log = get_logger("ltpkit.api")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or connection."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        in_address = take_from_address(scope)
        refusal = (
            self._wrong_host(headers)
            or self._wrong_origin(headers)
            or self._too_fast(scope)
            or self._too_large(headers)
        )
        token = self._token
        known = token is None or token.is_shown(headers, in_address)
        asks_first = not known and _may_ask_first(scope, headers, in_address)
        if refusal is None and not (known or asks_first or _is_open(scope, headers)):
            refusal = _without_token(headers, in_address)
        if refusal is None and scope["type"] == "websocket" and self._sockets >= self._limits.sockets:
            refusal = problem(503, f"There are {self._sockets:,} connections, as many as this service takes.")
        if refusal is not None:
            await _refuse(refusal, scope, receive, send)
        elif scope["type"] == "http":
            by_address = token is not None and in_address is not None and token.matches(in_address)
            cookie = token.cookie() if token is not None and by_address else None
            await self._app(scope, self._counted(receive), _with_headers(send, cookie))
        else:
            self._sockets += 1
            try:
                if token is not None and asks_first:
                    receive, send = token.ask_first(receive, send)
                await self._app(scope, receive, send)
            finally:
                self._sockets -= 1

    # -- what is refused ------------------------------------------------------------------

    def _wrong_host(self, headers: Headers) -> Response | None:
        """Refuse a name that is not ours: behind it may be a page whose name was pointed at this machine."""
        name = _name(headers.get("host", ""))
        if name in self._hosts or _is_address(name):
            return None
        return problem(403, f"This service is not called {name or 'nothing'!r}.", kind="wrong-host")

    def _wrong_origin(self, headers: Headers) -> Response | None:
        origin = headers.get("origin")
        if origin is None or origin in self._origins:
            return None
        page, here = origin.partition("://")[2].casefold(), headers.get("host", "").casefold()
        if page and (page == here or _names_port(page) == _names_port(here)):
            return None
        self._warn_of(origin)
        why = "A page of another site may not use this service. LTPKIT_SERVICE_ORIGINS names those that may."
        return problem(403, why, kind="wrong-origin")

    def _warn_of(self, origin: str) -> None:
        """Log a refused origin, each once: a page can ask as often as it likes."""
        plain = ascii(origin[:_LONGEST_ORIGIN])[1:-1]
        if plain in self._warned or len(self._warned) >= _MOST_WARNINGS:
            return
        self._warned.add(plain)
        self._log.warning(f"origin {plain} refused; set LTPKIT_SERVICE_ORIGINS={plain} to let it in")

    def _too_fast(self, scope: Scope) -> Response | None:
        """Count a request of an address; refuse where it has used up what it may."""
        address, now = (scope.get("client") or ("", 0))[0], time.monotonic()
        if len(self._rates) > _MOST_ADDRESSES:
            self._rates.clear()
        left, at = self._rates.get(address, (self._limits.burst, now))
        left = min(self._limits.burst, left + (now - at) * self._limits.requests_per_second)
        self._rates[address] = (max(left - 1, 0), now)
        if left >= 1:
            return None
        return problem(
            429,
            f"More than {self._limits.requests_per_second:g} requests a second from one address.",
            headers={"Retry-After": "1"},
        )

    def _too_large(self, headers: Headers) -> Response | None:
        said = headers.get("content-length", "0")
        if said.isdecimal() and len(said) <= _MOST_DIGITS and int(said) <= self._limits.body_bytes:
            return None
        return problem(413, self._size_sentence())

    def _size_sentence(self) -> str:
        return f"A request may have {self._limits.body_bytes:,} bytes."

    def _counted(self, receive: Receive) -> Receive:
        """Return `receive`, ended where a body that did not say its size grows too large."""
        got = 0

        async def counted() -> Message:
            nonlocal got
            message = await receive()
            got += len(message.get("body", b""))
            if got > self._limits.body_bytes:
                raise HTTPException(413, self._size_sentence())
            return message

        return counted


def _without_token(headers: Headers, in_address: str | None) -> Response:
    """Return the refusal of who shows no token or a wrong one; a browser's says what its user can do."""
    if tries_one(headers, in_address):
        kind, why = "wrong-token", "The token that was shown is not the token of this service"
    else:
        kind, why = "token-needed", "This service asks for its token"
    how = "send the header 'Authorization: Bearer …'"
    if "text/html" in headers.get("accept", ""):
        how = "add ?token=… to the address once, and this browser is known from then on"
    return problem(401, f"{why}: {how}.", kind=kind, headers={"WWW-Authenticate": "Bearer"})


def _may_ask_first(scope: Scope, headers: Headers, in_address: str | None) -> bool:
    """Return whether the token may still come, as the first message of a socket that shows none."""
    ours = scope["type"] == "websocket" and scope["path"].startswith(_SOCKETS)
    return ours and in_address is None and "authorization" not in headers


def _is_open(scope: Scope, headers: Headers) -> bool:
    """Return whether it needs no token: a probe, or a browser's question whether it may ask."""
    preflight = scope.get("method") == "OPTIONS" and "access-control-request-method" in headers
    return scope["path"] in _PROBES or preflight


def _name(host: str) -> str:
    """Return the host of ``host:port`` or ``[host]:port``."""
    try:
        return (urlsplit(f"//{host}").hostname or "").casefold()
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _names_port(netloc: str) -> tuple[str, str]:
    """Return host and port, every name of this machine's loopback taken for the same."""
    name = _name(netloc)
    return "localhost" if name in LOOPBACK else name, netloc.rpartition(":")[2]


def _with_headers(send: Send, cookie: str | None) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            if cookie is not None:
                headers.append("set-cookie", cookie)
        await send(message)

    return sending


async def _refuse(refusal: Response, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": 1008})
            return
    await refusal(scope, receive, send)
