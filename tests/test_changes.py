"""Changes of the last traded price."""

from __future__ import annotations

import numpy as np
import polars as pl

from ltpkit.changes import changes, percent
from ltpkit.schema import polars_schema


def test_percent_of_nothing_is_missing() -> None:
    np.testing.assert_array_equal(
        percent(np.array([1.5, 1.0, np.nan]), np.array([100.0, 0.0, np.nan])), [1.5, np.nan, np.nan]
    )


def test_changes_say_both_what_the_tick_before_and_the_previous_close_were() -> None:
    blank = dict.fromkeys(polars_schema("ticks"))
    rows = [
        blank | {"seq": 1, "symbol": "TCS", "exchange": "NSE", "ltp": 101.0, "close_price": 100.0},
        blank | {"seq": 2, "symbol": "TCS", "exchange": "NSE", "bid": 100.5},  # a quote: no price, no change
        blank
        | {"seq": 3, "symbol": "TCS", "ltp": 102.0, "change": 1.0, "change_percent": 0.5, "close_price": 0.0},
    ]
    ticks = pl.DataFrame(rows, schema=polars_schema("ticks"))
    found = changes(ticks)
    assert found["seq"].to_list() == [1, 3]
    assert found["change"].to_list() == [None, 1.0]
    assert found["day_change"].to_list() == [1.0, 102.0]
    assert found["day_change_percent"].to_list() == [1.0, None]
    assert changes(ticks.lazy()).collect().equals(found)
