"""Subscribing over REST. The updates themselves come over a WebSocket."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from ltpkit.api import models
from ltpkit.api.answers import JSON, as_json
from ltpkit.service import RealTimeSyncService

__all__ = ["router"]

router = APIRouter(prefix="/api/v1/realtime", tags=["subscriptions"])

Id = Annotated[str, Path(max_length=100, examples=["6f9c0d3e-52a1-4b58-9a7e-0c6f3c1d2b4a"])]

_UNKNOWN: dict[int | str, dict[str, Any]] = {404: {"description": "There is no such subscription."}}


def _service(request: Request) -> RealTimeSyncService:
    service: RealTimeSyncService = request.app.state.service
    return service


@router.post(
    "/subscribe",
    status_code=201,
    response_model=models.Subscribed,
    responses={
        409: {"description": "More symbols than MAX_CONCURRENT_SYMBOLS, or than the broker takes."},
        404: {"description": "A symbol is not known; `near` has what may have been meant."},
        502: {"description": "The broker's list of instruments cannot be had."},
        503: {"description": "The service has as many subscriptions as it takes."},
    },
)
async def subscribe(request: Request, wanted: models.SubscribeRequest) -> Response:
    """Subscribe to symbols. The broker is asked for those that nobody had yet."""
    service = _service(request)
    made = await service.subscribe_symbols(wanted.symbols, wanted.update_frequency, depth=wanted.depth)
    status = await service.get_subscription_status(made)
    scheme = "wss" if request.url.scheme == "https" else "ws"
    status["websocket"] = f"{scheme}://{request.url.netloc}{router.prefix}/ws/{made}"
    where = {"Location": f"{router.prefix}/subscriptions/{made}"}
    return Response(as_json(status), 201, where, JSON)


@router.get("/subscriptions/{subscription_id}", response_model=models.SubscriptionStatus, responses=_UNKNOWN)
async def status(request: Request, subscription_id: Id) -> Response:
    """Return how a subscription is doing."""
    found = await _service(request).get_subscription_status(subscription_id)
    return Response(as_json(found), media_type=JSON)


@router.delete("/subscribe/{subscription_id}", response_model=models.SubscriptionStatus, responses=_UNKNOWN)
async def unsubscribe(request: Request, subscription_id: Id) -> Response:
    """End a subscription and return how it did. Symbols that nobody else wants are given up."""
    service = _service(request)
    last = await service.get_subscription_status(subscription_id)
    await service.unsubscribe(subscription_id)
    return Response(as_json(last), media_type=JSON)
