"""Views over the life of a notebook: cells run again, pages reloaded, hidden and hung, kernels restarted."""

from __future__ import annotations

import json
from typing import Any

from ltpkit.views.pump import UNANSWERED
from tests.views.lab import Lab, Notebook

STREAM = "import ltpkit as lk\nlive = lk.stream(['RELIANCE', 'TCS'], rate=2000, name='cells')\n"

#: What there is in the kernel of all that could pile up.
COUNT = """
import gc, json, sys, threading
import ipywidgets
from ltpkit.views.pump import pump
names = [thread.name for thread in threading.enumerate()]
documents = 0
if "bokeh" in sys.modules:
    from bokeh.document import Document
    documents = sum(isinstance(one, Document) for one in gc.get_objects())
print(json.dumps({
    "feeds": names.count("ltpkit-feed"), "pumps": names.count("ltpkit-views"), "views": len(pump),
    "widgets": len(ipywidgets.widgets.widget._instances), "documents": documents,
    "listeners": len(live.board_shown._listeners), "shells": len(live.board_shown._shells),
    "heard": len(live._intake.listeners),
}))
"""

#: Where a view stands: on screen or not, frames sent to it and answered.
STAND = (
    "(shell,) = view._shells.values()\n"
    "print(json.dumps([shell.seen, shell.sent, shell.answered, view._number]))"
)


def said(notebook: Notebook, cell: int) -> Any:
    """Run a cell and read the JSON that it prints."""
    notebook.run(cell)
    return json.loads(notebook.text(cell))


def painted(view: str) -> str:
    """The number of the frame that a view shows, as the page finds it."""
    return f"Number(document.querySelector('.ltp-{view}')?.dataset.ltpFrame ?? 0)"


def test_a_cell_run_again_leaves_nothing_behind(lab: Lab) -> None:
    cells = [
        STREAM + "live.ladder('RELIANCE')",
        "board = live.board(); live.board_shown = board\n"
        "board.listen(lambda changed: None).link(live.ladder('TCS')); board",
        COUNT,
    ]
    with lab.notebook(cells, height=1300) as notebook:
        found = []
        for _ in range(3):
            notebook.run(0)
            notebook.run(1)
            notebook.page.wait_for_selector(".ltp-board[data-ltp-stamp]")
            found.append(said(notebook, 2))
        assert found[0]["feeds"] == found[0]["pumps"] == 1
        assert found[0]["views"] == 2  # the ladder that is linked is shown nowhere
        assert found[0]["documents"] == 0
        assert (found[0]["listeners"], found[0]["shells"], found[0]["heard"]) == (2, 1, 0)
        assert found[1:] == found[:1] * 2
        assert notebook.page.locator(".ltp-board").count() == 1
        assert notebook.page.locator(".ltp-ladder").count() == 1
        assert (notebook.strayed, notebook.complaints) == ([], [])


def test_after_a_reload_views_come_back_and_go_on(lab: Lab) -> None:
    cells = [STREAM + "live.board()", "held = live.ladder('TCS').choose(paused=True); held"]
    with lab.notebook(cells, own_page=True, height=1300) as notebook:
        page = notebook.page
        notebook.run(0)
        notebook.run(1)
        page.wait_for_selector(".ltp-board[data-ltp-stamp]")
        page.wait_for_selector(".ltp-ladder[data-ltp-stamp]")
        held = page.get_attribute(".ltp-ladder", "data-ltp-seq")
        page.evaluate("jupyterapp.commands.execute('docmanager:save')")
        page.wait_for_function("!jupyterapp.shell.currentWidget.context.model.dirty")
        before = int(page.get_attribute(".ltp-board", "data-ltp-seq") or 0)
        page.reload()
        page.wait_for_selector(".ltp-board[data-ltp-stamp]", timeout=60_000)
        page.wait_for_function(
            f"Number(document.querySelector('.ltp-board').dataset.ltpSeq) > {before}", timeout=30_000
        )
        shown = page.evaluate(painted("board"))
        page.wait_for_function(f"{painted('board')} > {shown} + 3")
        page.wait_for_selector(".ltp-ladder[data-ltp-stamp]")  # one that is held shows what it held
        assert page.get_attribute(".ltp-ladder", "data-ltp-seq") == held
        assert notebook.complaints == []


def test_after_a_restart_of_the_kernel_views_say_how_old_they_are(lab: Lab) -> None:
    with lab.notebook([STREAM + "live.board()"]) as notebook:
        page = notebook.page
        notebook.run(0)
        page.wait_for_selector(".ltp-board[data-ltp-stamp]")
        page.evaluate("jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
        page.wait_for_selector(".ltp-board[data-stale]")
        told = "document.querySelector('.ltp-board .ltp-note').textContent"
        first = page.evaluate(told)
        assert first.startswith("No news for ")
        page.wait_for_function(f"{told} !== {json.dumps(first)}")  # by the page's own clock
        faded = page.evaluate("getComputedStyle(document.querySelector('.ltp-board .ltp-body')).filter")
        assert "grayscale" in faded
        # Prices still stand there to be read.
        assert page.locator(".ltp-board .row").count() == 2


def test_what_is_scrolled_away_or_hidden_is_sent_nothing(lab: Lab) -> None:
    cells = [
        STREAM + "import json\nview = live.board(); view",
        "print('\\n' * 150)",
        STAND,
        f"assert live.wait(rows=200)\n{STAND}",
    ]
    with lab.notebook(cells, own_page=True) as notebook:
        page = notebook.page
        notebook.run(0)
        page.wait_for_selector(".ltp-board[data-ltp-stamp]")
        notebook.run(1)
        page.evaluate("jupyterapp.shell.currentWidget.content.scrollToItem(3)")
        page.evaluate(
            "() => { const n = jupyterapp.shell.currentWidget.content; n.widgets[3].node.scrollIntoView(); }"
        )
        before = said(notebook, 2)
        while before[0] or before[1] != before[2]:  # the page is about to tell, and to answer
            before = said(notebook, 2)
        after = said(notebook, 3)  # two hundred ticks later
        assert after == before
        page.evaluate(
            "() => { const n = jupyterapp.shell.currentWidget.content; n.widgets[0].node.scrollIntoView(); }"
        )
        page.wait_for_function(f"{painted('board')} > {after[1]}")  # and there again, it goes on
        # A tab in the background hides all that it shows.
        hide = "Object.defineProperty(document, 'hidden', {configurable: true, get: () => true})"
        page.evaluate(f"() => {{ {hide}; document.dispatchEvent(new Event('visibilitychange')) }}")
        before = said(notebook, 2)
        while before[0] or before[1] != before[2]:
            before = said(notebook, 2)
        assert said(notebook, 3) == before


def test_a_page_that_stops_answering_gets_a_few_more_frames(lab: Lab) -> None:
    cells = [
        STREAM + "import json\nview = live.board(); view",
        "(shell,) = view._shells.values()\nreached = []\nsend = shell.send\n"
        "shell.send = lambda messages: (reached.append((shell.answered, view._number)), send(messages))",
        "answered = shell.answered\nassert live.wait(rows=500)\n"
        "print(json.dumps([answered, shell.answered, max(n - a for a, n in reached), len(reached)]))",
    ]
    with lab.notebook(cells) as notebook:
        page = notebook.page
        notebook.run(0)
        page.wait_for_selector(".ltp-board[data-ltp-stamp]")
        notebook.run(1)
        # The page hangs while the kernel works: nothing is painted, so nothing is answered.
        notebook.run(2, wait=False)
        page.wait_for_function(
            "jupyterapp.shell.currentWidget.content.widgets[2].promptNode.textContent.includes('*')"
        )
        page.evaluate("() => { const ends = Date.now() + 2000; while (Date.now() < ends); }")
        page.wait_for_function(
            "jupyterapp.shell.currentWidget.content.widgets[2].outputArea.node.innerText.includes(']')"
        )
        _, _, most, sent = json.loads(notebook.text(2))
        assert most <= UNANSWERED
        assert sent >= 3
        shown = page.evaluate(painted("board"))
        page.wait_for_function(f"{painted('board')} > {shown} + 3")  # it lives, and gets more again
