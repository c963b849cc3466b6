"""The service without a notebook: one stream for other programs, until it is told to end."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ltpkit.cli.options import Feed, Kind, MarketRate, Mode, RestUrl, Store, Url, split_symbols, started
from ltpkit.cli.terminal import console, fail, shown_path

if TYPE_CHECKING:
    from rich.console import Console

    from ltpkit.api import Server
    from ltpkit.cli.stop import Stop
    from ltpkit.status import Status

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
    feed: Feed = "simulated",
    kind: Kind = None,
    url: Url = None,
    rest_url: RestUrl = None,
    mode: Mode = None,
    store: Store = None,
    host: Annotated[
        str | None,
        typer.Option("--host", help="Where to listen; beyond this machine LTPKIT_API_TOKEN must be set."),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option("--port", min=0, max=65535, help="0 takes any free one.", show_default="8001"),
    ] = None,
    rate: MarketRate = None,
) -> None:
    """Serve prices to other programs over REST and WebSockets, until Ctrl-C or SIGTERM.

    A first signal tells the clients, stores what was received and ends within five seconds; a second ends
    at once, and what was received is stored when the file is next opened.
    """
    from ltpkit import logs, settings
    from ltpkit.cli.stop import Stop
    from ltpkit.credentials import hidden, secret_values

    def hide(text: str) -> str:
        return hidden(live._hidden(text), secret_values([chosen.api_token]))

    out = console(stderr=True)
    chosen = settings.load()
    logs.configure(chosen.log_level, chosen.log_format)
    try:
        with Stop() as stop:
            starting = started(
                split_symbols(symbols), feed, out,
                kind=kind, url=url, rest_url=rest_url, mode=mode, store=store, rate=rate,
            )  # fmt: skip
            with starting as live:
                logs.configure(chosen.log_level, chosen.log_format, hide=hide)  # the logins are known now
                server = live.serve(host=host, port=port)
                _announce(server, store, out)
                _wait(server, stop)
                server.stop()
                live.flush(_FLUSH_S)
            if store is not None:
                _kept_or_fail(live.status(), out)
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


def _kept_or_fail(status: Status, out: Console) -> None:
    """Say where received rows are that are not in the store; end with exit code 1 where they are nowhere."""
    waiting = status.received_seq - status.stored_seq
    if status.lost_rows or status.journaled_seq < status.received_seq:
        fail(f"{waiting + status.lost_rows:,} received ticks could not be stored: {status.last_error}")
        raise typer.Exit(1)
    if waiting:
        out.print(f"{waiting:,} ticks wait in the journal; opening the file stores them.", soft_wrap=True)
