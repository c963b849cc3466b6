"""Whether a service is well: four checks, each with a reason in words, and what an orchestrator asks.

`check` looks at everything and reads the store, which may take a moment: not for an event loop's thread.
`live` and `ready` look at what is known anyway.
"""

from __future__ import annotations

import shutil
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal

import duckdb
import msgspec

from ltpkit.errors import StoreError, StreamStopped
from ltpkit.status import age

if TYPE_CHECKING:
    from ltpkit.live import Stream
    from ltpkit.service.core import RealTimeSyncService

__all__ = ["Check", "Health", "check", "live", "ready"]

State = Literal["ok", "degraded", "failing"]
_WORST_LAST: Final[tuple[State, ...]] = ("ok", "degraded", "failing")

#: A line that is down for longer is no passing thing.
_PATIENCE_S: Final = 60.0
#: Less room on the disk is told before it runs out.
_LEAST_FREE: Final = 1 << 30
#: Ticks that wait for longer than so many flush intervals are late.
_LATE_FLUSHES: Final = 3
_LEAST_LATE_S: Final = 5.0


class Check(msgspec.Struct, frozen=True):
    """One thing that was looked at.

    Attributes
    ----------
    name : str
        ``websocket``, ``database``, ``buffer`` or ``subscriptions``; ``service`` of `live` and `ready`.
    status : str
        ``ok``, ``degraded`` (it works, but somebody should look) or ``failing``.
    reason : str
        Why, in words.
    """

    name: str
    status: State
    reason: str


class Health(msgspec.Struct, frozen=True):
    """A service at one moment.

    Attributes
    ----------
    status : str
        The worst of the checks.
    checks : list of Check
    at : datetime.datetime
        UTC.
    """

    status: State
    checks: list[Check]
    at: datetime

    @property
    def http_status(self) -> int:
        """200 while it works, 503 where a check is failing."""
        return 503 if self.status == "failing" else 200


def _health(*checks: Check) -> Health:
    worst = max((one.status for one in checks), key=_WORST_LAST.index)
    return Health(status=worst, checks=list(checks), at=datetime.now(UTC))


def check(service: RealTimeSyncService) -> Health:
    """Look at the connection, the database, the buffer and the subscriptions."""
    stream = _running(service)
    if stream is None:
        why = "the service is not started"
        names = ("websocket", "database", "buffer", "subscriptions")
        return _health(*(Check(name, "failing", why) for name in names))
    return _health(
        _websocket(service, stream), _database(stream), _buffer(stream), _subscriptions(service, stream)
    )


def live(service: RealTimeSyncService) -> Health:
    """Tell whether the process is of use: failing where only a new start helps."""
    stream = _running(service)
    if stream is not None and not stream._streamer.running and stream._streamer.last_error is not None:
        error = stream._streamer.last_error
        return _health(Check("service", "failing", f"the feed's thread has ended: {error}"))
    return _health(Check("service", "ok", "it answers"))


def ready(service: RealTimeSyncService) -> Health:
    """Tell whether clients should be sent here: started, and its connection neither refused nor down."""
    stream = _running(service)
    if stream is None:
        return _health(Check("service", "failing", "the service is not started"))
    return _health(_websocket(service, stream))


def _running(service: RealTimeSyncService) -> Stream | None:
    try:
        return service.stream if service.started_at is not None else None
    except StreamStopped:
        return None


def _websocket(service: RealTimeSyncService, stream: Stream) -> Check:
    status = stream.status()
    last = status.last_tick_age_s
    seen = "no tick yet" if last is None else f"last tick {age(last)} ago"
    why = f": {status.last_error}" if status.last_error else ""

    def said(state: State, words: str) -> Check:
        return Check("websocket", state, words)

    match status.state:
        case "live" if not status.symbols:
            return said("ok", "no symbol is subscribed, so no connection is needed")
        case "live":
            return said("ok", f"live, {seen}")
        case "stale":
            return said("degraded", f"connected, but mute: {seen}")
        case "connecting" | "backing_off":
            assert service.started_at is not None
            since_start = (status.at - service.started_at).total_seconds()
            down_s = since_start if last is None else min(last, since_start)
            state: State = "failing" if down_s > _PATIENCE_S else "degraded"
            return said(state, f"{status.state.replace('_', ' ')}, {seen}{why}")
    return said("failing", f"{status.state}{why}")


def _database(stream: Stream) -> Check:
    def said(state: State, words: str) -> Check:
        return Check("database", state, words)

    store = stream._store
    if store is None:
        return said("failing", "the store is closed")
    started = time.perf_counter()
    try:
        store.sql("SELECT max(seq) FROM (FROM realtime_ltp LIMIT 1)")
    except (duckdb.Error, StoreError) as error:
        return said("failing", f"it cannot be read: {error}")
    read = f"read in {age(time.perf_counter() - started)}"
    if stream._store_error is not None:
        return said("failing", f"{read}, but rows cannot be stored: {stream._store_error}")
    if stream._journal_error is not None:
        return said("degraded", f"{read}, but the journal cannot be written: {stream._journal_error}")
    if store.path is None:
        return said("ok", f"{read}; in memory, until this process ends")
    free = shutil.disk_usage(store.path.parent).free
    if free < _LEAST_FREE:
        return said("degraded", f"{read}, but the disk has only {free / 1e6:,.0f} MB left")
    return said("ok", f"{read}, {stream.status().rows_stored:,} ticks stored")


def _buffer(stream: Stream) -> Check:
    ring, capacity = stream._ring, stream._ring.capacity_rows
    stored = ring.stored_seq
    waiting = ring.last_seq - stored
    if not waiting:
        return Check("buffer", "ok", "no tick waits to be stored")
    oldest = ring.frame(after_seq=stored).head(1)["received_at"].item()
    waits_s = (datetime.now(UTC) - oldest).total_seconds()
    ticks = "1 tick waits" if waiting == 1 else f"{waiting:,} ticks wait"
    words = f"{ticks} to be stored, the oldest for {age(waits_s)}"
    if capacity is not None and waiting > capacity:
        return Check("buffer", "failing", f"{words}: more than the {capacity:,} that memory is meant for")
    late_s = max(_LATE_FLUSHES * stream._settings.flush_interval_s, _LEAST_LATE_S)
    return Check("buffer", "degraded" if waits_s > late_s else "ok", words)


def _subscriptions(service: RealTimeSyncService, stream: Stream) -> Check:
    subscriptions = service.subscriptions
    wanted = {name for one in subscriptions for name in one.symbols}
    if missing := sorted(wanted.difference(stream.symbols)):
        some = ", ".join(missing[:5]) + (", …" if len(missing) > 5 else "")
        return Check("subscriptions", "degraded", f"wanted, but not subscribed at the feed: {some}")
    counts = {"subscription": len(subscriptions), "symbol": len(wanted), "connection": service.clients}
    words = ", ".join(f"{n:,} {what}{'' if n == 1 else 's'}" for what, n in counts.items())
    return Check("subscriptions", "ok", words)
