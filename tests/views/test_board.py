"""The watchlist: what it says of what is held, its choices, and what stands on the page."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ltpkit as lk
from ltpkit.errors import SettingError, UnknownInstrument
from ltpkit.frames import Frames
from ltpkit.views.board import Board
from ltpkit.views.tails import POINTS
from tests.views.lab import Lab
from tests.views.sources import shown, streamed

SYMBOLS = ["NSE:RELIANCE", "NSE:TCS", "NSE:INFY"]


live = streamed(SYMBOLS, rate=5_000, rows=500)


def check_rows(source: Frames, board: Board) -> None:
    """Compare a board's newest message with what the source says."""
    base, header, columns = shown(board)
    latest = {f"{row['exchange']}:{row['symbol']}": row for row in source.latest().iter_rows(named=True)}
    newest = max(latest.values(), key=lambda row: int(row["seq"]))
    assert header["seq"] == newest["seq"]
    assert header["stamp"] == pytest.approx(newest["received_at"].timestamp() * 1000)
    assert set(base["names"]) <= set(latest)
    for i, name in enumerate(base["names"]):
        row = latest[name]
        changes = source.changes(name).tail(1).row(0, named=True)
        for column in ("ltp", "change", "change_percent", "volume"):
            assert columns[column][i] == row[column]
        for column in ("day_change", "day_change_percent"):
            assert columns[column][i] == pytest.approx(changes[column])
        days = [columns[one][i] for one in ("open", "low", "high")]
        assert days == [row["open_price"], row["low_price"], row["high_price"]]
        assert columns["at"][i] == pytest.approx(row["received_at"].timestamp() * 1000)
        curve = columns["curves"][i * POINTS : (i + 1) * POINTS]
        prices = source.ticks(name)["ltp"].drop_nulls()
        assert (curve[-1] == 255) == (prices[-1] == np.nanmax(board._curves.prices()[i]))
        assert board._curves.prices()[i, -1] == prices[-1]


def test_rows_say_what_the_stream_holds(live: lk.Stream) -> None:
    board = Board(live, SYMBOLS)
    live.stop()
    check_rows(live, board)


def test_rows_say_what_a_store_and_a_replay_hold(tmp_path: Path) -> None:
    file, frames = tmp_path / "ticks.duckdb", tmp_path / "frames.parquet"
    with lk.stream(SYMBOLS, rate=5_000, store=file, record=frames, name="board kept") as live:
        assert live.wait(rows=300)
    with lk.open(file) as archive:
        board = Board(archive)
        assert shown(board)[1]["state"] == "stored"
        check_rows(archive, board)
    replayed = lk.replay(frames, speed="max")
    check_rows(replayed, Board(replayed))
    replayed.stop()


def test_a_board_without_symbols_shows_what_is_subscribed_now(live: lk.Stream) -> None:
    board = Board(live)
    assert shown(board)[0]["names"] == SYMBOLS
    live.subscribe("SBIN")
    live.unsubscribe("TCS")
    assert set(shown(board)[0]["names"]) == {"NSE:RELIANCE", "NSE:INFY", "NSE:SBIN"}


def test_a_symbol_without_a_tick_has_no_values(live: lk.Stream) -> None:
    live.stop()
    board = Board(live, ["TCS"])
    board._names, board._newest = ("NSE:TCS", "NSE:NOSUCH"), type(board._newest)(["NSE:TCS", "NSE:NOSUCH"])
    values = board._newest.read(live, "ltp", "volume")
    assert not np.isnan(values["ltp"][0])
    assert np.isnan(values["ltp"][1])
    assert np.isnan(values["volume"][1])


def test_a_symbol_is_subscribed_and_unsubscribed_from_the_board(live: lk.Stream) -> None:
    board = Board(live, ["RELIANCE", "TCS"], symbol="TCS")
    board.choose(subscribe="SBIN")
    assert "NSE:SBIN" in live.symbols
    assert board.options["symbols"] == ["NSE:RELIANCE", "NSE:TCS", "NSE:SBIN"]
    assert board.options["symbol"] == "NSE:SBIN"
    board.choose(unsubscribe="NSE:SBIN")
    assert "NSE:SBIN" not in live.symbols
    assert board.options["symbols"] == ["NSE:RELIANCE", "NSE:TCS"]
    assert board.options["symbol"] is None


def test_a_symbol_that_is_not_there_is_refused_with_the_close_matches(live: lk.Stream) -> None:
    board, told = Board(live, ["TCS"]), threading.Event()
    with pytest.raises(UnknownInstrument, match="NSE:INFY"):
        board.choose(subscribe="INFYY")
    board.listen(lambda changed: told.set())
    board.try_choose({"subscribe": "HDFCBANKK"})  # as a page does; in a thread of its own
    for thread in threading.enumerate():
        if thread.name == "ltpkit-board":
            thread.join(10)
    assert "NSE:HDFCBANK" in shown(board)[1]["error"]
    assert not told.is_set()
    assert board.options["symbols"] == ["NSE:TCS"]


def test_a_store_takes_no_subscriptions(tmp_path: Path) -> None:
    with lk.stream(["TCS"], rate=5_000, store=tmp_path / "t.duckdb", name="board store") as live:
        assert live.wait(rows=50)
    with lk.open(tmp_path / "t.duckdb") as archive:
        board = Board(archive)
        assert shown(board)[0]["subscribing"] is False
        with pytest.raises(SettingError, match="no subscriptions"):
            board.choose(subscribe="INFY")


@pytest.mark.parametrize(
    ("choices", "said"),
    [({"sort": "colour"}, "day_change_percent"), ({"symbols": ["TCZ"]}, "NSE:TCS"), ({"levels": 5}, "sort")],
)
def test_a_choice_that_cannot_be_is_refused(live: lk.Stream, choices: dict[str, Any], said: str) -> None:
    board = Board(live, SYMBOLS)
    before = board.options
    with pytest.raises((SettingError, UnknownInstrument), match=said):
        board.choose(**choices)
    assert board.options == before


def test_a_terminal_shows_the_rows_and_says_what_changes_are_counted_from(live: lk.Stream) -> None:
    live.stop()
    text = repr(Board(live, SYMBOLS))
    assert "change: since the previous tick" in text
    assert "day_change: since the previous close" in text
    for row in live.latest().iter_rows(named=True):
        assert f"{row['ltp']}" in text


def test_reading_again_asks_for_new_rows_only(live: lk.Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    live.stop()
    board = Board(live, SYMBOLS)
    shown(board)
    asked: list[int] = []
    numbers = live.newer_numbers

    def watched(columns: Sequence[str], seq: int) -> Any:
        found = numbers(columns, seq)
        asked.append(len(found["seq"]))
        return found

    monkeypatch.setattr(live, "newer_numbers", watched)
    board._frame()
    assert asked == [0]


ROWS = """() => [...document.querySelectorAll('.ltp-board .row')].filter(row => row.style.display !== 'none')
    .sort((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top)
    .map(row => ({
        ...Object.fromEntries([...row.children].map(cell =>
            [cell.className.split(' ')[0].slice(2), cell.textContent])),
        symbol: row.dataset.symbol }))"""


def signed(value: float, digits: int, unit: str = "") -> str:
    sign = "+" if value > 0 else "−" if value < 0 else ""
    return f"{sign}{abs(value):,.{digits}f}{unit}"


def grouped(value: float) -> str:
    """A whole number as it is written in India: 1,27,846."""
    digits = f"{value:.0f}"
    head, tail = digits[:-3], digits[-3:]
    pairs = [head[max(end - 2, 0) : end] for end in range(len(head), 0, -2)][::-1]
    return ",".join([*pairs, tail])


def test_the_page_shows_sorts_filters_selects_and_subscribes(lab: Lab) -> None:
    cells = [
        "import json\nimport ltpkit as lk\n"
        "live = lk.stream(['RELIANCE', 'TCS', 'INFY', 'SBIN', 'ITC'], rate=2000, name='page')\n"
        "ladder = live.ladder('TCS'); board = live.board().link(ladder); board",
        "ladder",
        "live.stop()",
        "newest = live.latest().select('seq', 'volume')\n"
        "print(json.dumps(live.changes().join(newest, on='seq').to_dicts(), default=str))",
        "print(json.dumps([live.symbols, board.options, ladder.options]))",
    ]
    with lab.notebook(cells, height=1400) as notebook:
        page = notebook.page
        notebook.run(0)
        page.wait_for_function("document.querySelectorAll('.ltp-board .row').length === 5")
        notebook.run(1)
        # A symbol that is not there is named with the close matches; one that is appears.
        page.fill(".ltp-board .add input", "WIPROO")
        page.press(".ltp-board .add input", "Enter")
        page.wait_for_function(
            "document.querySelector('.ltp-board .ltp-note').textContent.includes('NSE:WIPRO')"
        )
        page.fill(".ltp-board .add input", "WIPRO")
        page.click(".ltp-board .add button")
        page.wait_for_selector(".ltp-board .row[data-symbol='NSE:WIPRO'][aria-selected=true]")
        page.wait_for_function("!document.querySelector('.ltp-board .ltp-note').classList.contains('bad')")
        page.wait_for_selector(".ltp-ladder[data-ltp-symbol='NSE:WIPRO']")
        page.press(".ltp-board .pane", "Delete")
        page.wait_for_selector(".ltp-board .row[data-symbol='NSE:WIPRO']", state="hidden")
        # A click selects, the arrow keys go on from there, and the ladder follows.
        page.click(".ltp-board .row[data-symbol='NSE:TCS'] .c-ltp")
        page.wait_for_selector(".ltp-ladder[data-ltp-symbol='NSE:TCS']")
        page.press(".ltp-board .pane", "ArrowDown")
        page.wait_for_selector(".ltp-ladder[data-ltp-symbol='NSE:INFY']")
        page.mouse.move(5, 5)
        page.click(".ltp-board .c-day_change_percent button")
        page.mouse.move(5, 5)
        notebook.run(2)
        notebook.run(3)
        told = [row for row in json.loads(notebook.text(3)) if row["symbol"] != "WIPRO"]
        told.sort(key=lambda row: -row["day_change_percent"])
        page.wait_for_selector(".ltp-board[data-ltp-state=stopped]")
        page.wait_for_function(
            """([rows, wanted]) => JSON.stringify(eval(rows)().map(row => row.symbol)) === wanted""",
            arg=[f"({ROWS})", json.dumps([f"NSE:{row['symbol']}" for row in told], separators=(",", ":"))],
        )
        for row, said in zip(page.evaluate(ROWS), told, strict=True):
            assert row["ltp"] == f"{said['ltp']:,.2f}"
            assert row["change"] == signed(said["change"], 2)
            assert row["change_percent"] == signed(said["change_percent"], 3, "%")
            assert row["day_change"] == signed(said["day_change"], 2)
            assert row["day_change_percent"] == signed(said["day_change_percent"], 2, "%")
            assert row["volume"] == grouped(said["volume"])
        page.fill(".ltp-board .filter", "tc")
        page.wait_for_function(f"({ROWS})().length === 2")  # ITC and TCS
        page.wait_for_function("document.querySelector('.ltp-board .count').textContent === '2 of 5 symbols'")
        page.evaluate("document.activeElement.blur()")
        symbols, board, ladder = notebook.told(4, lambda told: told[1]["find"] == "tc")
        assert "NSE:WIPRO" not in symbols
        assert (board["symbol"], board["sort"], board["find"]) == ("NSE:INFY", "-day_change_percent", "tc")
        assert ladder["symbol"] == "NSE:INFY"
        assert (notebook.strayed, notebook.complaints) == ([], [])
