"""The board against frames made by hand: what it counts, keeps and chooses."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from ltpkit.cli.board import CURVE, Board
from ltpkit.schema import polars_schema
from ltpkit.status import Status

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


class Held:
    """Ticks given one by one, read as a stream's are."""

    def __init__(self) -> None:
        self.all: list[dict[str, Any]] = []

    def add(self, symbol: str, ltp: float | None = None, **values: Any) -> None:
        exchange = values.pop("exchange", "NSE")
        row = {"seq": len(self.all) + 1, "symbol": symbol, "exchange": exchange, "ltp": ltp}
        self.all.append(row | {"timestamp": NOON, "received_at": NOON} | values)

    def ticks(self) -> pl.DataFrame:
        return pl.DataFrame(self.all, schema=polars_schema("ticks"))

    def latest(self) -> pl.DataFrame:
        return self.ticks().group_by("exchange", "symbol", maintain_order=True).last()

    def status(self) -> Status:
        return Status(
            state="live",
            feed="test",
            symbols=[],
            rows_in_memory=len(self.all),
            rows_stored=0,
            received_seq=len(self.all),
            journaled_seq=0,
            synced_seq=0,
            stored_seq=0,
            depth_rows=0,
            rate=0.0,
            last_tick_age_s=None,
            rejects=0,
            gaps=0,
            reconnects=0,
            lost_rows=0,
            recovered=None,
            store="in memory",
            recording=None,
            last_error=None,
        )


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def board_of(held: Held, clock: Clock, *, replayed: bool = False) -> Board:
    return Board(held, replayed=replayed, clock=clock)  # type: ignore[arg-type]


def symbols(board: Board, most: int) -> Sequence[str]:
    return [row.symbol for row in board.rows(most)]


def test_every_tick_is_counted_once_however_often_it_is_read() -> None:
    held, clock = Held(), Clock()
    board = board_of(held, clock)
    for _ in range(10):
        held.add("A", 1.0)
    clock.now += 4
    board.refresh()
    board.refresh()
    assert board.rows(5)[0].rate == pytest.approx(10 / 4)


def test_the_rate_forgets_what_is_older_than_five_seconds() -> None:
    held, clock = Held(), Clock()
    board = board_of(held, clock)
    held.add("A", 1.0)
    board.refresh()
    clock.now += 6
    held.add("A", 1.0)
    held.add("A", 1.0)
    board.refresh()
    assert board.rows(5)[0].rate == pytest.approx(2 / 5)


def test_where_not_all_fit_the_busiest_are_shown_first() -> None:
    held, clock = Held(), Clock()
    board = board_of(held, clock)
    for symbol, count in {"A": 1, "B": 3, "C": 2}.items():
        for _ in range(count):
            held.add(symbol, 1.0)
    board.refresh()
    assert symbols(board, 2) == ["B", "C"]
    assert symbols(board, 3) == ["A", "B", "C"]
    assert len(board) == 3


def test_rows_keep_their_places_for_five_seconds() -> None:
    held, clock = Held(), Clock()
    board = board_of(held, clock)
    for symbol in "AAB":
        held.add(symbol, 1.0)
    board.refresh()
    assert symbols(board, 1) == ["A"]
    for _ in range(5):
        held.add("B", 1.0)
    clock.now += 4
    board.refresh()
    assert symbols(board, 1) == ["A"]
    clock.now += 1
    board.refresh()
    assert symbols(board, 1) == ["B"]


def test_the_curve_takes_a_price_each_half_second_and_keeps_the_last() -> None:
    held, clock = Held(), Clock()
    board = board_of(held, clock)
    for price in range(CURVE + 5):
        held.add("A", float(price))
        board.refresh()
        held.add("A", -1.0)
        clock.now += 0.25
        board.refresh()  # between two samples: not taken
        clock.now += 0.25
    assert board.rows(1)[0].prices == [float(price) for price in range(5, CURVE + 5)]


def test_day_change_is_from_the_previous_close() -> None:
    held, clock = Held(), Clock()
    board = board_of(held, clock)
    held.add("A", 103.0, close_price=100.0)
    held.add("B", 103.0)
    held.add("C", 103.0, close_price=0.0)
    board.refresh()
    assert [row.day_percent for row in board.rows(3)] == [pytest.approx(3.0), None, None]


def test_a_price_keeps_the_most_digits_it_ever_had() -> None:
    held, clock = Held(), Clock()
    board = board_of(held, clock)
    for price in (0.00001234, 0.5):
        held.add("SHIB", price)
        board.refresh()
    assert board.rows(1)[0].digits == 8


def test_a_feed_without_a_days_volume_gets_what_was_traded() -> None:
    held, clock = Held(), Clock()
    board = board_of(held, clock)
    held.add("A", 1.0, ltq=2.0)
    held.add("A", 1.0, ltq=3.0)
    board.refresh()
    held.add("A", None)
    board.refresh()
    assert board.rows(1)[0].volume == 5.0
    assert board.sums_trades


def test_the_days_volume_is_shown_as_it_was_sent() -> None:
    held, clock = Held(), Clock()
    board = board_of(held, clock)
    held.add("A", 1.0, ltq=2.0, volume=900.0)
    board.refresh()
    assert board.rows(1)[0].volume == 900.0
    assert not board.sums_trades


def test_ages_of_a_recording_are_counted_from_its_newest_tick() -> None:
    held, clock = Held(), Clock()
    board = board_of(held, clock, replayed=True)
    held.add("A", 1.0)
    held.add("B", 1.0, received_at=NOON + timedelta(seconds=7))
    board.refresh()
    assert [row.age_s for row in board.rows(2)] == [7.0, 0.0]


def test_a_price_is_fresh_for_a_moment() -> None:
    held, clock = Held(), Clock()
    board = board_of(held, clock)
    held.add("A", 1.0)
    board.refresh()
    assert board.rows(1)[0].fresh
    clock.now += 1
    board.refresh()
    assert not board.rows(1)[0].fresh


def test_a_stream_without_a_tick_has_no_rows() -> None:
    board = board_of(Held(), Clock(), replayed=True)
    board.refresh()
    assert board.rows(5) == []
