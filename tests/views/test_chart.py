"""The chart: the bars it sends are those of the stream, and what it paints is what it was sent."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import ltpkit as lk
from ltpkit.bars import bars
from ltpkit.errors import SettingError, UnknownInstrument
from ltpkit.flags import left_out
from ltpkit.frames import Frames, Name, Table
from ltpkit.schema import BACKFILL, polars_schema
from ltpkit.store import Store
from ltpkit.views.bokeh_chart import BokehChart
from ltpkit.views.chart import Chart
from ltpkit.views.growing import NUMBERS, Columns, GrowingBars
from ltpkit.views.wire import unpack
from tests.views.lab import Lab
from tests.views.sources import streamed

MORNING = datetime(2026, 11, 20, 3, 45, tzinfo=UTC)  # 09:15 in India
DAY = timedelta(days=1)


def ticks_of(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Rows with the columns of ticks; what is not given is null."""
    types = polars_schema("ticks")
    whole = [
        dict.fromkeys(types) | {"exchange": "NSE", "source": "test", "received_at": row["timestamp"], **row}
        for row in rows
    ]
    return pl.DataFrame(whole, schema=types)


def columns_of(found: pl.DataFrame) -> Columns:
    """Bars as they are sent; what is not known is NaN."""
    numbers = found.select(
        pl.col("start").dt.timestamp("us") / 1000, *(pl.col(one).cast(pl.Float64) for one in NUMBERS[1:])
    )
    return {name: numbers[name].to_numpy() for name in NUMBERS}


class Sheet(Frames):
    """Rows of a frame, as many as have arrived."""

    def __init__(self, ticks: pl.DataFrame, events: pl.DataFrame | None = None) -> None:
        self.whole, self.arrived = ticks, 0
        self.noted = pl.DataFrame(schema=polars_schema("events")) if events is None else events

    def _rows(self, table: Table, names: Sequence[Name] | None, last: int | None) -> pl.DataFrame:
        if table == "events":
            return self.noted
        found = self.whole.head(self.arrived)
        if names is not None:
            found = found.filter(pl.col("symbol").is_in([symbol for _, symbol in names]))
        return found if last is None else found.tail(last)

    def _latest(self) -> pl.DataFrame:
        return (
            self.whole.head(self.arrived)
            .group_by("symbol", maintain_order=True)
            .last()
            .select(self.whole.columns)
        )

    def _newest_book(self, name: Name) -> pl.DataFrame:
        return pl.DataFrame(schema=polars_schema("depth"))

    def _query(self, query: str, params: Any, frames: Mapping[str, Any]) -> pl.DataFrame:
        return self.noted

    def _scan(self) -> pl.LazyFrame:
        return self.whole.head(self.arrived).lazy()

    def known(self) -> list[str]:
        return ["NSE:A", "NSE:B"]

    def version(self) -> int:
        return self.arrived


def odd_market(seed: int, *, totals: bool) -> pl.DataFrame:
    """Ticks of two days as feeds send them: some late, some without a price, totals missing or fallen."""
    rng = np.random.default_rng(seed)
    rows, total = [], {"A": 0.0, "B": 0.0}
    for seq in range(1, 601):
        day = DAY * (seq > 300)
        at = MORNING + day + timedelta(seconds=((seq - 1) % 300) * 0.37)
        symbol = "A" if rng.random() < 0.6 else "B"
        quantity = float(rng.integers(1, 50))
        if seq == 301:
            total = dict.fromkeys(total, 0.0)
        total[symbol] += quantity
        late = timedelta(seconds=float(rng.exponential(3.0))) if rng.random() < 0.08 else timedelta()
        row = {"seq": seq, "symbol": symbol, "timestamp": at - late, "received_at": at, "ltq": quantity}
        if rng.random() < 0.9:
            row["ltp"] = round(100 + float(rng.normal(0, 2)), 2)
        if totals and rng.random() < 0.85:
            row["volume"] = total[symbol]
        rows.append(row)
    return ticks_of(rows)


@pytest.mark.parametrize("totals", [True, False])
@pytest.mark.parametrize("every", ["1s", "7s", "1h", "1d"])
@pytest.mark.parametrize("seed", [1, 2])
def test_bars_that_follow_are_those_that_are_worked_out_anew(every: str, totals: bool, seed: int) -> None:  # noqa: FBT001
    sheet = Sheet(odd_market(seed, totals=totals))
    rng = np.random.default_rng(seed)
    sheet.arrived = 5
    growing = GrowingBars(sheet, "NSE:A", every, "3d")
    shown = growing.all()
    while sheet.arrived < sheet.whole.height:
        sheet.arrived = min(sheet.whole.height, sheet.arrived + int(rng.integers(1, 15)))
        growing.follow()
        tail, _ = growing.tail()
        if len(tail["start"]):
            kept = np.searchsorted(shown["start"], tail["start"][0])
            shown = {name: np.concatenate([shown[name][:kept], tail[name]]) for name in NUMBERS}
        if rng.random() < 0.2:
            growing.settle()
        wanted = bars(sheet.ticks("A"), every)
        for name, values in columns_of(wanted).items():
            np.testing.assert_array_equal(shown[name], values, err_msg=f"{name} after {sheet.arrived} ticks")
    for name, values in growing.all().items():
        np.testing.assert_array_equal(values, columns_of(wanted)[name], err_msg=name)


def test_a_row_that_is_flagged_afterwards_leaves_its_bar() -> None:
    rows = [
        {
            "seq": i,
            "symbol": "A",
            "timestamp": MORNING + timedelta(seconds=i / 4),
            "ltp": 100.0 + i,
            "volume": 10.0 * i,
        }
        for i in range(1, 20)
    ]
    sheet = Sheet(ticks_of(rows))
    sheet.arrived = 10
    growing = GrowingBars(sheet, "NSE:A", "1s", "1d")
    sheet.arrived = 19
    detail = json.dumps({"why": "jump", "rows": 2, "seqs": [[7, 7], [15, 15]]})
    sheet.noted = pl.DataFrame(
        [(1, MORNING, "flagged", "NSE:A", detail)], schema=polars_schema("events"), orient="row"
    )
    growing.follow()
    wanted = bars(sheet.ticks("A"), "1s", left_out=left_out(sheet.noted))
    shown, unflagged = growing.all(), columns_of(bars(sheet.ticks("A"), "1s"))
    for name, values in columns_of(wanted).items():
        np.testing.assert_array_equal(shown[name], values, err_msg=name)
    assert not np.array_equal(shown["close"], unflagged["close"])


def test_a_row_that_is_flagged_before_it_is_read_is_never_counted() -> None:
    rows = [
        {"seq": i, "symbol": "A", "timestamp": MORNING + timedelta(seconds=i / 4), "ltp": 100.0 + i}
        for i in range(1, 13)
    ]
    sheet = Sheet(ticks_of(rows))
    detail = json.dumps({"why": "jump", "rows": 4, "seqs": [[4, 5], [9, 9], [12, 12]]})
    sheet.noted = pl.DataFrame(
        [(1, MORNING, "flagged", "NSE:A", detail)], schema=polars_schema("events"), orient="row"
    )
    sheet.arrived = 5
    growing = GrowingBars(sheet, "NSE:A", "1s", "1d")
    for sheet.arrived in (8, 9, 11, 12):
        growing.follow()
    wanted = columns_of(bars(sheet.ticks("A"), "1s", left_out=left_out(sheet.noted)))
    for name, values in growing.all().items():
        np.testing.assert_array_equal(values, wanted[name], err_msg=name)


# -- of a live stream ----------------------------------------------------------------------


live = streamed(["NSE:RELIANCE", "NSE:TCS", "NSE:INFY"], rate=2_000, rows=50)


class Reader:
    """Puts together what a chart sends, as a page does."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.bars: dict[str, dict[str, np.ndarray]] = {}
        self.epoch = -1

    def take(self, base: bytes | None, frame: bytes) -> dict[str, Any]:
        if base is not None:
            header, columns = unpack(base)
            self.epoch, self.names = header["epoch"], [one["name"] for one in header["series"]]
            self.bars = self._parts(columns, [one["bars"] for one in header["series"]])
        header, columns = unpack(frame)
        assert header["epoch"] == self.epoch
        for name, tail in self._parts(columns, header["tails"]).items():
            if len(tail["start"]):
                kept = np.searchsorted(self.bars[name]["start"], tail["start"][0])
                old = self.bars[name]
                self.bars[name] = {one: np.concatenate([old[one][:kept], tail[one]]) for one in NUMBERS}
        return header

    def _parts(
        self, columns: Mapping[str, np.ndarray], lengths: Sequence[int]
    ) -> dict[str, dict[str, np.ndarray]]:
        ends = np.cumsum(lengths)
        return {
            name: {one: columns[one][end - length : end] for one in NUMBERS}
            for name, end, length in zip(self.names, ends, lengths, strict=True)
        }


def test_what_a_chart_sends_is_what_the_stream_says_in_the_end(live: lk.Stream) -> None:
    chart, reader = Chart(live, ["RELIANCE", "TCS"], every="100ms"), Reader()
    reader.take(*chart._messages(whole=True))
    for turn in range(12):
        assert live.wait(rows=30)
        if turn == 6:
            chart._base_due = True
        reader.take(*chart._messages(whole=False))
    live.stop()
    header = reader.take(*chart._messages(whole=False))
    for symbol in ("RELIANCE", "TCS"):
        wanted = columns_of(live.bars("100ms", symbol=symbol))
        for name in NUMBERS:
            np.testing.assert_array_equal(reader.bars[f"NSE:{symbol}"][name], wanted[name], err_msg=name)
    newest = live.ticks(["RELIANCE", "TCS"])[-1]
    assert header["seq"] == newest["seq"][0]
    assert header["stamp"] == pytest.approx(newest["received_at"][0].timestamp() * 1000, abs=0.001)


def test_a_turn_reads_the_new_ticks_alone(live: lk.Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    chart = Chart(live, "RELIANCE", every="1m")
    chart._messages(whole=True)
    read: list[int] = []
    numbers = live.newer_numbers

    def counted(columns: Sequence[str], seq: int, name: str) -> Any:
        found = numbers(columns, seq, name)
        read.append(len(found["seq"]))
        return found

    monkeypatch.setattr(live, "newer_numbers", counted)
    monkeypatch.setattr(live, "ticks", None)
    monkeypatch.setattr(live, "believed", None)
    for _ in range(5):
        assert live.wait(rows=20)
        assert unpack(chart._messages(whole=False)[1])[0]["error"] is None
    monkeypatch.undo()
    live.stop()
    assert 0 < sum(read) < live.ticks("RELIANCE").height


def test_bars_that_have_become_many_go_into_the_base(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ltpkit.views.chart._MOST_CHANGED", 10)
    sheet = Sheet(odd_market(3, totals=True))
    sheet.arrived = 50
    chart, reader = Chart(sheet, ["A", "B"], every="1s", history="3d"), Reader()
    reader.take(*chart._messages(whole=True))
    epochs = {reader.epoch}
    while sheet.arrived < sheet.whole.height:
        sheet.arrived += 10
        header = reader.take(*chart._messages(whole=False))
        assert max(header["tails"]) < 60
        epochs.add(reader.epoch)
    assert len(epochs) > 3
    for name, shown in reader.bars.items():
        wanted = columns_of(sheet.bars("1s", symbol=name))
        for one in NUMBERS:
            np.testing.assert_array_equal(shown[one], wanted[one])


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"every": "2d"}, "bar length"),
        ({"history": "soon"}, "duration"),
        ({"history": "-1d"}, "duration"),
        ({"style": "pie"}, "candles, line, area"),
        ({"averages": [1]}, "from 2"),
        ({"height": 10}, "pixels"),
        ({"colour": "red"}, "no 'colour'"),
    ],
)
def test_a_choice_that_cannot_be_is_refused_by_name(
    live: lk.Stream, choice: dict[str, Any], words: str
) -> None:
    chart = Chart(live, "RELIANCE")
    before = chart.options
    with pytest.raises(SettingError, match=words):
        chart.choose(**choice)
    assert chart.options == before


def test_a_symbol_that_is_not_held_is_refused(live: lk.Stream) -> None:
    with pytest.raises(UnknownInstrument):
        live.chart(["RELIANCE", "NOSUCH"])
    with pytest.raises(SettingError, match="one symbol"):
        live.chart(["RELIANCE", "TCS"], backend="bokeh")
    with pytest.raises(SettingError, match="backend"):
        live.chart("RELIANCE", backend="matplotlib")  # type: ignore[call-overload]


def test_a_figure_of_bokeh_holds_the_same_bars(live: lk.Stream) -> None:
    chart = live.chart("RELIANCE", every="200ms", backend="bokeh")
    assert isinstance(chart, BokehChart)
    shell = chart._shell(_shell_of(chart))
    for _ in range(4):
        assert live.wait(rows=60)
        chart.push()
    live.stop()
    chart.push()
    wanted = live.bars("200ms", symbol="RELIANCE")
    data = shell.source.data
    for name in ("open", "high", "low", "close", "volume"):
        assert list(data[name]) == wanted[name].to_list()
    assert list(data["x"]) == list(range(wanted.height))
    chart.close()


def _shell_of(chart: BokehChart) -> Any:
    """The shell that its figure was made with."""
    assert chart.figure is not None
    return type(next(iter(chart._shells.values())))


# -- of a store ----------------------------------------------------------------------------


@pytest.fixture
def stored(tmp_path: Path) -> Iterator[lk.Archive]:
    rows = []
    for i in range(1_000):
        day, number = divmod(i, 500)
        at = MORNING + DAY * day + timedelta(seconds=40 * number)
        row = {"seq": i + 1, "symbol": "INFY", "timestamp": at, "ltp": 1500 + (i % 37) / 10}
        if not 620 <= i < 650:
            rows.append({**row, "ltq": 5.0, "volume": 5.0 * (number + 1)})
    start, end = (MORNING + DAY + timedelta(seconds=40 * i) for i in (120, 150))
    detail = {"why": "connection lost", "start": _us(start), "end": _us(end), "symbols": ["NSE:INFY"]}
    book = {"why": "checksum", "start": _us(start)}
    with Store(tmp_path / "two_days.duckdb") as store:
        store.append(
            ticks=ticks_of(rows),
            events=pl.DataFrame(
                [(1, end, "gap", None, json.dumps(detail)), (2, end, "gap", "NSE:INFY", json.dumps(book))],
                schema=polars_schema("events"),
                orient="row",
            ),
        )
    with lk.open(tmp_path / "two_days.duckdb") as archive:
        yield archive


def _us(at: datetime) -> int:
    return round(at.timestamp() * 1_000_000)


def test_a_stored_history_begins_where_it_is_asked_to(stored: lk.Archive) -> None:
    reader = Reader()
    reader.take(*Chart(stored, "INFY", every="1m", history="2h")._messages(whole=True))
    wanted = stored.bars("1m")
    newest = stored.latest("INFY")["timestamp"][0]
    shown = wanted.filter(
        pl.col("start") >= newest - timedelta(minutes=200)
    )  # further than two hours: 200 bars
    assert 120 < shown.height < wanted.height
    np.testing.assert_array_equal(reader.bars["NSE:INFY"]["volume"], columns_of(shown)["volume"])
    np.testing.assert_array_equal(reader.bars["NSE:INFY"]["start"], columns_of(shown)["start"])


def test_gaps_are_told_but_not_those_of_a_book(stored: lk.Archive) -> None:
    _, frame = Chart(stored, "INFY", every="1m")._messages(whole=True)
    ((start, end, why, missing, _),) = unpack(frame)[0]["gaps"]
    assert (why, missing) == ("connection lost", None)
    assert end - start == 30 * 40_000


def test_a_terminal_shows_the_newest_bars(stored: lk.Archive) -> None:
    text = repr(Chart(stored, "INFY", every="1h"))
    assert "NSE:INFY" in text
    assert "Asia/Kolkata" in text
    assert "21 Nov 14:15:00" in text


# -- in a browser --------------------------------------------------------------------------

LEGEND = "document.querySelector('.ltp-chart .legend')"


def _legend(page: Any) -> dict[str, float]:
    text = page.evaluate(f"{LEGEND}.querySelector('.bar').innerText").replace(",", "")
    return {name: float(value) for name, value in re.findall(r"\b([OHLCV])\s*([\d.]+)", text)}


def test_the_page_shows_the_bars_that_the_kernel_holds(lab: Lab) -> None:
    cells = [
        "import ltpkit as lk\nlive = lk.stream(['RELIANCE', 'TCS'], rate=1000)\nlive.chart('RELIANCE')",
        "live.stop()\nimport json\nbars = live.bars('1s', symbol='RELIANCE')\n"
        "print(json.dumps([bars.height, *bars.select('open', 'high', 'low', 'close', 'volume').row(-1)]))",
        "bars = live.bars('5s', symbol='TCS')\nprint(json.dumps([bars.height, bars['close'][-1]]))",
    ]
    with lab.notebook(cells) as notebook:
        page = notebook.page
        notebook.run(0)
        page.wait_for_function("Number(document.querySelector('.ltp-chart')?.dataset.ltpBars) >= 3")
        notebook.run(1)
        count, *wanted = json.loads(notebook.text(1))
        page.wait_for_function(
            f"document.querySelector('.ltp-chart').dataset.ltpState === 'stopped' && "
            f"document.querySelector('.ltp-chart').dataset.ltpBars === '{count}'"
        )
        assert list(_legend(page).values()) == pytest.approx(wanted)
        # Another symbol and length, then the first one beside it.
        page.select_option(".ltp-chart .symbol", "NSE:TCS")
        page.click(".ltp-chart .every button[data-value='5s']")
        notebook.run(2)
        count, close = json.loads(notebook.text(2))
        page.wait_for_function(f"{LEGEND}.innerText.includes('NSE:TCS') && {LEGEND}.innerText.includes('5s')")
        page.wait_for_function(f"document.querySelector('.ltp-chart').dataset.ltpBars === '{count}'")
        assert _legend(page)["C"] == close
        page.select_option(".ltp-chart .compare", "NSE:RELIANCE")
        page.wait_for_function(f"{LEGEND}.querySelectorAll('.other').length === 2")
        assert "%" in page.evaluate(f"{LEGEND}.querySelector('.others').innerText")
        page.click(".ltp-chart .legend button[data-remove]")
        page.wait_for_function(f"!{LEGEND}.querySelector('.other')")
        # By keys alone, to the first bar.
        page.focus(".ltp-chart .plot")
        for _ in range(count):
            page.keyboard.press("ArrowLeft")
        first = page.evaluate(f"Number({LEGEND}.querySelector('.bar').dataset.start)")
        page.keyboard.press("Escape")
        assert first < page.evaluate(f"Number({LEGEND}.querySelector('.bar').dataset.start)") or count == 1
        assert page.get_attribute(".ltp-chart .plot", "aria-label").startswith("NSE:TCS, 5s bars.")
        assert page.locator(".ltp-chart #tv-attr-logo").count() == 1
        assert (notebook.strayed, notebook.complaints) == ([], [])


def test_hvplot_draws_the_frames_that_are_returned_where_nothing_else_can_be_reached(lab: Lab) -> None:
    cells = [
        "import holoviews as hv\nhv.extension('bokeh', inline=True)",
        "import hvplot.polars, ltpkit as lk\nlive = lk.stream(['RELIANCE'], rate=5000)\n"
        "assert live.wait(rows=100)",
        "live.bars('1s').hvplot.ohlc('start', ['open', 'high', 'low', 'close'])",
        "live.ticks('RELIANCE').hvplot.line(x='timestamp', y='ltp')",
        "live.stop()",
    ]
    outside = re.compile(r"https?://(?!127\.0\.0\.1)")
    with lab.notebook(cells, own_page=True) as notebook:
        notebook.page.route(outside, lambda route: route.abort())
        for cell in range(len(cells)):
            notebook.run(cell)
        for cell in (2, 3):
            notebook.page.locator(".bk-Figure canvas").nth(cell - 2).wait_for(state="attached")
        assert notebook.complaints == []


# -- what views read instead of frames --------------------------------------------------------


def test_plain_numbers_of_a_stream_are_those_of_its_frames(live: lk.Stream) -> None:
    live.stop()
    columns = ("seq", "symbol", "exchange", "received_at", "ltp", "volume", "change")
    for name, seq in ((None, 0), (None, 20), ("NSE:TCS", 0), ("NSE:TCS", 20)):
        expected = Frames.newer_numbers(live, columns, seq, name)
        for one, values in live.newer_numbers(columns, seq, name).items():
            np.testing.assert_array_equal(values, expected[one], err_msg=f"{one} of {name} after {seq}")
    since = live.ticks("TCS")["received_at"][5]
    expected = Frames.newer_numbers(live, columns, 0, "NSE:TCS", since=since)
    for one, values in live.newer_numbers(columns, 0, "NSE:TCS", since=since).items():
        np.testing.assert_array_equal(values, expected[one])
    newest = Frames.latest_numbers(live, columns)
    for one, values in live.latest_numbers(columns).items():
        np.testing.assert_array_equal(values, newest[one])
    books = live.books("TCS")
    seqs, times = books["seq"], books["received_at"]
    asked = ((0, None, 5), (seqs[3], None, 2), (0, times[4], 9), (seqs[3], times[1], 9))
    for seq, since, levels in asked:
        expected = Frames.newer_books(live, "NSE:TCS", seq, levels=levels, since=since)
        found = live.newer_books("NSE:TCS", seq, levels=levels, since=since)
        assert len(found["seq"]) > 0
        for one, values in found.items():
            np.testing.assert_array_equal(values, expected[one], err_msg=one)


def test_bars_with_rows_of_a_history_open_and_close_by_the_exchange_clock() -> None:
    def row(seq: int, at: float, ltp: float, source: str) -> dict[str, Any]:
        numbers = {"ltp": ltp, "ltq": 0.1, "volume": 10.0 * at}
        when = MORNING + timedelta(seconds=at)
        return {"seq": seq, "symbol": "A", "timestamp": when, "source": source, **numbers}

    rows = [row(seq, at, 100.0 + at, "test") for seq, at in enumerate((1, 2, 5, 6), 1)]
    missed = [(0.5, 90.0), (3, 110.0), (4, 95.0)]
    filled = [row(seq, at, ltp, BACKFILL) for seq, (at, ltp) in enumerate(missed, 5)]
    sheet = Sheet(ticks_of([*rows, *filled]))
    sheet.arrived = len(rows)
    growing = GrowingBars(sheet, "NSE:A", "2s", "1d")
    sheet.arrived = sheet.whole.height
    growing.follow()
    wanted = columns_of(bars(sheet.ticks("A"), "2s"))
    for name, values in growing.all().items():
        np.testing.assert_array_equal(values, wanted[name], err_msg=name)
    assert growing.all()["open"][0] == 90.0
