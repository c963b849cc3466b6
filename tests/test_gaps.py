"""Gap events as a frame."""

from __future__ import annotations

from datetime import UTC, datetime

from ltpkit.batch import Event
from ltpkit.gaps import gap, gaps
from ltpkit.ring import EventLog


def test_gaps_are_read_back_with_what_was_known_of_them() -> None:
    log = EventLog()
    log.append(
        [
            Event(at=1, kind="connected"),
            gap(2_000_000, "connection lost", start=1_000_000, end=2_000_000, symbols=["NSE:TCS"]),
            gap(3_000_000, "trade ids", symbol="BINANCE:BTCUSDT", missing=4),
        ]
    )
    found = gaps(log.frame())
    assert found.columns == ["seq", "at", "symbol", "why", "start", "end", "missing", "recovered"]
    assert found.rows() == [
        (
            2,
            datetime(1970, 1, 1, 0, 0, 2, tzinfo=UTC),
            None,
            "connection lost",
            datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC),
            datetime(1970, 1, 1, 0, 0, 2, tzinfo=UTC),
            None,
            None,
        ),
        (3, datetime(1970, 1, 1, 0, 0, 3, tzinfo=UTC), "BINANCE:BTCUSDT", "trade ids", None, None, 4, None),
    ]


def test_no_events_are_no_gaps() -> None:
    assert gaps(EventLog().frame()).is_empty()
