"""The dashboard in a browser of this machine, until it is told to end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ltpkit.cli.options import Feed, Kind, MarketRate, Mode, RestUrl, Store, Url, split_symbols, started
from ltpkit.cli.terminal import console, shown_path

if TYPE_CHECKING:
    from ltpkit.cli.stop import Stop
    from ltpkit.frames import Frames

__all__ = ["dashboard"]

_HOST: Final = "127.0.0.1"
_FLUSH_S: Final = 60.0
_SHOWN: Final = 12
_LOOKS_MS: Final = 200  # how often the server looks whether it is to end


def dashboard(
    symbols: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SYMBOL...]",
            help="As NSE:RELIANCE or RELIANCE; several, or a,b,c.",
            show_default="of the simulated market, twelve",
        ),
    ] = None,
    *,
    feed: Feed = "simulated",
    kind: Kind = None,
    url: Url = None,
    rest_url: RestUrl = None,
    mode: Mode = None,
    store: Store = None,
    rate: MarketRate = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes any free one.")] = 5006,
    show: Annotated[bool, typer.Option("--show/--no-show", help="Open it in a browser.")] = True,
) -> None:
    """Show the market in a browser: watchlist, charts, depth, health and SQL, until Ctrl-C.

    Any number of tabs look at one stream. Only this machine reaches it; `ltpkit serve` lets others in.
    """
    from ltpkit import nifty
    from ltpkit.cli.stop import Stop

    out = console()
    names = split_symbols(symbols)
    if not names and feed == "simulated":
        names = [one.name for one in nifty.instruments()][:_SHOWN]
    starting = started(
        names, feed, out, kind=kind, url=url, rest_url=rest_url, mode=mode, store=store, rate=rate
    )
    with Stop() as stop, starting as live:
        server = _listening(live, port)
        address = f"http://localhost:{server.port}"
        where = "in memory, gone with this process" if store is None else shown_path(store)
        out.print(f"{address} · ticks {where} · Ctrl-C ends", soft_wrap=True)
        if show:
            typer.launch(address)
        _serve(server, stop)
        live.flush(_FLUSH_S)


def _listening(source: Frames, port: int) -> Any:
    """Return Panel's server, which listens and does not answer yet."""
    from panel.io.server import get_server

    from ltpkit.app import page
    from ltpkit.errors import AddressTaken

    try:
        # Without `websocket_origin` it takes sockets of its own pages alone.
        return get_server({"/": lambda: page(source)}, port=port, address=_HOST, title="ltpkit")
    except OSError as error:
        raise AddressTaken(_HOST, port, error.strerror or str(error)) from None


def _serve(server: Any, stop: Stop) -> None:
    """Answer until asked to stop."""
    from tornado.ioloop import PeriodicCallback

    def look() -> None:
        if stop.asked:
            server.io_loop.stop()

    watch = PeriodicCallback(look, _LOOKS_MS)
    server.start()
    watch.start()
    try:
        server.io_loop.start()
    finally:
        watch.stop()
        server.stop()
