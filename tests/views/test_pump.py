"""The thread that gives each view its turn, and what a view says when its turn comes."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import polars as pl
import pytest

import ltpkit as lk
from ltpkit.errors import SettingError, UnknownInstrument
from ltpkit.views.ladder import Ladder
from ltpkit.views.pump import UNANSWERED, Pump
from ltpkit.views.view import Shell
from ltpkit.views.wire import unpack
from tests.views.sources import streamed


class PaperShell(Shell):
    """A page that keeps what it is sent, and answers when told to."""

    def __init__(self, view: Ladder, base: bytes, frame: bytes) -> None:
        super().__init__(view)
        self.sheets: list[dict[str, bytes]] = [{"base": base, "frame": frame}]
        self.came = threading.Condition()

    def send(self, messages: Mapping[str, bytes]) -> None:
        with self.came:
            self.sheets.append(dict(messages))
            self.came.notify_all()

    def close(self) -> None:
        """Nothing is open."""

    def wait(self, what: Any) -> None:
        with self.came:
            assert self.came.wait_for(what, 10), f"{len(self.sheets)} sheets"

    def newest(self, name: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        return next(unpack(sheet[name]) for sheet in reversed(self.sheets) if name in sheet)

    def answer(self) -> None:
        self.hear(answered=self.newest("frame")[0]["n"])


live = streamed(["NSE:RELIANCE", "NSE:TCS"], rate=2_000, rows=20)


@pytest.fixture
def ladder(live: lk.Stream) -> Iterator[Ladder]:
    view = Ladder(live, "RELIANCE")
    yield view
    view.close()


def test_a_view_that_nobody_sees_is_sent_nothing(live: lk.Stream, ladder: Ladder) -> None:
    shell = ladder._shell(PaperShell)
    assert live.wait(rows=20)
    assert not ladder.due()
    assert len(shell.sheets) == 1


def test_a_page_that_does_not_answer_gets_a_few_frames_and_no_more(ladder: Ladder) -> None:
    shell = ladder._shell(PaperShell)
    shell.hear(seen=True, answered=shell.sent)
    shell.wait(lambda: len(shell.sheets) == 1 + UNANSWERED)
    assert not ladder.due()
    assert ladder.source.version() is not None
    shell.answer()
    shell.wait(lambda: len(shell.sheets) > 1 + UNANSWERED)


def test_a_frame_shows_the_book_that_the_stream_holds(live: lk.Stream, ladder: Ladder) -> None:
    shell = ladder._shell(PaperShell)
    live.stop()
    shell.hear(seen=True, answered=shell.sent)
    shell.wait(lambda: shell.newest("frame")[0]["state"] == "stopped")
    header, columns = shell.newest("frame")
    book = live.depth("RELIANCE", levels=5)
    for name in ("bid_price", "bid_qty", "bid_orders", "ask_price", "ask_qty", "ask_orders"):
        np.testing.assert_array_equal(columns[name], book[name].cast(pl.Float64).to_numpy())
    newest = live.latest("RELIANCE").row(0, named=True)
    assert header["seq"] == newest["seq"]
    assert header["stamp"] == pytest.approx(newest["received_at"].timestamp() * 1000)
    assert header["ltp"] == newest["ltp"]


def test_a_choice_on_the_page_is_made_once_and_told_to_listeners(live: lk.Stream, ladder: Ladder) -> None:
    heard: list[Mapping[str, Any]] = []
    ladder.listen(heard.append)
    shell = ladder._shell(PaperShell)
    shell.hear(chosen={"symbol": ("TCS", 1000.0)})
    ladder.choose(symbol="RELIANCE")
    shell.hear(chosen={"symbol": ("TCS", 1000.0), "levels": (3, 2000.0)})
    assert ladder.options["symbol"] == "NSE:RELIANCE"
    assert ladder.options["levels"] == 3
    assert heard == [{"symbol": "NSE:TCS"}, {"symbol": "NSE:RELIANCE"}, {"levels": 3}]


def test_a_choice_that_cannot_be_is_said_on_the_page_and_changes_nothing(ladder: Ladder) -> None:
    shell = ladder._shell(PaperShell)
    shell.hear(seen=True, answered=shell.sent, chosen={"symbol": ("RELIANS", 1000.0)})
    shell.wait(lambda: "RELIANCE" in (shell.newest("frame")[0]["error"] or ""))
    assert ladder.options["symbol"] == "NSE:RELIANCE"


@pytest.mark.parametrize(
    ("choices", "said"),
    [({"levels": 0}, "levels=0"), ({"palette": "pink"}, "classic"), ({"colour": "red"}, "levels, palette")],
)
def test_a_choice_that_cannot_be_is_refused(ladder: Ladder, choices: dict[str, Any], said: str) -> None:
    before = ladder.options
    with pytest.raises(SettingError, match=said):
        ladder.choose(**choices)
    assert ladder.options == before


def test_a_view_of_a_symbol_that_is_not_there_is_refused(live: lk.Stream) -> None:
    with pytest.raises(UnknownInstrument, match="NSE:TCS"):
        live.ladder("TCZ")


def test_a_linked_view_follows_the_symbol(live: lk.Stream, ladder: Ladder) -> None:
    other = Ladder(live, "RELIANCE")
    ladder.link(other)
    ladder.choose(symbol="TCS")
    assert other.options["symbol"] == "NSE:TCS"


def test_a_held_view_shows_the_same_tick_while_the_market_goes_on(live: lk.Stream, ladder: Ladder) -> None:
    shell = ladder._shell(PaperShell)
    shell.hear(seen=True, answered=shell.sent)
    ladder.choose(paused=True)
    shell.wait(lambda: shell.newest("frame")[0]["options"]["paused"])
    held = shell.newest("frame")[0]["seq"]
    count = len(shell.sheets)
    shell.answer()
    assert live.wait(rows=50)
    shell.wait(lambda: len(shell.sheets) > count)  # the beat, which says that the stream is there
    assert shell.newest("frame")[0]["seq"] == held


def test_an_error_of_a_view_is_shown_on_it_and_the_others_go_on(live: lk.Stream, ladder: Ladder) -> None:
    class Broken(Ladder):
        def _frame(self) -> Any:
            raise ZeroDivisionError("no such luck")

    broken = Broken(live, "TCS")
    bad, good = broken._shell(PaperShell), ladder._shell(PaperShell)
    for shell in (bad, good):
        shell.hear(seen=True, answered=shell.sent)
    bad.wait(lambda: bad.newest("frame")[0]["error"] == "ZeroDivisionError: no such luck")
    count = len(good.sheets)
    good.answer()
    good.wait(lambda: len(good.sheets) > count)
    broken.close()


def test_the_thread_ends_with_its_last_view(ladder: Ladder) -> None:
    own = Pump()
    own.add(ladder)
    thread = own._thread
    assert thread is not None
    own.discard(ladder)
    thread.join(10)
    assert not thread.is_alive()
    assert len(own) == 0


def test_a_pump_serves_again_after_it_was_empty() -> None:
    class Once:
        fps = 100.0

        def __init__(self) -> None:
            self.pushed = threading.Event()

        @property
        def watched(self) -> bool:
            return False

        def due(self) -> bool:
            return not self.pushed.is_set()

        def push(self) -> None:
            self.pushed.set()

    own = Pump()
    for _ in range(3):
        view = Once()
        own.add(view)
        assert view.pushed.wait(10)
        own.discard(view)
    assert len(own) == 0


def test_one_answer_tells_of_all_views_of_a_page(live: lk.Stream, ladder: Ladder) -> None:
    other = Ladder(live, "TCS")
    here, there = ladder._shell(PaperShell), other._shell(PaperShell)
    elsewhere = other._shell(PaperShell, "another tab")
    frames = {shell: shell.newest("frame")[0] for shell in (here, there, elsewhere)}
    here.hear_answers({frame["view"]: frame["n"] for frame in frames.values()} | {"gone-1": 7})
    assert here.answered == frames[here]["n"]
    assert there.answered == frames[elsewhere]["n"]
    assert elsewhere.answered == 0
    other.close()


class Turns:
    """A view that notes its turns; each takes a while."""

    def __init__(self, name: str, fps: float, had: list[str], enough: threading.Event) -> None:
        self.name, self.fps, self.had, self.enough = name, fps, had, enough
        self.watched = True

    def due(self) -> bool:
        return True

    def push(self) -> None:
        self.had.append(self.name)
        if len(self.had) >= 60:
            self.enough.set()


def test_where_there_is_no_time_for_all_views_each_gets_its_share() -> None:
    own, had, enough = Pump(), [], threading.Event()
    views = [Turns(name, 1e6, had, enough) for name in "abc"]  # more than can be
    for view in views:
        own.add(view)
    had.clear()  # what the first had while the others were not there yet
    enough.clear()
    assert enough.wait(10)
    for view in views:
        own.discard(view)
    shares = {name: had[3:].count(name) for name in "abc"}
    assert max(shares.values()) <= 2 * min(shares.values())
