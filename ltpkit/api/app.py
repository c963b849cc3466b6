"""The whole web application: routes, their document, and what stands around them.

`create_app` puts it together. What else is served on the same port, as the dashboard, is added where that
says so: behind the same guard.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any, Final

from fastapi import Depends, FastAPI
from fastapi_offline import FastAPIOffline
from pydantic import SecretStr
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp

import ltpkit
from ltpkit.api import market, models, monitoring, questions, sockets, subscriptions
from ltpkit.api.guard import Guard, Limits
from ltpkit.api.parameters import only_declared
from ltpkit.api.problems import MEDIA_TYPE, add_handlers
from ltpkit.api.requests import CORRELATION_HEADER, Observed
from ltpkit.service import Delivery, RealTimeSyncService
from ltpkit.service.metrics import Metrics

__all__ = ["App", "create_app"]

_ABOUT: Final = """\
The market that one process receives, for other programs: subscribe over REST, receive over a WebSocket.

`GET /api/v1/realtime/ws/{subscription_id}` is a WebSocket. It sends one JSON object a message:

* `{"type": "ltp_update", "symbol", "exchange", "ltp", "change", "change_percent", "timestamp", …, "seq"}`;
  `quote_update` the same for a tick without a price; `depth_update` with `bids` and `asks` where `depth` was
  asked for;
* `{"type": "status", "state", "seq", …}` at the beginning and whenever the state changes;
* `{"type": "gap", "why", …}` for what is missing, with `first_seq` and `last_seq` where rows were left out
  for this connection;
* `{"type": "heartbeat", "state", "seq", "delivered", "conflated"}`.

`?after_seq=N` goes on after the tick with `seq` N. The subprotocol `ltpkit.arrow` sends ticks and books as
Arrow IPC streams in binary messages. With a token, the first message is `{"token": "…"}` where no header
can be set.
"""

_ANYWHERE: Final = {
    "400": "The request cannot be read.",
    "401": "The token is missing or wrong.",
    "403": "The page or the host name is not allowed.",
    "404": "There is no such thing.",
    "405": "That can be asked with another method.",
    "413": "The request is too large.",
    "422": "A parameter or the body is not valid.",
    "429": "Too many requests.",
    "500": "An error that we did not expect.",
    "503": "The stream is stopped, or the service is full.",
}


class App:
    """What uvicorn runs, with the parts that its server has to reach.

    Attributes
    ----------
    routes : FastAPI
        The application inside, where more can be mounted.
    delivery : Delivery
        What fills the WebSockets.
    """

    def __init__(self, routes: FastAPI, outermost: ASGIApp, delivery: Delivery) -> None:
        self.routes, self.delivery = routes, delivery
        self._outermost = outermost

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request or connection."""
        await self._outermost(scope, receive, send)


def create_app(
    service: RealTimeSyncService,
    *,
    token: SecretStr | None = None,
    hosts: Collection[str] = (),
    origins: Collection[str] = (),
    limits: Limits | None = None,
) -> App:
    """Return the application over a started service.

    Parameters
    ----------
    service : RealTimeSyncService
    token, hosts, origins, limits
        As of `Guard`.
    """
    stream = service.stream
    delivery = Delivery(service, heartbeat_s=stream._settings.heartbeat_interval_s)
    metrics = Metrics(service)
    sandbox = stream.sandbox() if stream._settings.service_sql else None

    @asynccontextmanager
    async def following(app: FastAPI) -> AsyncIterator[None]:
        delivery.start()
        yield
        delivery.stop()
        metrics.close()
        if sandbox is not None:
            sandbox.close()

    routes = FastAPIOffline(
        title="ltpkit",
        version=ltpkit.__version__,
        description=_ABOUT,
        redoc_url=None,
        lifespan=following,
    )
    routes.state.service, routes.state.delivery = service, delivery
    routes.state.metrics, routes.state.sandbox = metrics, sandbox
    add_handlers(routes)
    for part in (subscriptions, market, questions, monitoring):
        routes.include_router(part.router, dependencies=[Depends(only_declared)])
    routes.include_router(sockets.router)
    _describe_problems(routes)
    from ltpkit.app import mount  # Panel takes a second to load: for a server, not for who asks its types

    mount(routes, stream, sandbox=sandbox)
    routes.add_route("/", _to_the_dashboard, include_in_schema=False)
    inner: ASGIApp = routes
    if origins:
        inner = CORSMiddleware(
            inner,
            allow_origins=list(origins),
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["Authorization", "Content-Type", CORRELATION_HEADER],
            expose_headers=[CORRELATION_HEADER],
        )
    guarded = Guard(inner, token=token, hosts=hosts, origins=origins, limits=limits)
    return App(routes, Observed(guarded, metrics.observe_request), delivery)


def _to_the_dashboard(request: Request) -> Response:
    """Send who gives the service's bare address on to the page that is there."""
    return RedirectResponse("/dashboard")


def _describe_problems(routes: FastAPI) -> None:
    """Have the OpenAPI document say that every error is a problem, and which there are anywhere."""
    made = routes.openapi

    def openapi() -> dict[str, Any]:
        if routes.openapi_schema is None:
            document = made()
            schemas = document["components"]["schemas"]
            schemas["Problem"] = models.Problem.model_json_schema()
            for unused in ("HTTPValidationError", "ValidationError"):
                schemas.pop(unused, None)
            content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
            for path in document["paths"].values():
                for operation in path.values():
                    answers = operation["responses"]
                    for status, why in _ANYWHERE.items():
                        answers.setdefault(status, {"description": why})
                    for status, one in answers.items():
                        if status == "422" or (int(status) >= 400 and "content" not in one):
                            one["content"] = content
            routes.openapi_schema = document
        return routes.openapi_schema

    routes.openapi = openapi  # type: ignore[method-assign]  # as FastAPI's manual has it done
