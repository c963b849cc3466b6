"""Trade ids: what came before told from what is new, and every jump told."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltpkit.feeds.common.plain import Series
from ltpkit.feeds.common.trade_ids import TradeIds
from ltpkit.instrument import Instrument, Instruments


@pytest.fixture
def ids() -> TradeIds:
    return TradeIds(Instruments([Instrument(exchange="X", symbol=name) for name in ("A", "B")]))


Row = tuple[int, int, int, int, int, int]


def trade(
    number: int,
    *,
    second: float | None = None,
    instrument: int = 0,
    place: int = 0,
    series: Series = Series.TRADES,
) -> Row:
    moment = round((number if second is None else second) * 1e6)
    return (place, instrument, moment, number, series, series != Series.BEFORE)


def repeated(ids: TradeIds, rows: list[Row], received_at: list[int]) -> list[int]:
    """Which of these trades came before."""
    table = np.array(rows, np.int64).reshape(-1, 6)
    found = ids.follow(table, np.arange(len(rows)), np.array(received_at))
    return np.flatnonzero(found).tolist()


def tell_before(ids: TradeIds, number: int, at: int = 0) -> None:
    assert repeated(ids, [trade(number, series=Series.BEFORE)], [at]) == []


def is_new(
    ids: TradeIds, number: int, *, second: float | None = None, instrument: int = 0, at: int = 0
) -> bool:
    return not repeated(ids, [trade(number, second=second, instrument=instrument)], [at])


def told(ids: TradeIds) -> list[tuple[str, str | None, dict[str, object]]]:
    return [(event.kind, event.symbol, event.detail) for event in ids.events()]


def test_the_first_id_is_no_gap_and_a_jump_says_how_many_are_missing(ids: TradeIds) -> None:
    assert not ids.seen(0)
    assert all(is_new(ids, n) for n in (500, 501))
    assert told(ids) == []
    assert is_new(ids, 505, second=505.25, at=7)
    between = {"start": 501_000_000, "end": 505_250_000}
    detail = {"why": "trade ids", **between, "from_id": 502, "to_id": 504, "missing": 3}
    assert told(ids) == [("gap", "X:A", detail)]
    assert ids.seen(0)
    assert not ids.seen(1)


def test_trades_seen_before_are_named_and_counted_once_per_instrument(ids: TradeIds) -> None:
    first = [trade(n, instrument=one) for n in (1, 2, 3) for one in (0, 1)]
    assert repeated(ids, first, [5]) == []
    again = [trade(2), trade(3), trade(4), trade(1, instrument=1, place=1)]
    assert repeated(ids, again, [5, 6]) == [0, 1, 3]
    events = ids.events()
    assert [(event.symbol, event.at) for event in events] == [("X:A", 5), ("X:B", 6)]
    assert [event.detail for event in events] == [
        {"count": 2, "from_id": 2, "to_id": 3, "why": "trade ids"},
        {"count": 1, "from_id": 1, "to_id": 1, "why": "trade ids"},
    ]
    assert ids.events() == []


def test_lower_ids_with_later_times_are_a_new_count(ids: TradeIds) -> None:
    assert is_new(ids, 900, second=100)
    assert is_new(ids, 1, second=101)
    assert is_new(ids, 2, second=102)
    detail = {"why": "trade ids began anew", "start": 100_000_000, "end": 101_000_000, "from_id": 901}
    assert told(ids) == [("gap", "X:A", detail)]


def test_a_clock_that_goes_back_makes_no_later_repeat_a_new_count(ids: TradeIds) -> None:
    assert is_new(ids, 1, second=100)
    assert is_new(ids, 2, second=99)
    assert not is_new(ids, 1, second=100)


def test_the_last_trade_before_a_subscription_says_what_was_missed_itself_included(ids: TradeIds) -> None:
    tell_before(ids, 10)
    assert is_new(ids, 11)
    tell_before(ids, 11)
    assert told(ids) == []
    tell_before(ids, 14, at=9)
    between = {"start": 11_000_000, "end": 14_000_000}
    detail = {"why": "trade ids", **between, "from_id": 12, "to_id": 14, "missing": 3}
    assert told(ids) == [("gap", "X:A", detail)]
    assert is_new(ids, 15)
    assert told(ids) == []


def test_aggregates_have_ids_of_their_own(ids: TradeIds) -> None:
    rows = [trade(1), trade(7, series=Series.AGGREGATES), trade(2), trade(8, series=Series.AGGREGATES)]
    assert repeated(ids, rows, [0]) == []
    assert repeated(ids, rows[1:2], [0]) == [0]
    assert [event.kind for event in ids.events()] == ["duplicate"]


def test_any_number_of_instruments_is_followed() -> None:
    many = [Instrument(exchange="X", symbol=f"S{n}") for n in range(1000)]
    ids = TradeIds(Instruments(many))
    for number in (1, 2):
        assert repeated(ids, [trade(number, instrument=n) for n in (999, 0, 500)], [0]) == []
    assert is_new(ids, 4, instrument=999)
    assert [event.symbol for event in ids.events()] == ["X:S999"]


def test_what_was_forgotten_begins_without_a_gap(ids: TradeIds) -> None:
    is_new(ids, 1)
    ids.forget(0)
    assert is_new(ids, 100)
    assert told(ids) == []


@settings(deadline=None)  # the first instrument of all imports polars
@given(st.lists(st.integers(1, 60), max_size=60), st.integers(0, 60))
def test_new_ids_seen_again_and_missing_ones_add_up(arrived: list[int], cut: int) -> None:
    """With times that rise with the ids, nothing is new twice and every id between is accounted for."""
    ids = TradeIds(Instruments([Instrument(exchange="X", symbol="A")]))
    halves = [[trade(n) for n in half] for half in (arrived[:cut], arrived[cut:])]
    new = []
    for half in halves:
        again_here = repeated(ids, half, [0])
        new += [one[3] for place, one in enumerate(half) if place not in again_here]
    assert new == sorted(set(new))
    events = ids.events()
    again = sum(int(str(event.detail["count"])) for event in events if event.kind == "duplicate")
    missing = sum(int(str(event.detail["missing"])) for event in events if event.kind == "gap")
    assert len(new) + again == len(arrived)
    if new:
        assert len(new) + missing == new[-1] - new[0] + 1
