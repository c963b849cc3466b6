"""Views in a real JupyterLab: frames a second, from tick to paint, and what they cost the feed.

Chromium shows a notebook with each kind of view alone, with the dashboard, and with none, 4 and 8 views of
one simulated feed, while a cell sleeps and while a cell loops in pure Python; then the same prices by Bokeh
streaming, a HoloViews Buffer and Perspective, each fed ten times a second from a thread. From tick to paint
is the page's clock at the first animation frame that shows a tick, less the time the tick reached the kernel:
for the others, when their data source in the page has it, which is before they paint. The feed's lag is how
late its event loop is beside them.
"""

from __future__ import annotations

import importlib.util
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.measure import Result, result

CASE = "views"

_RATE: Final = 5_000
_VIEWS: Final = (
    'live.chart("RELIANCE", every="1s")', 'live.ladder("RELIANCE")', "live.board()", "live.heatmap()",
    'live.chart("TCS", every="1s")', 'live.ladder("TCS")', 'live.depth_history("RELIANCE")', "live.card()",
)  # fmt: skip

#: What is shown at once, by what it is called.
_PAGES: Final = {
    "no view": (),
    "a chart": _VIEWS[:1],
    "a ladder": _VIEWS[1:2],
    "a ladder of 200 levels": ('live.ladder("RELIANCE", levels=200)',),
    "a board": _VIEWS[2:3],
    "a heatmap": _VIEWS[3:4],
    "a depth history": _VIEWS[6:7],
    "a card": _VIEWS[7:],
    "4 views": _VIEWS[:4],
    "8 views": _VIEWS,
    "a dashboard": ("live.dashboard()",),
}
_QUICK: Final = ("no view", "a chart")
_OF_DASHBOARD: Final = 7

_START: Final = f"""
import asyncio, threading, time
import numpy as np
import ltpkit as lk
from IPython.display import display
live = lk.stream([one.symbol for one in __import__("ltpkit.nifty").nifty.LISTING], rate={_RATE})
assert live.wait(rows=2_000, timeout_s=30)

async def late(seconds):
    loop, found = asyncio.get_running_loop(), []
    ends = loop.time() + seconds
    while loop.time() < ends:
        due = loop.time() + 0.005
        await asyncio.sleep(0.005)
        found.append(loop.time() - due)
    return found

def feed_lag(seconds):
    return asyncio.run_coroutine_threadsafe(late(seconds), live._streamer._loop)
"""

#: A thread that hands over the newest price ten times a second.
_TEN_TIMES: Final = """
def feed(put):
    def run():
        while not stopping.wait(0.1):
            row = live.latest("RELIANCE").row(0, named=True)
            put(row["received_at"].timestamp() * 1000, row["ltp"])
    threading.Thread(target=run, daemon=True).start()

stopping = threading.Event()
"""

_OTHERS: Final = {
    "Bokeh streaming": (
        "import panel as pn; pn.extension(inline=True)",
        """
from bokeh.models import ColumnDataSource
from bokeh.plotting import figure
source = ColumnDataSource({"stamp": [], "ltp": []})
plot = figure(width=700, height=300, x_axis_type="datetime"); plot.line("stamp", "ltp", source=source)
pane = pn.pane.Bokeh(plot)
def put(stamp, ltp):
    source.stream({"stamp": [stamp], "ltp": [ltp]}, rollover=2_000); pn.io.push_notebook(pane)
display(pane); feed(put)
""",
    ),
    "HoloViews Buffer": (
        """
import holoviews as hv, pandas as pd, panel as pn
pn.extension(inline=True); hv.extension("bokeh", inline=True)
""",
        """
buffer = hv.streams.Buffer(pd.DataFrame({"stamp": [0.0], "ltp": [0.0]}).iloc[:0], length=2_000, index=False)
def draw(data):
    return hv.Curve(data, "stamp", "ltp").opts(width=700, height=300, framewise=True)
def put(stamp, ltp):
    buffer.send(pd.DataFrame({"stamp": [stamp], "ltp": [ltp]}))
display(pn.pane.HoloViews(hv.DynamicMap(draw, streams=[buffer]))); feed(put)
""",
    ),
    "Perspective": (
        "import perspective, perspective.widget",
        """
table = perspective.table({"symbol": "string", "stamp": "float", "ltp": "float"}, index="symbol")
table.update([{"symbol": "RELIANCE", "stamp": 0.0, "ltp": 0.0}])
display(perspective.widget.PerspectiveWidget(table, plugin="Datagrid"))
feed(lambda stamp, ltp: table.update([{"symbol": "RELIANCE", "stamp": stamp, "ltp": ltp}]))
""",
    ),
}

#: The newest time in any Bokeh data source of the page, or in Perspective's cells.
_NEWEST: Final = """
() => {
    let newest = 0;
    for (const doc of window.Bokeh?.documents ?? [])
        for (const model of doc._all_models?.values() ?? [])
            if (model.type === "ColumnDataSource") {
                const stamps = model.data?.stamp;
                if (stamps?.length) newest = Math.max(newest, stamps[stamps.length - 1]);
            }
    const look = (root) => {
        for (const cell of root.querySelectorAll("td")) {
            const value = Number(cell.textContent.replace(/,/g, ""));
            if (value > 1e12 && value < 1e13) newest = Math.max(newest, value);
        }
        for (const one of root.querySelectorAll("*")) if (one.shadowRoot) look(one.shadowRoot);
    };
    for (const one of document.querySelectorAll("perspective-viewer")) {
        look(one);
        if (one.shadowRoot) look(one.shadowRoot);
    }
    return newest;
}
"""

_SEEN: Final = """
([newest, seconds]) => new Promise(resolve => {
    const look = eval(newest), seen = [], ends = performance.now() + seconds * 1000;
    let last = look();
    const step = () => {
        const now = look();
        if (now !== last) { seen.push([Date.now(), now]); last = now; }
        if (performance.now() < ends) requestAnimationFrame(step); else resolve(seen);
    };
    requestAnimationFrame(step);
})
"""

_PAINTED: Final = """
seconds => new Promise(resolve => {
    const all = [...document.querySelectorAll("[data-ltp-view]")], seen = all.map(() => []);
    const watchers = all.map((el, i) => {
        const one = new MutationObserver(() => seen[i].push([Date.now(), Number(el.dataset.ltpStamp)]));
        one.observe(el, {attributes: true, attributeFilter: ["data-ltp-frame"]});
        return one;
    });
    setTimeout(() => { watchers.forEach(one => one.disconnect()); resolve(seen) }, seconds * 1000);
})
"""


def run(*, quick: bool) -> list[Result]:
    """Return frames a second, tick-to-paint and the feed's lag, by number of views and beside the others."""
    from tests.views.lab import CHROMIUM, Lab, chromium

    if CHROMIUM is None:
        return []
    seconds = 2.0 if quick else 8.0
    found: list[Result] = []
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        lab = Lab(Path(folder), browser)
        try:
            for name in _QUICK if quick else _PAGES:
                found += _ours(lab, name, seconds)
            for name in () if quick else _OTHERS:
                found += _other(lab, name, seconds)
        finally:
            lab.close()
    return found


def _busy(cell: str, seconds: float) -> str:
    lag = f"lag = feed_lag({seconds})\nends = time.monotonic() + {seconds} + 1\n"
    rest = "while time.monotonic() < ends: pass" if cell == "loops" else f"time.sleep({seconds} + 1)"
    return f"{lag}{rest}\nprint('lag', 1000 * np.quantile(lag.result(5), 0.95))"


def _ours(lab: Any, page: str, seconds: float) -> list[Result]:
    views = _PAGES[page]
    count = _OF_DASHBOARD if page == "a dashboard" else len(views)
    shown = "\n".join(f"display({view})" for view in views)
    found: list[Result] = []
    with lab.notebook(
        [_START, shown or "None", _busy("sleeps", seconds), _busy("loops", seconds)], height=4_000
    ) as notebook:
        notebook.run(0)
        notebook.run(1)
        notebook.page.wait_for_function(
            "n => document.querySelectorAll('[data-ltp-view][data-ltp-frame]').length >= n", arg=count
        )
        for cell, what in ((2, "sleeps"), (3, "loops")):
            name = f"{page}, a cell {what}"
            notebook.run(cell, wait=False)
            painted = notebook.page.evaluate(_PAINTED, seconds)
            lag = _lag(notebook, cell)
            found.append(result(CASE, f"lag of the feed, p95: {name}", lag, unit="ms", better="lower"))
            if not count:
                continue
            rates = [len(one) / seconds for one in painted]
            label = f"frames a second of a view: {name}"
            found.append(result(CASE, label, rates, goal=10.0, note="the slowest view: low"))
            found += _percentiles(name, np.concatenate([_ages(one) for one in painted]), goal=150.0)
    return found


def _other(lab: Any, name: str, seconds: float) -> list[Result]:
    first, shown = _OTHERS[name]
    if name == "Perspective" and importlib.util.find_spec("perspective") is None:
        return []
    cells = [_START + _TEN_TIMES, first, shown, _busy("sleeps", seconds)]
    with lab.notebook(cells, height=1_600) as notebook:
        for cell in range(3):
            notebook.run(cell)
        notebook.page.wait_for_function(f"({_NEWEST})() > 0", timeout=60_000)
        notebook.run(3, wait=False)
        seen = notebook.page.evaluate(_SEEN, [_NEWEST, seconds])
        lag = _lag(notebook, 3)
    label = f"{name}, a cell sleeps"
    return [
        result(CASE, f"lag of the feed, p95: {label}", lag, unit="ms", better="lower"),
        result(CASE, f"updates a second: {label}", len(seen) / seconds, note="ten are sent"),
        *_percentiles(label, _ages(seen), goal=None),
    ]


def _ages(seen: list[list[float]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return by how much each newly painted tick is older than its picture, in ms."""
    pairs = np.array(seen, float).reshape(-1, 2)
    pairs = pairs[~np.isnan(pairs[:, 1])]  # what shows no tick has no age
    fresh = np.concatenate([[True], np.diff(pairs[:, 1]) > 0]) if len(pairs) else np.zeros(0, bool)
    ages: np.ndarray[Any, np.dtype[np.float64]] = (pairs[:, 0] - pairs[:, 1])[fresh]
    return ages


def _percentiles(
    name: str, ages: np.ndarray[Any, np.dtype[np.float64]], *, goal: float | None
) -> list[Result]:
    if not len(ages):
        return []
    found = []
    for rank, aim in ((50, None), (95, goal)):
        label = f"tick to paint, p{rank}: {name}"
        age = float(np.percentile(ages, rank))
        found.append(result(CASE, label, age, unit="ms", goal=aim, better="lower"))
    return found


def _lag(notebook: Any, cell: int) -> float:
    """Return the 95th percentile of how late the feed's loop was, in ms, which the cell prints."""
    notebook.page.wait_for_function(
        "cell => jupyterapp.shell.currentWidget.content.widgets[cell].outputArea.node.innerText.match('lag')",
        arg=cell,
        timeout=60_000,
    )
    return float(notebook.text(cell).split("lag")[1].split()[0])
