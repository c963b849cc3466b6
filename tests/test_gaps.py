"""Gap events as a frame."""

from __future__ import annotations

from datetime import UTC, datetime

from ltpkit.batch import Event
from ltpkit.gaps import gap, gaps
from ltpkit.ring import EventLog


def second(n: int) -> datetime:
    return datetime(1970, 1, 1, 0, 0, n, tzinfo=UTC)


def test_gaps_are_read_back_with_what_was_known_of_them() -> None:
    log = EventLog()
    log.append(
        [
            Event(at=1, kind="connected"),
            gap(2_000_000, "connection lost", start=1_000_000, end=2_000_000, symbols=["NSE:TCS"]),
            gap(3_000_000, "trade ids", symbol="BINANCE:BTCUSDT", missing=4),
            gap(4_000_000, "depth sequence", symbol="BINANCE:BTCUSDT", start=3_500_000),
            Event(at=4_500_000, kind="resync", symbol="BINANCE:ETHUSDT"),
            Event(at=5_000_000, kind="resync", symbol="BINANCE:BTCUSDT"),
            gap(6_000_000, "depth sequence", symbol="BINANCE:BTCUSDT", start=6_000_000),
        ]
    )
    found = gaps(log.frame())
    assert found.columns == ["seq", "at", "symbol", "why", "start", "end", "missing", "recovered", "symbols"]
    lost, trades, book, open_ = found.iter_rows(named=True)
    assert (lost["symbol"], lost["why"], lost["symbols"]) == (None, "connection lost", ["NSE:TCS"])
    assert (lost["start"], lost["end"]) == (second(1), second(2))
    assert (trades["symbols"], trades["missing"], trades["end"]) == (["BINANCE:BTCUSDT"], 4, None)
    assert (book["start"], book["end"], book["recovered"]) == (
        datetime(1970, 1, 1, 0, 0, 3, 500_000, tzinfo=UTC),
        second(5),
        "the book, sent whole again",
    )
    assert (open_["start"], open_["end"], open_["recovered"]) == (second(6), None, None)


def test_no_events_are_no_gaps() -> None:
    assert gaps(EventLog().frame()).is_empty()


def test_what_was_filled_of_a_gap_is_told_with_it() -> None:
    log = EventLog()
    log.append(
        [
            gap(2, "connection lost", start=1, end=2, symbols=["NSE:TCS", "NSE:INFY"]),
            gap(3, "trade ids", symbol="BINANCE:BTCUSDT", missing=4),
            Event(at=4, kind="backfilled", symbol="NSE:TCS", detail={"gap": 1, "rows": 8, "source": "rows"}),
            Event(at=5, kind="backfilled", symbol="NSE:INFY", detail={"gap": 1, "rows": 4, "source": "rows"}),
            Event(at=6, kind="backfilled", symbol="NSE:INFY", detail={"gap": None, "rows": 9}),
        ]
    )
    assert gaps(log.frame())["recovered"].to_list() == ["12 rows", None]
