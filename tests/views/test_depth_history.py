"""The book over time: what is remembered of it, what pages are sent, and what is painted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import ltpkit as lk
from ltpkit.errors import SettingError, UnknownInstrument
from ltpkit.frames import Frames
from ltpkit.schema import polars_schema
from ltpkit.views.depth_columns import READ, Books, Trades
from ltpkit.views.depth_history import DepthHistory
from ltpkit.views.wire import unpack
from tests.views.lab import Lab
from tests.views.sources import streamed

START = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)


live = streamed(["NSE:RELIANCE", "NSE:TCS"], rate=20_000, rows=200)


def ticks(*rows: dict[str, Any]) -> dict[str, np.ndarray]:
    """Ticks a second apart."""
    made = [{"received_at": START + timedelta(seconds=i), **row} for i, row in enumerate(rows)]
    frame = pl.DataFrame(made, schema=polars_schema("ticks"))
    return {name: frame[name].to_physical().to_numpy() for name in READ}


def books(*quotes: tuple[float, float, float], levels: int = 1) -> dict[str, np.ndarray]:
    """Books at so many seconds, with a best bid and ask."""
    rows = [
        {
            "received_at": START + timedelta(seconds=at),
            "bid_price": [bid - i for i in range(levels)],
            "bid_qty": [10.0 + at] * levels,
            "ask_price": [ask + i for i in range(levels)],
            "ask_qty": [20.0 + at] * levels,
        }
        for at, bid, ask in quotes
    ]
    frame = pl.DataFrame(rows)
    sides = ("bid_price", "bid_qty", "ask_price", "ask_qty")
    tables = {name: np.array(frame[name].to_list(), float) for name in sides}
    return {"received_at": frame["received_at"].to_physical().to_numpy(), **tables}


def sent(view: DepthHistory) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What a page has after one base and one frame: the frame's columns after the base's before them."""
    base, frame = view._messages(whole=True)
    assert base is not None
    return together(base, frame)


def together(base: bytes, frame: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    about, old = unpack(base)
    header, new = unpack(frame)
    assert header["error"] is None
    levels = about["levels"]
    kept = int(np.searchsorted(old["bucket"], new["bucket"][0])) if len(new["bucket"]) else None
    whole = {}
    for name, column in old.items():
        per_bucket = 1 if name == "bucket" else levels
        cut = None if name.startswith("trade") or kept is None else kept * per_bucket
        whole[name] = np.concatenate([column[:cut], new[name]])
    return about | header, whole


def last_books(source: Frames, about: dict[str, Any]) -> pl.DataFrame:
    """The last book of each bucket, as polars says it."""
    width = round(about["bucket"] * 1000)
    bucket = pl.col("received_at").to_physical() // width - round(about["origin"] / about["bucket"])
    return source.books("NSE:RELIANCE").group_by(bucket=bucket, maintain_order=True).last().sort("bucket")


# -- what is remembered -------------------------------------------------------------------


def test_a_bucket_keeps_its_last_book() -> None:
    kept = Books(10, levels=2, bucket_us=1_000_000)
    kept.add(books((0.1, 100, 101), (0.9, 99, 101), levels=2))
    one = books((0.95, 98, 102), (3.0, 97, 103), levels=2)
    for name in ("bid_price", "bid_qty", "ask_price", "ask_qty"):
        one[name][:, 1] = np.nan
    kept.add(one)
    columns = kept.columns(0, int(START.timestamp()))
    assert columns["bucket"].tolist() == [0, 3]
    np.testing.assert_array_equal(columns["bid_price"], [98, np.nan, 97, np.nan])
    np.testing.assert_allclose(columns["ask_qty"], [20.95, np.nan, 23, np.nan], rtol=1e-6)


def test_the_column_before_the_window_comes_along_since_its_book_still_stands() -> None:
    kept = Books(10, levels=1, bucket_us=1_000_000)
    kept.add(books((0, 100, 101), (4, 99, 100)))
    origin = int(START.timestamp())
    assert kept.columns(origin + 2, origin)["bucket"].tolist() == [0, 4]
    assert kept.columns(origin + 4, origin)["bucket"].tolist() == [4]
    assert kept.columns(origin + 9, origin)["bucket"].tolist() == [4]


def test_what_is_remembered_takes_no_more_room_however_long_it_goes_on() -> None:
    kept, traded = Books(50, levels=3, bucket_us=1_000), Trades(80, bucket_us=1_000)
    taken = kept.nbytes(), traded.nbytes()
    for i in range(40):
        kept.add(books(*((i + j / 100, 100 + j, 101 + j) for j in range(30))))
        traded.add(ticks(*({"ltp": 100.0 + j, "ltq": 1.0} for j in range(30))), kept)
    assert (kept.nbytes(), traded.nbytes()) == taken
    assert (len(kept), len(traded)) == (50, 80)
    newest = kept.columns(0, 0)
    assert newest["bid_price"][::3][-30:].tolist() == [100.0 + j for j in range(30)]


@pytest.mark.parametrize(
    ("ltp", "side"),
    [(101.0, 1), (102.0, 1), (100.0, -1), (99.0, -1), (100.75, 1), (100.25, -1)],
)
def test_a_trade_is_whose_who_came_to_the_quote_of_the_moment_before(ltp: float, side: int) -> None:
    traded = Trades(10, bucket_us=1_000_000)
    # The trade's own row already carries the quote after it.
    rows = ticks({"bid": 100.0, "ask": 101.0}, {"ltp": ltp, "ltq": 5.0, "bid": ltp, "ask": ltp})
    traded.add(rows, Books(10, 1, 1_000_000))
    columns = traded.columns(0, np.inf, 0, 10)
    assert columns["trade_side"].tolist() == [side]
    assert columns["trade_qty"].tolist() == [5.0]


def test_at_the_middle_the_last_change_of_price_decides_also_from_one_call_to_the_next() -> None:
    traded, none = Trades(10, bucket_us=1_000_000), Books(10, 1, 1_000_000)
    rows = ticks(
        {"bid": 100.0, "ask": 102.0},
        {"ltp": 102.0, "ltq": 1.0},
        {"ltp": 101.0, "ltq": 1.0},
        {"ltp": 101.0, "ltq": 1.0},
    )
    whole = Trades(10, bucket_us=1_000_000)
    whole.add(rows, none)
    for i in range(4):
        traded.add({name: values[i : i + 1] for name, values in rows.items()}, none)
    for one in (traded, whole):
        assert one.columns(0, np.inf, 0, 10)["trade_side"].tolist() == [1, -1, -1]


def test_where_ticks_have_no_quote_the_book_before_them_says_whose_a_trade_was() -> None:
    kept, traded = Books(10, 1, 1_000_000), Trades(10, 1_000_000)
    kept.add(books((0.5, 100, 101), (1.0, 200, 201)))
    traded.add(ticks({"ltp": 101.0, "ltq": 1.0}, {"ltp": 101.0, "ltq": 2.0}), kept)
    # The first came before any book; with the second came a book that is the one after it.
    assert traded.columns(0, np.inf, 0, 10)["trade_side"].tolist() == [0, 1]


def test_what_was_traded_is_what_the_days_volume_grew_by_where_there_is_one() -> None:
    traded = Trades(10, bucket_us=1_000_000)
    rows = ticks(
        {"ltp": 100.0, "ltq": 5.0, "volume": 1000.0},
        {"ltp": 100.0, "ltq": 5.0, "volume": 1000.0},  # a change of quote, no trade
        {"ltp": 101.0, "ltq": 5.0, "volume": 1030.0},  # several trades, the last of five
    )
    traded.add(rows, Books(10, 1, 1_000_000))
    columns = traded.columns(0, np.inf, 0, 10)
    assert columns["trade_price"].tolist() == [101.0]
    assert columns["trade_qty"].tolist() == [30.0]


def test_trades_of_one_moment_price_and_side_are_one_dot() -> None:
    traded = Trades(10, bucket_us=60_000_000)
    rows = ticks({"bid": 100.0, "ask": 101.0}, *({"ltp": 101.0, "ltq": 2.0} for _ in range(3)))
    traded.add(rows, Books(10, 1, 60_000_000))
    assert traded.columns(0, np.inf, 0, 10)["trade_qty"].tolist() == [6.0]


# -- what pages are sent ------------------------------------------------------------------


def check_books(source: Frames, about: dict[str, Any], columns: dict[str, np.ndarray]) -> None:
    expected = last_books(source, about)
    assert columns["bucket"].tolist() == expected["bucket"].to_list()
    for name in ("bid_price", "bid_qty", "ask_price", "ask_qty"):
        table = columns[name].reshape(-1, about["levels"])
        for row, levels in zip(table, expected[name], strict=True):
            np.testing.assert_array_equal(row[: len(levels)], levels.to_numpy().astype(columns[name].dtype))
            assert np.isnan(row[len(levels) :]).all()


def test_a_page_has_the_last_book_of_each_moment(live: lk.Stream) -> None:
    live.stop()
    view = DepthHistory(live, "RELIANCE", seconds=600)
    about, columns = sent(view)
    check_books(live, about, columns)
    newest = live.latest("RELIANCE").row(0, named=True)
    assert (about["seq"], about["ltp"]) == (newest["seq"], newest["ltp"])
    assert about["zone"] == "Asia/Kolkata"
    assert about["step"] == live.tick_size("NSE:RELIANCE")


def test_a_page_has_every_trade_once(live: lk.Stream) -> None:
    live.stop()
    _, columns = sent(DepthHistory(live, "RELIANCE", seconds=600))
    volume = live.ticks("RELIANCE")["volume"].drop_nulls()
    assert columns["trade_qty"].sum() == volume[-1] - volume[0]
    assert set(columns["trade_side"].tolist()) == {-1, 1}


def test_a_picture_that_grew_with_the_stream_is_the_one_read_at_once(live: lk.Stream) -> None:
    view = DepthHistory(live, "RELIANCE", seconds=600)
    base, _ = view._messages(whole=True)
    for _ in range(5):
        assert live.wait(rows=200)
        newer, _ = view._messages(whole=False)
        base = newer or base
    live.stop()
    newer, frame = view._messages(whole=False)
    about, columns = together(newer or base or b"", frame)
    check_books(live, about, columns)
    _, at_once = sent(DepthHistory(live, "RELIANCE", seconds=600))
    for name in ("trade_price", "trade_qty", "trade_side"):
        np.testing.assert_array_equal(columns[name], at_once[name])


def test_a_frame_carries_what_is_new_and_now_and_then_a_base_takes_it_over(live: lk.Stream) -> None:
    view = DepthHistory(live, "RELIANCE", seconds=6)  # buckets of 10 ms
    base, frame = view._messages(whole=True)
    assert base is not None
    assert unpack(frame)[1]["bucket"][0] == unpack(base)[1]["bucket"][-1]
    newer = None
    while newer is None:
        assert live.wait(rows=500)
        newer, frame = view._messages(whole=False)
        assert len(unpack(frame)[1]["bucket"]) < 200
    assert unpack(newer)[0]["origin"] > unpack(base)[0]["origin"]
    assert unpack(frame)[1]["bucket"][0] == unpack(newer)[1]["bucket"][-1]


def test_a_store_shows_what_the_stream_showed(live: lk.Stream, tmp_path: Path) -> None:
    place = tmp_path / "ticks.duckdb"
    with lk.stream(["NSE:RELIANCE"], rate=20_000, store=place) as stored:
        assert stored.wait(rows=300)
    _, expected = sent(DepthHistory(stored, "RELIANCE", seconds=5, levels=3))
    with lk.open(place) as archive:
        about, columns = sent(DepthHistory(archive, "RELIANCE", seconds=5, levels=3))
    assert about["state"] == "stored"
    assert columns.keys() == expected.keys()
    for name, column in columns.items():
        np.testing.assert_array_equal(column, expected[name])


def test_another_symbol_window_or_number_of_levels_is_read_anew(live: lk.Stream) -> None:
    live.stop()
    view = DepthHistory(live, "TCS", seconds=60)
    sent(view)
    view.choose(symbol="RELIANCE", seconds=600, levels=2)
    about, columns = sent(view)
    assert about["levels"] == 2
    check = last_books(live, about)
    assert columns["bid_price"][::2].tolist() == [row[0] for row in check["bid_price"]]


def newest_bucket(about: dict[str, Any], columns: dict[str, np.ndarray]) -> float:
    """When the newest column begins, in milliseconds."""
    return float(about["origin"] + about["bucket"] * columns["bucket"][-1])


def test_a_player_that_goes_back_shows_what_was_then(live: lk.Stream) -> None:
    live.stop()
    player = live.player()
    view = player.depth_history("RELIANCE", seconds=6)  # buckets of 10 ms
    player.seek(player.end)
    at_end = newest_bucket(*sent(view))
    player.seek(player.start + (player.end - player.start) / 2)
    base, frame = view._messages(whole=False)
    assert base is not None
    about, columns = together(base, frame)
    assert newest_bucket(about, columns) <= player.position.timestamp() * 1000 < at_end + about["bucket"]
    assert newest_bucket(about, columns) < at_end
    check_books(player, about, columns)


def test_a_time_that_is_known_to_be_missing_is_told(live: lk.Stream) -> None:
    live.stop()
    live.start()
    assert live.wait(rows=50)
    live.stop()
    about, _ = sent(DepthHistory(live, "RELIANCE"))
    found = live.gaps().row(0, named=True)
    assert about["gaps"][0] == pytest.approx([found[end].timestamp() * 1000 for end in ("start", "end")])


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ({"levels": 0}, "levels=0"),
        ({"levels": 5.0}, "whole number"),
        ({"seconds": 0.5}, "1 to 86,400"),
        ({"seconds": "60"}, "1 to 86,400"),
        ({"scale": "linear"}, "log, sqrt"),
        ({"palette": "pink"}, "classic"),
    ],
)
def test_a_choice_that_cannot_be_is_refused(live: lk.Stream, choices: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingError, match=said):
        live.depth_history("RELIANCE", **choices)
    with pytest.raises(UnknownInstrument, match="RELIANCE"):
        live.depth_history("RELIANS")


def test_in_a_terminal_it_is_the_newest_quotes(live: lk.Stream) -> None:
    live.stop()
    words = repr(live.depth_history("RELIANCE", seconds=600))
    book = live.depth("RELIANCE")
    assert "NSE:RELIANCE" in words
    assert f"{book['bid_price'][0]}" in words.splitlines()[-2]


# -- what is painted ----------------------------------------------------------------------


def test_the_picture_in_a_notebook_has_what_the_kernel_holds(lab: Lab) -> None:
    cells = [
        "import ltpkit as lk\nlive = lk.stream(['RELIANCE', 'TCS'], rate=2000)\n"
        "view = live.depth_history('RELIANCE')\nview",
        "live.stop()",
        "bid, ask = live.depth('RELIANCE', levels=1).select('bid_price', 'ask_price').row(0)\n"
        "print(f\"{bid:,.2f} {ask:,.2f} {live.latest('RELIANCE')['seq'][0]}\")",
    ]
    with lab.notebook(cells) as notebook:
        page = notebook.page
        notebook.run(0)
        page.wait_for_selector("[data-ltp-view=depth_history][data-ltp-stamp]")
        notebook.run(1)
        page.wait_for_selector("[data-ltp-view=depth_history][data-ltp-state=stopped]")
        notebook.run(2)
        bid, ask, seq = notebook.text(2).split()
        page.wait_for_selector(f"[data-ltp-view=depth_history][data-ltp-seq='{seq}']")
        label = page.get_attribute("[data-ltp-view=depth_history] canvas", "aria-label")
        assert label is not None
        assert f"bid {bid}" in label
        assert f"ask {ask}" in label
        # What is under the cross-hair at the right edge is the book that stands now.
        page.focus("[data-ltp-view=depth_history] canvas")
        page.keyboard.press("ArrowLeft")
        page.wait_for_function(
            "words => document.querySelector('.ltp-depth_history .tip').textContent.includes(words)",
            arg=f"best {bid} / {ask}",
        )
        colours = page.evaluate(
            """() => { const canvas = document.querySelector('.ltp-depth_history canvas');
                const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
                return new Set(new Uint32Array(data.buffer)).size }"""
        )
        assert colours > 50
        page.select_option(".ltp-depth_history .symbol", "NSE:TCS")
        page.wait_for_selector("[data-ltp-view=depth_history][data-ltp-symbol='NSE:TCS']")
        assert not notebook.strayed
        assert not notebook.complaints
