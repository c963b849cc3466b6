"""What goes wrong, as RFC 9457 problem details: one body for every error the API answers with."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from ltpkit import errors
from ltpkit.logs import correlation_id

__all__ = ["MEDIA_TYPE", "add_handlers", "problem"]

MEDIA_TYPE: Final = "application/problem+json"

#: Our errors, the status each is answered with and a name for its kind; a class before its bases.
_STATUS: Final[dict[type[errors.LtpkitError], tuple[int, str]]] = {
    errors.UnknownSubscription: (404, "unknown-subscription"),
    errors.UnknownInstrument: (404, "unknown-symbol"),
    errors.TooManySymbols: (409, "too-many-symbols"),
    errors.PlanError: (409, "too-many-symbols"),
    errors.TooManySubscriptions: (503, "too-many-subscriptions"),
    errors.SettingError: (422, "not-usable"),
    errors.StreamStopped: (503, "stream-stopped"),
    errors.ConnectionFailed: (502, "broker-unreachable"),
    errors.QueryRefused: (403, "query-refused"),
    errors.TooManyQueries: (503, "too-many-queries"),
    errors.QueryTooLong: (422, "query-too-long"),
    errors.QueryTooLarge: (422, "query-too-large"),
    errors.QueryError: (422, "query-wrong"),
    errors.StoreError: (503, "store"),
}


def problem(
    status: int,
    detail: str,
    *,
    kind: str = "",
    headers: Mapping[str, str] | None = None,
    **more: object,
) -> Response:
    """Return a problem as a response.

    Parameters
    ----------
    status : int
    detail : str
        What happened this time, in a sentence.
    kind : str
        A name for the kind of problem; without one the status says all there is.
    headers : mapping, optional
    **more
        Members that programs can read, as ``near`` for the symbols that may have been meant.
    """
    body = {
        "type": f"urn:ltpkit:{kind}" if kind else "about:blank",
        "title": HTTPStatus(status).phrase if not kind else kind.replace("-", " ").capitalize(),
        "status": status,
        "detail": detail,
        "correlation_id": correlation_id(),
        **more,
    }
    return Response(msgspec.json.encode(body), status, headers, MEDIA_TYPE)


def add_handlers(app: FastAPI) -> None:
    """Have every error of the app answered with a problem."""
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(errors.LtpkitError, _ours)


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    missing = f"There is nothing at {request.url.path}." if error.status_code == 404 else error.detail
    return problem(error.status_code, missing, headers=error.headers)


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found: list[dict[str, Any]] = [
        {"where": ".".join(map(str, one["loc"])), "what": _unread(request, one) or one["msg"]}
        for one in error.errors()
    ]
    detail = "; ".join(f"{one['where']}: {one['what']}" for one in found)
    return problem(422, detail, kind="not-valid", errors=found)


def _unread(request: Request, one: Mapping[str, Any]) -> str:
    """Return what to send where a body was not read as JSON for want of its header, else nothing."""
    said = request.headers.get("content-type", "")
    if one["type"] != "model_attributes_type" or tuple(one["loc"]) != ("body",) or "json" in said.casefold():
        return ""
    instead = f"it says {said!r}" if said else "there is none"
    return f"send the header 'Content-Type: application/json' with it; {instead}"


def _ours(request: Request, error: Exception) -> Response:
    found = next((one for kind, one in _STATUS.items() if isinstance(error, kind)), None)
    if found is None:
        raise error
    status, name = found
    more: dict[str, object] = {}
    if isinstance(error, errors.UnknownInstrument):
        more = {"symbol": error.symbol, "near": error.near}
    headers = {"Retry-After": "5"} if status == 503 else None
    return problem(status, str(error), kind=name, headers=headers, **more)
