"""SQL over what was received, asked from outside: off unless the settings turn it on, and then sandboxed."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from ltpkit.api import models
from ltpkit.api.answers import answer, forms
from ltpkit.api.problems import problem
from ltpkit.store.sandbox import Sandbox

__all__ = ["router"]

router = APIRouter(prefix="/api/v1/realtime", tags=["sql"])


@router.post(
    "/sql",
    responses={
        **forms(dict[str, Any]),
        403: {"description": "SQL is off, or the query does more than read."},
        422: {"description": "The query is wrong, or takes more rows, memory or time than it may."},
        503: {"description": "As many queries as may run do."},
    },
)
def sql(request: Request, asked: models.SqlQuestion) -> Response:
    """Answer one SELECT over ticks in memory and stored ticks as one, each row once."""
    sandbox: Sandbox | None = request.app.state.sandbox
    if sandbox is None:
        why = "SQL over the network is off. LTPKIT_SERVICE_SQL=true turns it on."
        return problem(403, why, kind="sql-off")
    return answer(request, sandbox.query(asked.query, asked.params))
