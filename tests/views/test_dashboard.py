"""The dashboard: the views together, linked, as one thing to make and to close."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

import ltpkit as lk
from ltpkit.errors import QueryRefused, SettingError, UnknownInstrument
from ltpkit.views.dashboard import Dashboard
from ltpkit.views.health import HealthView
from ltpkit.views.pump import pump
from ltpkit.views.query import EXAMPLES, QueryView
from ltpkit.views.wire import unpack
from tests.views.lab import Lab


@pytest.fixture
def live() -> Iterator[lk.Stream]:
    with lk.stream(["NSE:RELIANCE", "NSE:TCS"], rate=2000, name="dashboard") as stream:
        assert stream.wait(rows=50)
        yield stream


# -- the views together -------------------------------------------------------------------


def test_what_is_selected_on_the_board_the_others_show(live: lk.Stream) -> None:
    dashboard = live.dashboard()
    dashboard.views["board"].choose(symbol="TCS")
    for kind in ("chart", "ladder", "depth_history", "heatmap"):
        assert dashboard.views[kind].options["symbol"] == "NSE:TCS"
    dashboard.views["heatmap"].choose(symbol="RELIANCE")
    for kind in ("board", "chart", "ladder", "depth_history"):
        assert dashboard.views[kind].options["symbol"] == "NSE:RELIANCE"


def test_it_begins_with_the_symbol_that_is_asked_for(live: lk.Stream) -> None:
    assert live.dashboard("TCS").views["chart"].options["symbol"] == "NSE:TCS"
    with pytest.raises(UnknownInstrument, match="RELIANCE"):
        live.dashboard("RELIANS")
    with pytest.raises(SettingError, match="classic"):
        live.dashboard(palette="pink")


def test_without_a_symbol_there_is_nothing_to_show() -> None:
    with lk.stream([], name="empty") as live, pytest.raises(SettingError, match="Subscribe"):
        live.dashboard()


def test_closing_it_takes_every_view_away(live: lk.Stream) -> None:
    before = len(pump)
    dashboard = live.dashboard()
    assert dashboard.widget is dashboard.widget
    assert len(pump) == before + len(dashboard.views)
    dashboard.close()
    dashboard.close()
    assert dashboard.closed
    assert len(pump) == before


def test_panel_lays_out_every_view_once(live: lk.Stream) -> None:
    from ltpkit.views.served import ViewComponent

    dashboard = Dashboard(live)
    shown = [type(one).__name__ for one in dashboard.panel().select(ViewComponent)]
    assert sorted(shown) == sorted(f"{kind}Component" for kind in dashboard.views)
    dashboard.close()


def test_a_store_and_a_player_have_one_too(live: lk.Stream) -> None:
    live.stop()
    player = live.player()
    player.seek(player.end)
    assert "RELIANCE" in repr(player.dashboard())


# -- health and SQL -----------------------------------------------------------------------


def test_health_says_check_by_check_how_it_is_and_lists_the_gaps(
    live: lk.Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = HealthView(live)
    assert "websocket" in repr(view)
    header, _ = unpack(view._messages(whole=True)[1])
    assert {one["name"] for one in header["checks"]} == {"websocket", "database", "buffer", "subscriptions"}
    assert header["gaps"] == []
    live.stop()
    live.start()
    assert live.wait(rows=10)
    looked_up, again = threading.Event(), view._again
    monkeypatch.setattr(view._gaps, "_found", lambda: (again(), looked_up.set()))
    view._messages(whole=True)
    assert looked_up.wait(10)
    header, _ = unpack(view._messages(whole=True)[1])
    assert header["gaps"][0]["why"] == "stopped"


def test_looking_at_its_health_starts_no_stream(live: lk.Stream) -> None:
    live.stop()
    assert "failing" in repr(HealthView(live))
    assert live.status().state == "stopped"


def test_the_box_shows_the_answer_or_why_there_is_none(live: lk.Stream) -> None:
    def refuse(query: str) -> None:
        raise QueryRefused("it is a test")

    view = QueryView(live, live.sql, query="SELECT 1.5 AS a, NULL AS b, TIMESTAMP '2026-11-22 09:15:00' AS c")
    view.run()
    base, _ = view._messages(whole=False)
    header, _ = unpack(base or b"")
    assert header["names"] == ["a", "b", "c"]
    assert header["cells"] == [["1.5"], [None], ["2026-11-22 09:15:00.000"]]
    refused = QueryView(live, refuse)  # type: ignore[arg-type]  # it never answers
    assert refused.run() is None
    header, _ = unpack(refused._messages(whole=True)[0] or b"")
    assert "it is a test" in header["refusal"]


@pytest.mark.parametrize("query", EXAMPLES.values(), ids=EXAMPLES)
def test_the_examples_are_answered(live: lk.Stream, query: str) -> None:
    with live.sandbox() as sandbox:
        assert QueryView(live, sandbox.query, query=query).run() is not None


# -- in a notebook ------------------------------------------------------------------------


def test_in_a_notebook_it_is_one_grid_and_a_cell_run_again_has_the_same(lab: Lab) -> None:
    cells = [
        "import ltpkit as lk\nlive = lk.stream(['RELIANCE', 'TCS'], rate=500, name='grid')",
        "live.dashboard()",
        "import threading\nfrom ipywidgets.widgets.widget import _instances\n"
        "from ltpkit.views.pump import pump\n"
        "print(len(pump), len(_instances), threading.active_count())",
    ]
    with lab.notebook(cells, width=1400, height=1600) as notebook:
        page = notebook.page
        counts = []
        notebook.run(0)
        for _ in range(4):
            notebook.run(1)
            for kind in ("board", "chart", "ladder", "heatmap", "card", "health"):
                page.wait_for_selector(f"[data-ltp-view={kind}][data-ltp-frame]", state="attached")
            notebook.run(2)
            counts.append(notebook.text(2))
        views, widgets, threads = zip(*(map(int, text.split()) for text in counts), strict=True)
        assert set(views) == {7}
        assert len(set(widgets)) == 1
        assert threads[-1] <= threads[0]
        page.locator(".ltp-board").get_by_text("TCS", exact=True).first.click()
        for kind in ("chart", "ladder"):
            page.wait_for_selector(f"[data-ltp-view={kind}][data-ltp-symbol='NSE:TCS']")
        assert not notebook.strayed
        assert not notebook.complaints
