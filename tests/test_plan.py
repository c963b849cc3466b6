"""Spreading instruments over connections."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltpkit.errors import PlanError
from ltpkit.feeds import Limits
from ltpkit.instrument import Instrument
from ltpkit.plan import spread


def some(*symbols: str) -> list[Instrument]:
    return [Instrument(exchange="NSE", symbol=symbol) for symbol in symbols]


def names(plan: list[list[Instrument]]) -> list[list[str]]:
    return [[one.symbol for one in held] for held in plan]


def test_instruments_fill_one_connection_after_the_other() -> None:
    limits = Limits(per_connection=2, connections=3)
    assert names(spread(some("A", "B", "C", "D", "E"), [], limits)) == [["A", "B"], ["C", "D"], ["E"]]


def test_what_is_subscribed_stays_where_it_is() -> None:
    limits = Limits(per_connection=2, connections=2)
    held = [some("A", "B"), some("C")]
    assert names(spread(some("B", "C", "D", "E"), held, limits)) == [["B", "D"], ["C", "E"]]


def test_more_than_fits_is_refused_with_what_fits() -> None:
    with pytest.raises(
        PlanError, match=r"5 instruments were asked for and 4 fit: .* 2 on each of 2 connections"
    ):
        spread(some(*"ABCDE"), [], Limits(per_connection=2, connections=2))


def test_a_feed_without_limits_needs_one_connection() -> None:
    assert names(spread(some(*"ABC"), [], Limits())) == [["A", "B", "C"]]


@given(
    st.lists(st.sampled_from("ABCDEFGHIJ"), unique=True),
    st.lists(st.sampled_from("ABCDEFGHIJ"), unique=True),
    st.integers(2, 4),
)
def test_every_instrument_is_placed_once_and_none_moves(first: list[str], then: list[str], room: int) -> None:
    limits = Limits(per_connection=room, connections=5)
    before = spread(some(*first), [], limits)
    after = spread(some(*then), before, limits)
    placed = [one.symbol for held in after for one in held]
    assert sorted(placed) == sorted(then)
    assert all(len(held) <= room for held in after)
    for old, new in zip(before, after, strict=False):
        stayed = [one for one in old if one.symbol in then]
        assert new[: len(stayed)] == stayed
