"""The service without a notebook: one stream for other programs, until it is told to end."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ltpkit.cli.run import (
    _Feed,
    _Kind,
    _Mode,
    _RestUrl,
    _split,
    _started,
    _Store,
    _stored_or_fail,
    _Url,
)
from ltpkit.cli.terminal import console, fail, shown_path

if TYPE_CHECKING:
    from rich.console import Console

    from ltpkit.api import Server
    from ltpkit.cli.stop import Stop

__all__ = ["serve"]

#: With telling the clients and closing the files this stays below five seconds.
_FLUSH_S: Final = 2.0


def serve(
    symbols: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SYMBOL...]", help="To have from the start, as NSE:RELIANCE; clients may add more."
        ),
    ] = None,
    *,
    feed: _Feed = "simulated",
    kind: _Kind = None,
    url: _Url = None,
    rest_url: _RestUrl = None,
    mode: _Mode = None,
    store: _Store = None,
    host: Annotated[
        str | None,
        typer.Option("--host", help="Where to listen; beyond this machine LTPKIT_API_TOKEN must be set."),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option("--port", min=0, max=65535, help="0 takes any free one.", show_default="8001"),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option("--rate", min=1, help="Of the simulated market, ticks a second.", show_default="500"),
    ] = None,
) -> None:
    """Serve prices to other programs over REST and WebSockets, until Ctrl-C or SIGTERM.

    A first signal tells the clients, stores what was received and ends within five seconds; a second ends
    at once, and what was received is stored when the file is next opened.
    """
    from ltpkit import logs, settings
    from ltpkit.cli.stop import Stop

    out = console(stderr=True)
    chosen = settings.load()
    logs.configure(chosen.log_level, chosen.log_format)
    try:
        with Stop() as stop:
            asked = {"kind": kind, "url": url, "rest_url": rest_url, "mode": mode, "rate": rate}
            with _started(_split(symbols), feed, out, asked, store=store) as live:
                logs.configure(chosen.log_level, chosen.log_format, hide=live._hidden)  # its logins are known
                server = live.serve(host=host, port=port)
                _announce(server, store, out)
                _wait(server, stop)
                server.stop()
                live.flush(_FLUSH_S)
            _stored_or_fail(live.status())
    except KeyboardInterrupt:  # asked a second time
        fail("Ended at once. What was received is stored when the file is next opened.")
        os._exit(130)


def _announce(server: Server, store: Path | None, out: Console) -> None:
    where = "in memory, gone with this process" if store is None else shown_path(store)
    out.print(f"{server.url}/docs · ticks {where} · Ctrl-C ends", soft_wrap=True)


def _wait(server: Server, stop: Stop) -> None:
    """Return when asked to stop; raise what the feed refused with."""
    stream = server.service.stream
    while not stop.pause(1.0):
        status = stream.status()
        if status.state == "refused":
            fail(status.last_error or f"{status.feed} refused the connection.")
            raise typer.Exit(1)
