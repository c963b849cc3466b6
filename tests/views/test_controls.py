"""The controls of a stream, clicked in a real notebook and called without one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import ltpkit as lk
from ltpkit.errors import SettingError, UnknownInstrument
from ltpkit.views.wire import unpack
from tests.views.lab import Lab


@pytest.fixture
def live() -> Iterator[lk.Stream]:
    with lk.stream(["NSE:RELIANCE", "NSE:TCS"], name="controls") as stream:
        yield stream


def test_what_is_clicked_happens_to_the_stream(live: lk.Stream) -> None:
    controls = live.controls()
    controls.choose(subscribe="INFY")
    assert "NSE:INFY" in live.symbols
    controls.choose(unsubscribe="TCS")
    assert live.symbols == ["NSE:RELIANCE", "NSE:INFY"]
    controls.choose(stop=True)
    assert live.status().state == "stopped"
    controls.choose(start=True)
    assert live.wait(rows=1)
    controls.choose(reconnect=True)
    assert live.wait(rows=1)
    assert live.symbols == ["NSE:RELIANCE", "NSE:INFY"]
    assert live.gaps()["why"].to_list() == ["stopped", "stopped"]


def test_a_search_offers_what_is_not_subscribed_the_beginning_of_a_name_first(live: lk.Stream) -> None:
    controls = live.controls()
    controls.choose(find="ta")
    header, _ = unpack(controls._messages(whole=True)[1])
    assert header["found"][0] == "NSE:TATACONSUM"
    assert live.search("tcs") == ["NSE:TCS"]
    controls.choose(find="tcs")
    header, _ = unpack(controls._messages(whole=True)[1])
    assert header["found"] == []


def test_what_cannot_be_subscribed_is_said_with_the_near_misses(live: lk.Stream) -> None:
    with pytest.raises(UnknownInstrument, match="NSE:INFY"):
        live.controls().choose(subscribe="INFYY")
    with pytest.raises(SettingError, match="find=5"):
        live.controls().choose(find="")._check("find", 5)


def test_a_symbol_is_found_and_subscribed_by_the_keyboard_while_a_cell_runs(lab: Lab) -> None:
    cells = [
        "import ltpkit as lk, threading\nlive = lk.stream(['RELIANCE', 'TCS'])\nlive.controls()",
        "done = threading.Event()\nwhile 'NSE:INFY' not in live.symbols: done.wait(0.05)\nlive.symbols",
    ]
    with lab.notebook(cells) as notebook:
        notebook.run(0)
        page = notebook.page
        page.wait_for_selector(".ltp-controls .chip")
        notebook.run(1, wait=False)
        box = page.locator(".ltp-controls input")
        box.fill("inf")
        page.wait_for_selector(".ltp-controls .found li")
        box.press("ArrowDown")
        box.press("Enter")
        page.wait_for_function("document.querySelectorAll('.ltp-controls .chip').length === 3")
        page.click('.ltp-controls [aria-label="Unsubscribe NSE:TCS"]')
        page.wait_for_function("document.querySelectorAll('.ltp-controls .chip').length === 2")
        page.click(".ltp-controls .run")
        page.wait_for_selector('.ltp-controls .state[data-state="stopped"]')
        page.click(".ltp-controls .run")
        page.wait_for_selector('.ltp-controls .state[data-state="live"]')
        box.fill("nosuchname")
        box.press("Enter")
        # On a busy machine the note may say for a moment that there was no news.
        page.locator(".ltp-controls .ltp-note.bad", has_text="nosuchname").wait_for()
        assert notebook.complaints == []
        assert notebook.strayed == []
