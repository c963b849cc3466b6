"""What each request is told apart by, and what is written down about it: the outermost middleware.

Gives every request and connection its correlation id, logs it, measures it, and answers an error that
nobody expected with a problem that says no more than that id.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ltpkit.api.problems import problem
from ltpkit.logs import correlated, get_logger

__all__ = ["CORRELATION_HEADER", "Observed"]

CORRELATION_HEADER = "X-Correlation-ID"

#: Takes the method, the route's template, the status and the seconds.
Observe = Callable[[str, str, int, float], None]


class Observed:
    """Sees a request from beginning to end.

    Parameters
    ----------
    app : ASGI application
    observe : callable
        Told of each request that was answered.
    """

    def __init__(self, app: ASGIApp, observe: Observe) -> None:
        self._app, self._observe = app, observe
        self._log = get_logger("ltpkit.api")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or connection."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 0
        with correlated(Headers(scope=scope).get(CORRELATION_HEADER)) as id:

            async def sending(message: Message) -> None:
                nonlocal status
                if message["type"].endswith(("response.start", "websocket.accept")):
                    status = message.get("status", 101)
                    MutableHeaders(scope=message)[CORRELATION_HEADER] = id
                await send(message)

            try:
                await self._app(scope, receive, sending)
            except Exception:
                self._log.exception("failed", path=scope["path"])
                if scope["type"] == "websocket" or status:
                    raise
                detail = "An error that we did not expect. The log has more under this correlation id."
                await problem(500, detail)(scope, receive, sending)
            seconds = time.perf_counter() - started
            route = getattr(scope.get("route"), "path", "other")
            method = scope.get("method", "WEBSOCKET")
            if scope["type"] == "http":
                self._observe(method, route, status, seconds)
            client = (scope.get("client") or ("",))[0]
            log = self._log.debug if status < 400 and scope["type"] == "http" else self._log.info
            log(
                "served",
                method=method,
                path=scope["path"],
                status=status,
                ms=round(seconds * 1000, 2),
                client=client,
            )
