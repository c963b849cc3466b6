"""Gaps are looked up beside the pump, which waits for them once alone."""

from __future__ import annotations

import threading
from typing import cast

import polars as pl

from ltpkit.frames import Frames
from ltpkit.views.missed import Gaps


class Slow:
    """A source whose gaps are known when polars has time."""

    def __init__(self) -> None:
        self.events, self.back, self.asked = 1, 0, 0
        self.free = threading.Event()
        self.free.set()

    def newest_event(self) -> int:
        return self.events

    def rewound(self) -> int:
        return self.back

    def gaps(self) -> pl.DataFrame:
        self.asked += 1
        assert self.free.wait(10)
        return pl.DataFrame({"seq": range(self.events)})


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


def test_gaps_are_not_looked_up_again_where_nothing_happened() -> None:
    source = Slow()
    gaps = Gaps(cast("Frames", source), lambda: None)
    assert gaps.rows() is gaps.rows()
    assert source.asked == 1


def test_where_time_went_back_the_gaps_of_then_are_waited_for() -> None:
    source = Slow()
    gaps = Gaps(cast("Frames", source), lambda: None)
    gaps.rows()
    source.back, source.events = 1, 0
    assert gaps.rows() == []
