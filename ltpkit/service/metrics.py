"""What Prometheus and a dashboard are told of a service: eleven numbers by name, and how long things take.

Everything is read when it is asked for, from what the stream counts anyway; durations alone are noted as they
come. Latency of the feed is worked out over all rows since the last look at once, never on the feed thread.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from ltpkit.errors import StreamStopped
from ltpkit.schema import BACKFILL

if TYPE_CHECKING:
    from ltpkit.live import Stream
    from ltpkit.service.core import RealTimeSyncService

__all__ = ["Metrics"]

#: Upper bounds in seconds. Brokers stamp whole seconds or milliseconds; queries and requests may be quick.
_FEED_BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)
_BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_MOST_ROUTES: Final = 500
_NEWEST: Final = 1_000
_RATE_WINDOW_S: Final = 5.0


class _Seconds:
    """Durations, counted by bound; the newest are kept for percentiles. Any thread may add and read."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = np.asarray(bounds)
        self._counts = np.zeros(len(bounds) + 1, np.int64)
        self._sum = 0.0
        self._newest: deque[float] = deque(maxlen=_NEWEST)
        self._lock = threading.Lock()

    def add(self, seconds: npt.ArrayLike) -> None:
        """Count some durations at once."""
        some = np.atleast_1d(np.asarray(seconds, np.float64))
        places = np.searchsorted(self._bounds, some, side="left")
        with self._lock:
            self._counts += np.bincount(places, minlength=len(self._counts))
            self._sum += float(some.sum())
            self._newest.extend(some[-_NEWEST:].tolist())

    def buckets(self) -> tuple[list[tuple[str, float]], float]:
        """Return how many there were up to each bound, and the sum of all."""
        with self._lock:
            upto, total = self._counts.cumsum().tolist(), self._sum
        names = [*map(str, self._bounds.tolist()), "+Inf"]
        return list(zip(names, upto, strict=True)), total

    def summary(self) -> dict[str, float | int | None]:
        """Return their number, and percentiles of the newest in milliseconds."""
        with self._lock:
            count, newest = int(self._counts.sum()), np.asarray(self._newest)
        p50, p99, most = np.percentile(newest, (50, 99, 100)) * 1000 if len(newest) else (None,) * 3
        return {
            "count": count,
            **{
                name: None if value is None else round(float(value), 3)
                for name, value in (("p50_ms", p50), ("p99_ms", p99), ("max_ms", most))
            },
        }


class Metrics(Collector):
    """The metrics of one service, in a registry of their own.

    Parameters
    ----------
    service : RealTimeSyncService
        It may be started later.

    Notes
    -----
    ``websocket_reconnection_attempts`` only rises, yet is a gauge: Prometheus' text format keeps names
    that do not end in ``_total`` from counters. Counts begin with this start of the stream, not with the
    store. Ticks whose feed sends no exchange time, and ticks filled in afterwards, have no latency.
    """

    def __init__(self, service: RealTimeSyncService) -> None:
        self._service = service
        self._followed: Stream | None = None
        self._seen_seq = 0
        self._paces: deque[tuple[float, int]] = deque()
        self._looking = threading.Lock()
        self._latency = _Seconds(_FEED_BOUNDS)
        self._took = {"flush": _Seconds(_BOUNDS), "query": _Seconds(_BOUNDS)}
        self._requests: dict[tuple[str, str, str], _Seconds] = {}
        self._all_requests = _Seconds(_BOUNDS)
        self._adding = threading.Lock()
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        self._stream()

    def exposition(self) -> tuple[bytes, str]:
        """Return everything in Prometheus' text format, and its content type."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST

    def observe_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Note how long a request took.

        Parameters
        ----------
        method : str
            An HTTP method; others than the usual are counted together.
        route : str
            The route's template, ``/ltp/{symbol}``, not the address asked for: each makes rows of its own.
        status : int
            The HTTP status of the answer.
        seconds : float
            From the request to the end of the answer.
        """
        labels = (method if method in _METHODS else "other", route, str(status))
        with self._adding:
            if labels not in self._requests and len(self._requests) >= _MOST_ROUTES:
                labels = ("other", "other", "other")
            found = self._requests.setdefault(labels, _Seconds(_BOUNDS))
        found.add(seconds)
        self._all_requests.add(seconds)

    def close(self) -> None:
        """Listen to the stream no more. A second call does nothing."""
        followed, self._followed = self._followed, None
        if followed is not None:
            followed.timers = tuple(one for one in followed.timers if one != self._note)

    # -- looking --------------------------------------------------------------------------

    def _stream(self) -> Stream | None:
        """Return the stream, listening to it from the first time on; None before there is one."""
        try:
            stream = self._service.stream
        except StreamStopped:
            return None
        with self._looking:
            if stream is not self._followed:
                self._followed = stream
                stream.timers = (*stream.timers, self._note)
                self._seen_seq = 0
                self._paces.append((time.monotonic(), stream._intake.frames))
        return stream

    def _note(self, what: str, seconds: float) -> None:
        self._took[what].add(seconds)

    def _look(self, stream: Stream) -> None:
        """Take in the latency of the rows that came since the last look."""
        with self._looking:
            rows = stream._ring.frame(after_seq=self._seen_seq)
            if not rows.height:
                return
            self._seen_seq = rows["seq"][-1]
        stamped = rows.lazy().filter(
            pl.col("timestamp") != pl.col("received_at"), pl.col("source").cast(pl.String) != BACKFILL
        )
        seconds = stamped.select((pl.col("received_at") - pl.col("timestamp")).dt.total_microseconds() / 1e6)
        # A clock that is behind the exchange's makes some negative: they are as quick as can be told.
        self._latency.add(seconds.collect().to_series().clip(0.0).to_numpy())

    def _message_rate(self, stream: Stream) -> float:
        """Return messages per second since the last look, or over five seconds where looks are closer."""
        now, frames = time.monotonic(), stream._intake.frames
        with self._looking:
            self._paces.append((now, frames))
            while len(self._paces) > 2 and self._paces[1][0] <= now - _RATE_WINDOW_S:
                self._paces.popleft()
            at, before = self._paces[0]
        return (frames - before) / max(now - at, 0.1)

    # -- what is told ---------------------------------------------------------------------

    def realtime_stats(self) -> dict[str, Any]:
        """Return the same as plain facts, to be sent as JSON.

        Returns
        -------
        dict
            ``state, at, started_at, uptime_s``; of this start ``symbols, ticks_received, ticks_stored,
            ticks_waiting, books_in_memory, ticks_per_s, messages_per_s, last_tick_age_s, gaps, rejects,
            reconnects, lost_rows, last_error``, not before there is a stream; ``subscriptions, clients,
            updates_per_s, updates_delivered, updates_conflated``; and ``feed_latency, flushes, queries,
            requests``, each with ``count, p50_ms, p99_ms, max_ms``: percentiles of the newest thousand.
        """
        at, began = datetime.now(UTC), self._service.started_at
        subscriptions, stream = self._service.subscriptions, self._stream()
        facts: dict[str, Any] = {
            "state": "stopped",
            "at": at,
            "started_at": began,
            "uptime_s": None if began is None else (at - began).total_seconds(),
        }
        if stream is not None:
            self._look(stream)
            status, before = stream.status(), stream._first_seq - 1
            facts |= {
                "state": status.state,
                "symbols": len(status.symbols),
                "ticks_received": status.received_seq - before,
                "ticks_stored": status.stored_seq - before,
                "ticks_waiting": status.received_seq - status.stored_seq,
                "books_in_memory": status.depth_rows,
                "ticks_per_s": status.rate,
                "messages_per_s": self._message_rate(stream),
                "last_tick_age_s": status.last_tick_age_s,
                "gaps": status.gaps,
                "rejects": status.rejects,
                "reconnects": status.reconnects,
                "lost_rows": status.lost_rows,
                "last_error": status.last_error,
            }
        return facts | {
            "subscriptions": len(subscriptions),
            "clients": self._service.clients,
            "updates_per_s": sum(one.update_rate for one in subscriptions),
            "updates_delivered": sum(one.delivered for one in subscriptions),
            "updates_conflated": sum(one.conflated for one in subscriptions),
            "feed_latency": self._latency.summary(),
            "flushes": self._took["flush"].summary(),
            "queries": self._took["query"].summary(),
            "requests": self._all_requests.summary(),
        }

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics; what the registry calls."""
        subscriptions, stream = self._service.subscriptions, self._stream()
        live = reconnects = rate = received = stored = 0.0
        if stream is not None:
            self._look(stream)
            streamer, ring, before = stream._streamer, stream._ring, stream._first_seq - 1
            live, reconnects = float(stream._state() == "live"), streamer.reconnects
            stored = ring.stored_seq - before  # in this order, so that it is never above what was received
            received = ring.last_seq - before
            rate = self._message_rate(stream)
        symbols = [len(one.symbols) for one in subscriptions]
        yield _gauge("websocket_connection_status", "1 while every connection to the feed is live.", live)
        yield _gauge(
            "websocket_reconnection_attempts", "Times a connection to the feed was opened again.", reconnects
        )
        yield _gauge("websocket_message_rate", "Messages from the feed per second.", rate)
        yield _gauge("active_subscriptions_total", "Subscriptions there are.", len(symbols))
        yield _gauge(
            "symbols_per_subscription",
            "Symbols of a subscription, on average.",
            sum(symbols) / len(symbols) if symbols else 0,
        )
        yield _gauge(
            "subscription_update_rate",
            "Updates sent to all subscriptions per second.",
            sum(one.update_rate for one in subscriptions),
        )
        yield CounterMetricFamily("ltp_updates_processed", "Ticks received since the start.", value=received)
        yield _gauge("buffer_size_current", "Ticks received and not stored yet.", received - stored)
        yield _histogram(
            "buffer_flush_duration_seconds", "Time to store the ticks that waited.", self._took["flush"]
        )
        yield CounterMetricFamily("realtime_inserts", "Ticks stored since the start.", value=stored)
        yield _histogram("realtime_query_duration_seconds", "Time a query took.", self._took["query"])
        yield _histogram("feed_latency_seconds", "From the exchange's time of a tick to ours.", self._latency)
        asked = HistogramMetricFamily(
            "api_request_duration_seconds", "Time to answer a request.", labels=("method", "route", "status")
        )
        with self._adding:
            requests = list(self._requests.items())
        for labels, seconds in requests:
            asked.add_metric(labels, *seconds.buckets())
        yield asked


def _gauge(name: str, meaning: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, meaning, value=value)


def _histogram(name: str, meaning: str, seconds: _Seconds) -> HistogramMetricFamily:
    buckets, total = seconds.buckets()
    return HistogramMetricFamily(name, meaning, buckets=buckets, sum_value=total)
