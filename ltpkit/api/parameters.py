"""A query parameter that a route does not have is refused: left unread, it would give another answer unseen.

`only_declared` stands before every route of the REST API. The token never gets here: the guard takes it out
of the address.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from fastapi import Request
from fastapi.exceptions import RequestValidationError

from ltpkit.errors import near_misses

__all__ = ["only_declared"]

#: What other services call what we have.
_ELSEWHERE: Final = {
    "interval": "every",
    "timeframe": "every",
    "from": "start",
    "since": "start",
    "to": "end",
    "until": "end",
    "count": "limit",
    "last": "limit",
    "depth": "levels",
    "query": "q",
    "search": "q",
}


def only_declared(request: Request) -> None:
    """Refuse parameters that the request's route does not declare.

    Raises
    ------
    RequestValidationError
        Names each, with what may have been meant.
    """
    declared = [field.alias for field in request.scope["route"].dependant.query_params]
    unknown = [name for name in request.query_params if name not in declared]
    if unknown:
        raise RequestValidationError(
            [
                {"type": "unknown_parameter", "loc": ("query", name), "msg": _sentence(name, declared)}
                for name in unknown
            ]
        )


def _sentence(name: str, declared: Collection[str]) -> str:
    said = "there is no such parameter"
    meant = _ELSEWHERE.get(name.casefold())
    near = [meant] if meant in declared else near_misses(name, declared)
    if near:
        return f"{said}; did you mean {' or '.join(map(repr, near))}?"
    return f"{said}; there are {', '.join(declared)}" if declared else f"{said}; there are none here"
