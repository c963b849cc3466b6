"""Whole order books from the broker, wherever the updates of one no longer fit together.

Some feeds answer a request over HTTP, which may be older than the updates that are held and is then made
again; others send a book anew once it is subscribed again. The ticks go on meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, Final, TypeAlias

import httpx

from ltpkit.batch import Event
from ltpkit.connection import Connection
from ltpkit.feeds import BookStreaming
from ltpkit.instrument import Instrument
from ltpkit.intake import Intake
from ltpkit.recording import Recorder
from ltpkit.schema import now_us
from ltpkit.sockets import retry_after

__all__ = ["WholeBooks"]

#: A connection, and the instruments it is to carry.
Line: TypeAlias = tuple[Connection, Sequence[Instrument]]

_TRIES: Final = 8
_LONGEST_WAIT_S: Final = 30.0


class WholeBooks:
    """What has the books sent that an intake wants. Used on the feed thread alone.

    Parameters
    ----------
    intake : Intake
        Says which books it wants, and takes them.
    lines : callable
        Returns the connections as they are now, each with its instruments.
    out : callable
        Takes messages that are about to be sent, and returns them.
    note : callable
        Takes an event.
    recorder : Recorder, optional
        Keeps the answers.
    """

    def __init__(
        self,
        intake: Intake,
        *,
        lines: Callable[[], Iterable[Line]],
        out: Callable[[Sequence[str | bytes]], Sequence[str | bytes]],
        note: Callable[[Event], None],
        recorder: Recorder | None = None,
    ) -> None:
        self._intake, self._recorder = intake, recorder
        self._lines, self._out, self._note = lines, out, note
        self._under_way: set[int] = set()
        self._client: httpx.AsyncClient | None = None

    def jobs(self) -> list[Coroutine[Any, Any, None]]:
        """Return what is to run beside the feed, so that every book comes that nobody is after yet."""
        feed, wanted = self._intake.feed, self._intake.wanted_books - self._under_way
        if not wanted:
            return []
        self._under_way |= wanted
        if isinstance(feed, BookStreaming):
            return [self._subscribe_again(feed, wanted)]
        return [self._fetch(number) for number in sorted(wanted)]

    async def close(self) -> None:
        """Let the connections to the broker's site go."""
        if self._client is not None:
            await self._client.aclose()

    async def _subscribe_again(self, feed: BookStreaming, numbers: set[int]) -> None:
        intake = self._intake
        known = {intake.instruments[number].name: number for number in numbers}
        try:
            for attempt in range(_TRIES):
                for line, held in self._lines():
                    some = [one for one in held if known.get(one.name) in intake.wanted_books]
                    if some and line.open:
                        await line.send(self._out(feed.resubscribe_books(some)))
                # Long enough for the answer, and so that a book which fails again at once asks no faster.
                await asyncio.sleep(min(2.0**attempt, _LONGEST_WAIT_S))
                if not numbers & intake.wanted_books:
                    return
        finally:
            self._under_way -= numbers

    async def _fetch(self, number: int) -> None:
        instrument = self._intake.instruments[number]
        address = self._intake.feed.snapshot_address(instrument)
        try:
            for attempt in range(_TRIES):
                if address is None or number not in self._intake.wanted_books:
                    return
                wait = 0.25 * 2**attempt
                try:
                    answer = await self._http().get(address)
                    if answer.status_code == 200:
                        self._take(number, instrument, answer.content)
                        continue  # and done, unless it is older than the updates that are held
                    wait = max(wait, retry_after(answer.headers.get("Retry-After")))
                    why = f"HTTP {answer.status_code}"
                except (httpx.HTTPError, ValueError) as error:
                    why = type(error).__name__
                detail: dict[str, object] = {"why": why, "attempt": attempt + 1}
                failed = "book_fetch_failed"
                self._note(Event(at=now_us(), kind=failed, symbol=instrument.name, detail=detail))
                await asyncio.sleep(min(wait, _LONGEST_WAIT_S))
        finally:
            self._under_way.discard(number)

    def _take(self, number: int, instrument: Instrument, answer: bytes) -> None:
        at = now_us()
        update = self._intake.feed.decode_snapshot(instrument, answer, at)
        if self._recorder is not None:
            self._recorder.add([answer], at, direction="http", about=instrument.name)
        self._intake.apply([update])
        self._intake.tell()

    def _http(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=10.0, follow_redirects=True)
        return self._client
