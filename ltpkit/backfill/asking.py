"""Asking a broker's history over HTTP: at its pace, again where that may help, to the last page.

A token goes to the broker and nowhere else: redirects are not followed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Final

import httpx

from ltpkit.feeds.common.history import History, Page, Request, Span
from ltpkit.sockets import retry_after

__all__ = ["Asker"]

_TRIES: Final = 5
_MOST_PAGES: Final = 1000
_LONGEST_WAIT_S: Final = 300.0


class Asker:
    """What sends requests, one at a time.

    Parameters
    ----------
    stopping : threading.Event
        Ends any wait once it is set.
    """

    def __init__(self, stopping: threading.Event) -> None:
        self._stopping = stopping
        self._asked_at = float("-inf")

    def pages(self, history: History, span: Span) -> Iterator[Page]:
        """Yield all that a history has of a span, page by page.

        Raises
        ------
        ValueError
            The broker refuses, in its own words; or the stream is stopped; or there is no end to it.
        """
        request: Request | None = history.first(span)
        with httpx.Client(timeout=10.0) as client:
            for _ in range(_MOST_PAGES):
                if request is None:
                    return
                page = history.read(span, request, self._asked(client, request, history.pause_s))
                yield page
                request = page.more
        if request is not None:
            raise ValueError(f"the gap is longer than {_MOST_PAGES} answers of the history hold")

    def _asked(self, client: httpx.Client, request: Request, pause_s: float) -> bytes:
        """Return the answer to a request, kept to the pace, tried again while that may help."""
        why = ""
        for attempt in range(_TRIES):
            self._wait(self._asked_at + pause_s - time.monotonic())
            wait = 0.5 * 2**attempt
            try:
                answer = client.request(
                    "GET" if request.body is None else "POST",
                    request.url,
                    params=request.query or None,
                    headers=request.headers,
                    content=request.body,
                )
            except httpx.TransportError as error:
                why = f"{type(error).__name__}: {error}"
            else:
                if answer.status_code == 200:
                    return answer.content
                said = " ".join(answer.text[:200].split())
                why = f"HTTP {answer.status_code}" + (f": {said}" if said else "")
                if answer.status_code != 429 and answer.status_code < 500:
                    break  # a ban, a bad token, an instrument it does not know: asking again is no use
                wait = max(wait, retry_after(answer.headers.get("Retry-After")))
            finally:
                self._asked_at = time.monotonic()
            if attempt < _TRIES - 1:
                self._wait(min(wait, _LONGEST_WAIT_S))
        raise ValueError(f"the history refused: {why}")

    def _wait(self, seconds: float) -> None:
        if seconds > 0 and self._stopping.wait(seconds):
            raise ValueError("the stream was stopped")
