"""What views keep of recent rows, against the same worked out from all rows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import cast

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from ltpkit.frames import Frames
from ltpkit.schema import polars_schema
from ltpkit.views.tails import POINTS, SECONDS, Curves, Paces

NAMES = ["NSE:TCS", "NSE:INFY", "BSE:TCS"]
START_US = 1_795_000_000_000_000


class Rows:
    """A source that holds the first so many of some rows."""

    def __init__(self, times_us: list[int], who: list[int], prices: list[float | None]) -> None:
        pairs = [NAMES[i].split(":") for i in who]
        schema = polars_schema("ticks")
        self.all = pl.DataFrame(
            {
                "seq": range(1, len(who) + 1),
                "symbol": [symbol for _, symbol in pairs],
                "exchange": [exchange for exchange, _ in pairs],
                "received_at": times_us,
                "ltp": prices,
                "change": [0.0] * len(who),
            },
            schema={
                name: schema[name] for name in ("seq", "symbol", "exchange", "received_at", "ltp", "change")
            },
        )
        self.held, self.back = len(who), 0

    def rewound(self) -> int:
        return self.back

    def latest_numbers(self, columns: Sequence[str]) -> dict[str, np.ndarray]:
        return self.newer_numbers(columns, self.held - 1)

    def newer_numbers(self, columns: Sequence[str], seq: int) -> dict[str, np.ndarray]:
        found = self.all.head(self.held).filter(pl.col("seq") > seq)
        return {name: found[name].to_physical().to_numpy() for name in columns}

    @property
    def frames(self) -> Frames:
        return cast("Frames", self)


def expected(rows: Rows, curves: Curves) -> np.ndarray:
    """The newest price of each name at the end of each point, from all rows."""
    held = rows.all.head(rows.held).drop_nulls("ltp")
    found = np.full((len(NAMES), POINTS), np.nan)
    for i, name in enumerate(NAMES):
        exchange, symbol = name.split(":")
        own = held.filter(pl.col("symbol") == symbol, pl.col("exchange") == exchange)
        times, prices = own["received_at"].to_physical().to_numpy(), own["ltp"].to_numpy()
        for point in range(POINTS):
            end = (curves._last - POINTS + 1 + point + 1) * curves._width
            count = np.searchsorted(times, end)
            if count:
                found[i, point] = prices[count - 1]
    return found


@given(
    gaps=st.lists(st.one_of(st.integers(0, 10**6), st.integers(0, 10**9)), min_size=1, max_size=120),
    seed=st.integers(0, 2**32 - 1),
    stops=st.lists(st.integers(0, 120), max_size=6),
)
def test_curves_kept_row_by_row_are_those_of_all_rows(gaps: list[int], seed: int, stops: list[int]) -> None:
    luck = np.random.default_rng(seed)
    times = [START_US + int(at) for at in np.cumsum(gaps)]
    who = [int(i) for i in luck.integers(0, len(NAMES), len(gaps))]
    prices = [None if luck.random() < 0.1 else float(luck.integers(100, 200)) for _ in gaps]
    rows = Rows(times, who, prices)
    curves = Curves(rows.frames, NAMES)
    for held in [*sorted(stops), len(gaps)]:
        rows.held = min(held, len(gaps))
        curves.refresh()
        if curves.length:
            np.testing.assert_array_equal(curves.prices(), expected(rows, curves))


def test_a_curve_spans_a_quarter_of_an_hour_and_no_more() -> None:
    times = [START_US + second * 1_000_000 for second in range(3600)]
    rows = Rows(times, [0] * 3600, [float(second) for second in range(3600)])
    curves = Curves(rows.frames, NAMES)
    curves.refresh()
    shown = curves.prices()[0]
    assert curves.length == POINTS
    assert shown[-1] == 3599
    assert 840 <= shown[-1] - shown[0] <= 900


def test_a_price_that_cannot_be_right_is_not_in_the_curve() -> None:
    rows = Rows([START_US, START_US + 10**6, START_US + 2 * 10**6], [0, 0, 0], [100.0, 9999.0, 101.0])
    # The ring gives a first price and one that is left out no change.
    rows.all = rows.all.with_columns(change=pl.Series([None, None, 1.0], dtype=pl.Float64))
    curves = Curves(rows.frames, NAMES)
    curves.refresh()
    assert np.nanmax(curves.prices()[0]) == 101.0
    assert np.nanmin(curves.prices()[0]) == 100.0


def test_heights_keep_the_order_of_prices() -> None:
    prices = [100.0, 104.0, 102.0, 101.0]
    times = [START_US + i * 10**6 for i in range(4)]
    rows = Rows([*times, times[-1]], [0] * 4 + [1], [*prices, 50.0])
    curves = Curves(rows.frames, NAMES)
    curves.refresh()
    heights, shown = curves.heights(), curves.prices()
    known = ~np.isnan(shown[0])
    assert heights[0][known].min() == 1
    assert heights[0][known].max() == 255
    assert (heights[0] == 0).tolist() == (~known).tolist()
    for (low, low_height), (high, height) in pairwise(
        sorted(zip(shown[0][known], heights[0][known], strict=True))
    ):
        assert low_height <= height or low == high
    assert set(heights[1]) == {0, 128}  # one price only
    assert set(heights[2]) == {0}  # none


def test_what_was_taken_back_is_forgotten() -> None:
    rows = Rows([START_US + i * 10**6 for i in range(100)], [0] * 100, [float(i) for i in range(100)])
    curves, paces = Curves(rows.frames, NAMES), Paces(rows.frames)
    for one in (curves, paces):
        one.refresh()
    rows.held, rows.back = 3, 1
    for one in (curves, paces):
        one.refresh()
    assert np.nanmax(curves.prices()) == 2.0
    assert paces.counts().tolist() == [1, 1, 1]


@given(gaps=st.lists(st.integers(0, 3 * 10**7), min_size=1, max_size=80), cut=st.integers(0, 80))
def test_paces_count_each_tick_once(gaps: list[int], cut: int) -> None:
    times = np.cumsum(gaps) + START_US
    rows = Rows([int(at) for at in times], [0] * len(gaps), [1.0] * len(gaps))
    paces = Paces(rows.frames)
    for held in (min(cut, len(gaps)), len(gaps)):
        rows.held = held
        paces.refresh()
    seconds = times // 10**6
    first = max(seconds[0], seconds[-1] - SECONDS + 1)
    wanted = [int((seconds == one).sum()) for one in range(first, seconds[-1] + 1)]
    assert paces.counts().tolist() == wanted


def test_seconds_without_ticks_count_none() -> None:
    rows = Rows([START_US, START_US + 1], [0, 0], [1.0, 2.0])
    paces = Paces(rows.frames)
    paces.refresh(START_US // 10**6 + 3)
    assert paces.counts().tolist() == [2, 0, 0, 0]
