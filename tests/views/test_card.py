"""The status card: the same facts live and still, how far rows have come, and errors by name."""

from __future__ import annotations

from html import escape
from pathlib import Path

import msgspec
import pytest

import ltpkit as lk
from ltpkit.errors import SettingError
from ltpkit.views.facts import facts, levels
from ltpkit.views.status_card import StatusCard
from ltpkit.views.wire import unpack
from tests.views.lab import Lab
from tests.views.sources import shown, streamed

live = streamed(["RELIANCE", "TCS"], rate=20_000, rows=200)


def test_the_live_card_and_the_still_one_say_the_same(live: lk.Stream) -> None:
    live.stop()
    _, header, columns = shown(StatusCard(live))
    status = live.status()
    still = status._repr_html_()
    assert header["state"] == status.state == "stopped"
    assert header["seq"] == live.latest()["seq"].max()
    assert [fact["name"] for fact in header["facts"]] == [fact.name for fact in facts(status)]
    for fact in header["facts"]:
        assert escape(fact["name"]) in still
        if fact["key"] not in ("age", "rate"):  # which go on
            assert escape(fact["value"]) in still
    assert columns["paces"].sum() == live.ticks().height


def test_levels_say_how_far_ticks_have_come(live: lk.Stream, tmp_path: Path) -> None:
    status = msgspec.structs.replace(
        live.status(),
        received_seq=1200,
        journaled_seq=1150,
        synced_seq=1100,
        stored_seq=200,
        store="t.duckdb",
    )
    assert [(level.name, level.reached, level.behind) for level in levels(status)] == [
        ("received", "1,200", 0),
        ("journaled", "1,150", 50),
        ("synced", "1,100", 100),
        ("stored", "200", 1000),
    ]
    assert [level.name for level in levels(live.status())] == ["received", "stored"]  # no disk, no journal


def test_a_background_error_is_named_on_every_view(live: lk.Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(frames: object, received_at: object) -> None:
        raise ZeroDivisionError("a bug of ours")

    monkeypatch.setattr(live._feed, "decode", broken)
    assert live._intake.wait_until(lambda: live._intake.last_error is not None, 10)
    card = StatusCard(live)
    _, header, _ = shown(card)
    assert header["error"] == "ZeroDivisionError: a bug of ours"
    assert "ZeroDivisionError: a bug of ours" in repr(card)
    _, frame = live.board()._messages(whole=True)
    assert unpack(frame)[0]["error"] == "ZeroDivisionError: a bug of ours"


def test_a_store_has_a_card_and_what_has_no_status_has_none(tmp_path: Path) -> None:
    with lk.stream(["TCS"], rate=5_000, store=tmp_path / "t.duckdb", name="card store") as live:
        assert live.wait(rows=50)
    rows = live.ticks().height
    with lk.open(tmp_path / "t.duckdb") as archive:
        _, header, _ = shown(StatusCard(archive))
        assert header["state"] == "stored"
        assert {fact["key"]: fact["value"] for fact in header["facts"]}["stored"] == f"{rows:,}"
        assert [level["behind"] for level in header["levels"]] == [0, 0, 0, 0]
        with pytest.raises(SettingError, match="no status"):
            archive.player().card()


def test_the_page_tells_state_and_facts_and_counts_the_age_itself(lab: Lab) -> None:
    cells = [
        "import ltpkit as lk\nlive = lk.stream(['RELIANCE', 'TCS'], rate=500, name='card page')\nlive.card()",
        "live.stop()",
        "print(f'{live.status().rows_in_memory:,}')",
    ]
    with lab.notebook(cells) as notebook:
        page = notebook.page
        notebook.run(0)
        page.wait_for_selector(".ltp-card[data-ltp-state=live]")
        page.wait_for_function("document.querySelector('.ltp-card .state').textContent === '● live'")
        notebook.run(1)
        notebook.run(2)
        page.wait_for_selector(".ltp-card[data-ltp-state=stopped]")
        held = page.text_content(".ltp-card dl .memory dd")
        assert held == notebook.text(2).strip()
        assert page.text_content(".ltp-card .levels li:first-child b") == held
        # Stopping stores what waits, after the state has changed.
        page.wait_for_function(
            f"document.querySelector('.ltp-card .levels li:last-child b').textContent === {held!r}"
        )
        # Nothing comes any more: what counts on is the page's own clock.
        age = "parseFloat(document.querySelector('.ltp-card .age b').textContent)"
        before = page.evaluate(age)
        page.wait_for_function(f"{age} > {before} + 0.5")
        assert page.text_content(".ltp-card .symbols") == "NSE:RELIANCE, NSE:TCS"
        assert (notebook.strayed, notebook.complaints) == ([], [])
