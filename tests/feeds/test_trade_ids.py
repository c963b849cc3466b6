"""Trade ids: every trade once, and every jump told."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltpkit.feeds.trade_ids import TradeIds
from ltpkit.instruments import Instrument, Instruments


@pytest.fixture
def ids() -> TradeIds:
    return TradeIds(Instruments([Instrument(exchange="X", symbol=name) for name in ("A", "B")]))


def told(ids: TradeIds) -> list[tuple[str, str | None, dict[str, object]]]:
    return [(event.kind, event.symbol, event.detail) for event in ids.events()]


def test_the_first_id_is_no_gap_and_a_jump_says_how_many_are_missing(ids: TradeIds) -> None:
    assert ids.last(0) is None
    assert all(ids.is_new(0, n, 10 * n, 0) for n in (500, 501))
    assert told(ids) == []
    assert ids.is_new(0, 505, 5050, 7)
    detail = {"why": "trade ids", "start": 5010, "end": 5050, "from_id": 502, "to_id": 504, "missing": 3}
    assert told(ids) == [("gap", "X:A", detail)]
    assert ids.last(0) == 505


def test_trades_seen_before_are_counted_once_per_instrument(ids: TradeIds) -> None:
    for n in (1, 2, 3):
        ids.is_new(0, n, n, 0)
        ids.is_new(1, n, n, 0)
    assert [ids.is_new(0, n, n, 5) for n in (2, 3, 4)] == [False, False, True]
    assert not ids.is_new(1, 1, 1, 6)
    assert told(ids) == [
        ("duplicate", "X:A", {"count": 2, "from_id": 2, "to_id": 3, "why": "trade ids"}),
        ("duplicate", "X:B", {"count": 1, "from_id": 1, "to_id": 1, "why": "trade ids"}),
    ]
    assert told(ids) == []


def test_lower_ids_with_later_times_are_a_new_count(ids: TradeIds) -> None:
    ids.is_new(0, 900, 100, 0)
    assert ids.is_new(0, 1, 101, 0)
    assert ids.is_new(0, 2, 102, 0)
    assert told(ids) == [
        ("gap", "X:A", {"why": "trade ids began anew", "start": 100, "end": 101, "from_id": 901})
    ]


def test_the_last_trade_before_a_subscription_says_what_was_missed_itself_included(ids: TradeIds) -> None:
    ids.told_of(0, 10, 100, 0)
    assert ids.is_new(0, 11, 110, 0)
    ids.told_of(0, 11, 110, 0)
    assert told(ids) == []
    ids.told_of(0, 14, 140, 9)
    detail = {"why": "trade ids", "start": 110, "end": 140, "from_id": 12, "to_id": 14, "missing": 3}
    assert told(ids) == [("gap", "X:A", detail)]
    assert ids.is_new(0, 15, 150, 0)
    assert told(ids) == []


def test_what_was_forgotten_begins_without_a_gap(ids: TradeIds) -> None:
    ids.is_new(0, 1, 1, 0)
    ids.forget(0)
    assert ids.is_new(0, 100, 2, 0)
    assert told(ids) == []


@settings(deadline=None)  # the first instrument of all imports polars
@given(st.lists(st.integers(1, 60), max_size=60))
def test_new_ids_seen_again_and_missing_ones_add_up(arrived: list[int]) -> None:
    """With times that rise with the ids, nothing is new twice and every id between is accounted for."""
    ids = TradeIds(Instruments([Instrument(exchange="X", symbol="A")]))
    new = [n for n in arrived if ids.is_new(0, n, n, 0)]
    assert new == sorted(set(new))
    events = ids.events()
    again = sum(int(str(event.detail["count"])) for event in events if event.kind == "duplicate")
    missing = sum(int(str(event.detail["missing"])) for event in events if event.kind == "gap")
    assert len(new) + again == len(arrived)
    if new:
        assert len(new) + missing == new[-1] - new[0] + 1
