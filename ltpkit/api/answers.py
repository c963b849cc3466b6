"""Frames as answers: JSON, Arrow or CSV, whichever the `Accept` header likes best."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any, Final

import msgspec
import polars as pl
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

__all__ = ["ARROW", "CSV", "JSON", "answer", "as_json", "forms"]

JSON: Final = "application/json"
ARROW: Final = "application/vnd.apache.arrow.stream"
CSV: Final = "text/csv"

_ISO: Final = "%Y-%m-%dT%H:%M:%S%.6fZ"


def answer(request: Request, frame: pl.DataFrame, *, in_json: object = None) -> Response:
    """Return a frame in the form that the request accepts.

    Parameters
    ----------
    request : Request
    frame : polars.DataFrame
    in_json : object, optional
        What JSON has in place of a list of the frame's rows.

    Raises
    ------
    HTTPException
        406: it accepts none that there is.
    """
    kind = _best(request.headers.getlist("accept"))
    if kind == ARROW:
        out = io.BytesIO()
        plain_text = [pl.col(pl.Categorical).cast(pl.String)]
        frame.with_columns(plain_text).write_ipc_stream(out, compat_level=pl.CompatLevel.oldest())
        return Response(out.getvalue(), media_type=ARROW)
    if kind == CSV:
        # A cell holds one value: lists are written as JSON.
        lists = [name for name, dtype in frame.schema.items() if dtype.is_nested()]
        texts = [pl.Series(name, [as_json(one).decode() for one in frame[name].to_list()]) for name in lists]
        return Response(frame.with_columns(texts).write_csv(datetime_format=_ISO), media_type=CSV)
    return Response(as_json(frame.rows(named=True) if in_json is None else in_json), media_type=JSON)


def forms(row: Any, *, listed: bool = True) -> dict[int | str, dict[str, Any]]:
    """Describe rows of a model, or one, in the three forms to be had, and the refusal of others."""
    return {
        200: {
            "model": list[row] if listed else row,
            "content": {
                ARROW: {"schema": {"type": "string", "format": "binary"}},
                CSV: {"schema": {"type": "string"}},
            },
        },
        406: {"description": f"The request accepts none of {JSON}, {ARROW}, {CSV}."},
    }


def as_json(value: object) -> bytes:
    """Return JSON: times ISO 8601 in UTC, and null for what is no number."""
    return msgspec.json.encode(value, enc_hook=str)


def _best(accepted: Iterable[str]) -> str:
    """Return the first of our types among those with the highest weight."""
    ranges = [part.strip() for line in accepted for part in line.split(",") if part.strip()]
    weighed = sorted(((-_weight(one), place, _media(one)) for place, one in enumerate(ranges)))
    for negative, _, media in weighed:
        if negative == 0:
            continue
        for kind in (JSON, ARROW, CSV):
            if media in (kind, "*/*", f"{kind.partition('/')[0]}/*"):
                return kind
    if ranges:
        raise HTTPException(406, f"This can be had as {JSON}, {ARROW} or {CSV}.")
    return JSON


def _media(part: str) -> str:
    return part.partition(";")[0].strip().casefold()


def _weight(part: str) -> float:
    for parameter in part.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().casefold() == "q":
            try:
                return max(0.0, min(float(value), 1.0))
            except ValueError:
                return 0.0
    return 1.0
