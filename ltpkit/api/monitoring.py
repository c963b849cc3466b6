"""How the service is doing: health for people and orchestrators, metrics for Prometheus."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from ltpkit.api import models
from ltpkit.api.answers import JSON, as_json
from ltpkit.service import health
from ltpkit.service.metrics import Metrics

__all__ = ["router"]

router = APIRouter(tags=["monitoring"])

_FAILING: Final[dict[int | str, dict[str, Any]]] = {
    503: {"model": models.HealthAnswer, "description": "A check is failing."}
}


def _answer(found: health.Health) -> Response:
    return Response(as_json(found), found.http_status, media_type=JSON)


@router.get("/health/", response_model=models.HealthAnswer, responses=_FAILING)
def check(request: Request) -> Response:
    """Check the broker's connection, the database (written and read), the buffer and the subscriptions."""
    return _answer(health.check(request.app.state.service))


@router.get("/health/live", response_model=models.HealthAnswer, responses=_FAILING)
def live(request: Request) -> Response:
    """Return whether the process is of use; where not, only a new start helps. Needs no token."""
    return _answer(health.live(request.app.state.service))


@router.get("/health/ready", response_model=models.HealthAnswer, responses=_FAILING)
def ready(request: Request) -> Response:
    """Return whether clients should be sent here. Needs no token."""
    return _answer(health.ready(request.app.state.service))


@router.get("/metrics/", responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}})
def metrics(request: Request) -> Response:
    """Return all metrics in Prometheus' text format."""
    measured: Metrics = request.app.state.metrics
    body, media_type = measured.exposition()
    return Response(body, media_type=media_type)


@router.get("/metrics/realtime-stats", response_model=dict[str, Any])
def realtime_stats(request: Request) -> Response:
    """Return the same as plain facts in JSON."""
    measured: Metrics = request.app.state.metrics
    return Response(as_json(measured.realtime_stats()), media_type=JSON)
