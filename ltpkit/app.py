"""The served page: the dashboard of one stream, for any number of browsers.

``page(stream)`` makes what one browser tab shows; its views are the tab's own, so that each reader chooses
what to look at, and they go when the tab does. The stream is everybody's: what one subscribes, all see.

Run by itself::

    panel serve ltpkit/app.py --args RELIANCE TCS --feed simulated --store ticks.duckdb

Without ``--args`` the environment says what to stream: ``LTPKIT_SYMBOLS`` (separated by commas),
``LTPKIT_FEED``, ``LTPKIT_STORE``. Nothing is asked from outside this machine.
"""

from __future__ import annotations

import argparse
import ipaddress
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import panel as pn
from panel.io.resources import LOCAL_DIST
from panel.io.state import set_curdoc

from ltpkit import nifty
from ltpkit.held import Held
from ltpkit.live import Stream
from ltpkit.running import stream
from ltpkit.store.sandbox import Sandbox
from ltpkit.views.board import Board
from ltpkit.views.dashboard import Dashboard
from ltpkit.views.query import QueryView

if TYPE_CHECKING:
    from fastapi import FastAPI

    from ltpkit.frames import Frames

__all__ = ["mount", "page", "started"]

#: What the simulated market shows where nobody names a symbol.
_SHOWN: Final = 12

#: An answer in the SQL box may have.
_MOST_ROWS: Final = 5_000

_TEMPLATE: Final = (Path(__file__).parent / "views" / "page.html").read_text(encoding="utf-8")


def page(source: Frames, *, sandbox: Sandbox | None = None, title: str = "ltpkit") -> pn.Template:
    """Return what one browser tab shows of a stream.

    Parameters
    ----------
    source : Frames
        A stream; or a replay, a player or a store.
    sandbox : Sandbox, optional
        Answers the SQL box. By default there is a box where the browser runs on this machine, or
        ``LTPKIT_SERVICE_SQL=true`` says that others may ask.
    title : str
        Of the page.

    Returns
    -------
    panel.Template
        New for each call, as Panel wants it of a function that makes a page.
    """
    _have_own_styles()
    if sandbox is None and isinstance(source, Held) and (source._settings.service_sql or _is_at_home()):
        sandbox = _sandboxes.take(source)
    more = {} if sandbox is None else {"query": QueryView(source, sandbox.query)}
    template = pn.Template(_TEMPLATE)
    template.add_variable("heading", title)
    template.add_variable("app_favicon", "")  # the page brings its own
    known = source.subscribed() or source.known()
    template.add_panel("content", Dashboard(source).panel(**more) if known else _beginning(source, more))
    return template


def _beginning(source: Frames, more: dict[str, QueryView]) -> pn.Column:
    """Return a board to add the first symbol on, which then gives way to the dashboard."""
    board = Board(source)
    place, tab = pn.Column(board, margin=0, sizing_mode="stretch_width"), pn.state.curdoc

    def begin() -> None:
        with set_curdoc(tab):
            place[:] = [Dashboard(source).panel(**more)]
            board.close()

    def chosen(changed: Mapping[str, Any]) -> None:
        if changed.get("symbol") and tab is not None:
            tab.add_next_tick_callback(begin)

    board.listen(chosen)
    return place


def mount(
    routes: FastAPI,
    source: Frames,
    *,
    path: str = "/dashboard",
    sandbox: Sandbox | None = None,
    **options: Any,
) -> None:
    """Serve the page of a stream among the routes of a FastAPI application.

    Parameters
    ----------
    routes : FastAPI
        Before it has started. Whom it lets in is its own matter: Panel checks no `Origin` here.
    source, sandbox
        As of `page`.
    path : str
        Where.
    **options
        As of Panel's ``add_applications``.
    """
    from panel.io.fastapi import add_applications

    before = set(map(id, routes.routes))
    add_applications({path: lambda: page(source, sandbox=sandbox)}, app=routes, title="ltpkit", **options)
    for route in routes.routes:
        if id(route) not in before and hasattr(route, "include_in_schema"):
            route.include_in_schema = False  # pages, not answers to programs
    _notice_closed_tabs()


def _notice_closed_tabs() -> None:
    """Have the sessions of closed tabs end.

    bokeh-fastapi 0.1.8 waits for an exception that starlette raises only while it sends. To a tab that does
    not answer we send nothing, so its session and its views would stay.
    """
    try:
        from bokeh_fastapi.handler import WSHandler  # type: ignore[import-untyped]  # it has no types
    except ImportError:  # Panel 1.10 does without it
        return
    connect = WSHandler.ws_connect
    if connect.__module__ == __name__:
        return

    async def ws_connect(handler: Any, websocket: Any) -> None:
        try:
            await connect(handler, websocket)
        finally:
            if handler.connection is not None:
                handler.application.client_lost(handler.connection)

    WSHandler.ws_connect = ws_connect


def _have_own_styles() -> None:
    """Have Panel's style sheets come from here from the beginning.

    Panel names a CDN first and puts that right when it writes the page; not where a tab comes back after its
    session has ended and gets a new one without a new page.
    """
    tab = pn.state.curdoc
    if tab is not None:
        prefix = f"{pn.state.rel_path}/" if pn.state.rel_path else ""
        tab.template_variables.setdefault("dist_url", prefix + LOCAL_DIST)


class _Sandboxes:
    """One sandbox for all tabs of a source, while there are any: its limits hold for them together."""

    def __init__(self) -> None:
        self._open: dict[Held, tuple[Sandbox, set[object]]] = {}
        self._lock = threading.Lock()

    def take(self, source: Held) -> Sandbox:
        """Return the sandbox for the tab that is being made."""
        tab = pn.state.curdoc
        with self._lock:
            if source not in self._open:
                self._open[source] = source.sandbox(row_limit=_MOST_ROWS), set()
            sandbox, tabs = self._open[source]
            tabs.add(tab)
        pn.state.on_session_destroyed(lambda session_context: self._leave(source, tab))
        return sandbox

    def _leave(self, source: Held, tab: object) -> None:
        with self._lock:
            sandbox, tabs = self._open[source]
            tabs.discard(tab)
            if not tabs:
                del self._open[source]
                sandbox.close()


_sandboxes = _Sandboxes()


def _is_at_home() -> bool:
    """Return whether the tab being made is shown on this machine, asked for by a name of its own."""
    request = getattr(getattr(pn.state.curdoc, "session_context", None), "request", None)
    if request is None:
        return False
    host = str(request.headers.get("Host") or request.headers.get("host") or "")
    name = host.rpartition(":")[0].strip("[]") if ":" in host else host
    return _is_loopback(name) and _is_loopback(getattr(request, "remote_ip", None) or name)


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name.casefold() == "localhost"


# -- run by `panel serve` -----------------------------------------------------------------


def started(arguments: Sequence[str] = ()) -> Stream:
    """Return the stream that arguments and environment ask for; the same one for every tab.

    Parameters
    ----------
    arguments : sequence of str
        Symbols, and ``--feed``, ``--store``, ``--rate``, ``--url``, as of the command ``ltpkit dashboard``.
    """
    parser = argparse.ArgumentParser(prog="panel serve ltpkit/app.py --args", description=__doc__)
    parser.add_argument("symbols", nargs="*", metavar="SYMBOL")
    parser.add_argument("--feed", default=os.environ.get("LTPKIT_FEED", "simulated"))
    parser.add_argument("--store", default=os.environ.get("LTPKIT_STORE"))
    parser.add_argument("--url", default=None)
    parser.add_argument("--rate", type=float, default=500.0)
    chosen = parser.parse_args(arguments)
    symbols = chosen.symbols or os.environ.get("LTPKIT_SYMBOLS", "").split(",")
    symbols = [part.strip() for text in symbols for part in text.split(",") if part.strip()]
    if not symbols and chosen.feed == "simulated":
        symbols = [one.name for one in nifty.instruments()][:_SHOWN]
    return stream(symbols, feed=chosen.feed, store=chosen.store, url=chosen.url, rate=chosen.rate)


if __name__.startswith("bokeh_app_"):  # the name that `panel serve` runs a script by, anew for each tab
    from ltpkit import app  # what the tabs share

    app.page(app.started(sys.argv[1:])).servable(title="ltpkit")
