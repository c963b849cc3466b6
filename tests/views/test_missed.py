"""Gaps are looked up beside the pump, which waits for them once alone."""

from __future__ import annotations

import threading
from typing import cast

import polars as pl

from ltpkit.frames import Frames
from ltpkit.views.missed import Gaps, Row


class Slow:
    """A source whose gaps are known when polars has time."""

    def __init__(self) -> None:
        self.events, self.back, self.asked = 1, 0, 0
        self.asking, self.free = threading.Event(), threading.Event()
        self.free.set()

    def newest_event(self) -> int:
        return self.events

    def rewound(self) -> int:
        return self.back

    def gaps(self) -> pl.DataFrame:
        self.asked += 1
        found = pl.DataFrame({"seq": range(self.events)})
        self.asking.set()
        assert self.free.wait(10)
        return found


def test_a_view_goes_on_with_the_gaps_it_knows_while_others_are_looked_up() -> None:
    source, told = Slow(), threading.Event()
    gaps = Gaps(cast("Frames", source), told.set)
    assert len(gaps.rows()) == 1  # the first are waited for
    source.free.clear()
    source.events = 2
    assert len(gaps.rows()) == 1
    assert not told.is_set()
    source.free.set()
    assert told.wait(10)
    assert len(gaps.rows()) == 2
    assert source.asked == 2


def test_what_happens_while_gaps_are_looked_up_and_soon_after_is_looked_up_too() -> None:
    source, told = Slow(), threading.Event()
    gaps = Gaps(cast("Frames", source), told.set)
    gaps.rows()
    source.free.clear()
    source.asking.clear()
    source.events = 2
    gaps.rows()
    assert source.asking.wait(10)
    source.events = 3
    assert len(gaps.rows()) == 1
    source.free.set()
    for known in (2, 3):
        assert told.wait(10)
        told.clear()
        assert len(gaps.rows()) == known  # a picture, and there may be no tick that has another made
    assert source.asked == 3


def test_gaps_are_not_looked_up_again_where_nothing_happened() -> None:
    source = Slow()
    gaps = Gaps(cast("Frames", source), lambda: None)
    assert gaps.rows() is gaps.rows()
    assert source.asked == 1


def test_what_is_shown_of_gaps_is_made_once_for_the_same_gaps_and_instrument() -> None:
    source, made = Slow(), list[tuple[int, str]]()
    gaps = Gaps(cast("Frames", source), lambda: None)

    def show(rows: list[Row], name: str) -> int:
        made.append((len(rows), name))
        return len(made)

    assert [gaps.shown(name, show) for name in ("A:A", "A:A", "B:B", "B:B")] == [1, 1, 2, 2]
    source.back, source.events = 1, 5
    assert gaps.shown("B:B", show) == 3
    assert made == [(1, "A:A"), (1, "B:B"), (5, "B:B")]


def test_where_time_went_back_the_gaps_of_then_are_waited_for() -> None:
    source = Slow()
    gaps = Gaps(cast("Frames", source), lambda: None)
    gaps.rows()
    source.back, source.events = 1, 0
    assert gaps.rows() == []
