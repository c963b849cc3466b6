"""The commands that run until they are ended: a demo, a stream, a recording made or played, an exchange."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ltpkit.cli.options import (
    Feed,
    Kind,
    Mode,
    Rate,
    RestUrl,
    Seconds,
    Seed,
    Store,
    Symbols,
    Url,
    split_symbols,
    started,
)
from ltpkit.cli.terminal import console, fail, own_command, shown_path, size

if TYPE_CHECKING:
    from rich.console import Console

    from ltpkit.status import Status

__all__ = ["demo", "record", "replay", "simulate", "stream"]

_DEMO_ROWS: Final = 12
#: `stop` has to be quick, for a kernel that restarts; a command has time to store what waits.
_FLUSH_S: Final = 60.0


def demo(
    *,
    seconds: Annotated[float, typer.Option("--seconds", min=0.5, help="How long.")] = 20.0,
    symbols: Annotated[
        list[str] | None,
        typer.Option("--symbols", "-s", help="Only these, as RELIANCE,TCS.", show_default="all 50"),
    ] = None,
    rate: Rate = 200.0,
    seed: Seed = 7,
    store: Annotated[
        Path | None,
        typer.Option(
            "--store", metavar="FILE", help="DuckDB file to add to.", show_default="a new one in data/"
        ),
    ] = None,
) -> None:
    """Stream a simulated market for 20 seconds, then ask DuckDB about it.

    The built-in exchange speaks Dhan's binary protocol on a socket of this machine; the ticks take
    the same way as a broker's. No account, no network.
    """
    import ltpkit as lk
    from ltpkit import nifty
    from ltpkit.cli.stop import Stop
    from ltpkit.cli.summary import next_steps, show_store
    from ltpkit.cli.watch import watch
    from ltpkit.simulator import SimulatedExchange

    out = console()
    path = _new_demo_file() if store is None else store
    names = split_symbols(symbols) or [one.name for one in nifty.instruments()]
    with Stop() as stop:
        with SimulatedExchange(seed, rate=rate) as exchange:
            out.print(
                f"Simulated exchange {exchange.url} → {shown_path(path)}",
                style="dim",
                soft_wrap=True,
            )
            with lk.stream(names, feed="simulated", url=exchange.url, store=path) as live:
                watch(live, out, stop, title="demo", seconds=seconds, most_rows=_DEMO_ROWS, flush_s=_FLUSH_S)
        _stored_or_fail(live.status())
        show_store(path, out)
        next_steps(path, out)


def stream(
    symbols: Symbols,
    *,
    feed: Feed = "simulated",
    kind: Kind = None,
    url: Url = None,
    rest_url: RestUrl = None,
    mode: Mode = None,
    store: Store = None,
    record: Annotated[
        bool, typer.Option("--record", help="Keep the raw frames too, named after feed and time.")
    ] = False,
    record_to: Annotated[
        Path | None, typer.Option("--record-to", metavar="FILE", help="Keep the raw frames in this file.")
    ] = None,
    seconds: Seconds = None,
) -> None:
    """Show any feed's newest prices, and keep them, until Ctrl-C."""
    from ltpkit.cli.stop import Stop
    from ltpkit.cli.summary import next_steps
    from ltpkit.cli.watch import watch

    out = console()
    with Stop() as stop:
        starting = started(
            _asked(symbols), feed, out,
            kind=kind, url=url, rest_url=rest_url, mode=mode, store=store, record=record_to or record,
        )  # fmt: skip
        with starting as live:
            last = watch(live, out, stop, seconds=seconds, flush_s=_FLUSH_S)
        status = live.status()
        if status.recording is not None:
            _say_recorded(Path(status.recording), out)
        _reached_or_fail(last)
        _stored_or_fail(status)
        if store is None:
            out.print("The ticks were in memory and are gone now; --store FILE keeps them.", style="dim")
        else:
            next_steps(store, out)


def record(
    symbols: Symbols,
    *,
    out_file: Annotated[
        Path, typer.Option("--out", "-o", metavar="FILE", help="A new .parquet or .arrow file.")
    ],
    feed: Feed = "simulated",
    kind: Kind = None,
    url: Url = None,
    rest_url: RestUrl = None,
    mode: Mode = None,
    seconds: Seconds = None,
) -> None:
    """Keep a feed's raw frames in a recording, until Ctrl-C.

    `ltpkit replay FILE` plays it through the same decoder, at any speed.
    """
    from ltpkit.cli.stop import Stop
    from ltpkit.cli.watch import watch

    out = console()
    with Stop() as stop:
        starting = started(
            _asked(symbols), feed, out, kind=kind, url=url, rest_url=rest_url, mode=mode, record=out_file
        )
        with starting as live:
            last = watch(live, out, stop, seconds=seconds, table=False, flush_s=_FLUSH_S)
        _reached_or_fail(last)
        if not (last.received_seq or last.depth_rows):
            fail(f"Nothing came from {feed} in this time: {shown_path(out_file)} holds no ticks.")
            raise typer.Exit(1)
        _say_recorded(out_file, out)
        _stored_or_fail(live.status())


def replay(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Our recording, or a foreign capture.")],
    *,
    speed: Annotated[
        str, typer.Option("--speed", help="Times as fast as it was recorded, or max for at once.")
    ] = "1",
    feed: Annotated[
        str | None, typer.Option("--feed", "-f", help="Whose frames, where the file does not say.")
    ] = None,
    kind: Kind = None,
    store: Store = None,
) -> None:
    """Play a recording: with the live table, or at once with a summary."""
    import ltpkit as lk
    from ltpkit.cli.stop import Stop
    from ltpkit.cli.summary import next_steps, show_held, show_store
    from ltpkit.cli.watch import watch

    factor = _speed(speed)
    out = console()
    with Stop() as stop:
        # Infinitely fast is what "max" means, but returns at once: so Ctrl-C is heard while it plays.
        with lk.replay(file, speed=factor, feed=feed, kind=kind, store=store) as played:
            name = f"replay of {file.name}"
            watch(
                played,
                out,
                stop,
                title=name,
                replayed=True,
                table=math.isfinite(factor),
                flush_s=_FLUSH_S,
            )
            if store is None:
                show_held(played, out, where=f"{file.name}, replayed into memory,")
                _say_bars(played, out)
        status = played.status()
        if store is not None:
            show_store(store, out)
            with lk.open(store) as held:
                _say_bars(held, out)
        _say_counts(status, out)
        if status.last_error is not None:
            fail(status.last_error)
            raise typer.Exit(1)
        if store is not None:
            next_steps(store, out)


def simulate(
    *,
    host: Annotated[str, typer.Option("--host", help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")] = 8765,
    rate: Rate = 250.0,
    seed: Seed = 7,
) -> None:
    """Run the simulated exchange as a server, until Ctrl-C."""
    from ltpkit.cli.stop import Stop
    from ltpkit.simulator import SimulatedExchange

    out = console()
    with Stop() as stop:
        with SimulatedExchange(seed, rate=rate, host=host, port=port) as exchange:
            out.print(f"A market of 50 NSE shares at [bold]{exchange.url}[/], until Ctrl-C.", soft_wrap=True)
            out.print("In another terminal:", style="dim")
            out.print(
                f"  {own_command()} stream NSE:RELIANCE NSE:TCS --feed simulated --url {exchange.url}",
                soft_wrap=True,
            )
            while not stop.pause(60):
                pass
            sent = exchange.sent
        out.print(f"{sent:,} packets were sent.")


# -- what they share --------------------------------------------------------------------------


def _asked(symbols: Sequence[str]) -> list[str]:
    """Return the symbols, of which there must be one."""
    from ltpkit.errors import SettingError

    if not (found := split_symbols(symbols)):
        raise SettingError("No symbol was named: ltpkit stream NSE:RELIANCE, for one.")
    return found


def _new_demo_file() -> Path:
    """Return a name for this demo's file. Each run has its own: nothing kept is changed or locked."""
    folder = Path("data")
    folder.mkdir(exist_ok=True)
    start = f"demo-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    for attempt in range(1, 1000):
        path = folder / f"{start}{'' if attempt == 1 else f'-{attempt}'}.duckdb"
        if not path.exists():
            return path
    raise FileExistsError(17, "a thousand demos were started this second", str(folder / start))


def _speed(text: str) -> float:
    from ltpkit.errors import SettingError

    if text == "max":
        return math.inf
    try:
        factor = float(text)
    except ValueError:
        factor = math.nan
    if not factor > 0:
        raise SettingError(f"--speed was {text!r}: a number above 0, or max.")
    return factor


def _stored_or_fail(status: Status) -> None:
    """End with exit code 1 where rows that were received are not in the store."""
    if status.stored_seq < status.received_seq or status.lost_rows:
        missing = status.received_seq - status.stored_seq + status.lost_rows
        fail(f"{missing:,} received ticks could not be stored in {status.store}: {status.last_error}")
        raise typer.Exit(1)


def _reached_or_fail(status: Status) -> None:
    """End with exit code 1 where the feed refused, or never sent anything for a reason it gave."""
    if status.state in ("refused", "stopped") or (status.last_error and not status.received_seq):
        fail(status.last_error or f"{status.feed} refused the connection.")
        raise typer.Exit(1)


def _say_recorded(path: Path, out: Console) -> None:
    out.print(f"Raw frames: {shown_path(path)} ({size(path)})", soft_wrap=True)
    out.print(f"  {own_command()} replay {shown_path(path)} --speed 10", soft_wrap=True, style="bold")


def _say_bars(held: Any, out: Console) -> None:
    bars = held.sql("SELECT count(*) FROM bars_1m").item()
    out.print(f"\n{bars:,} one-minute bars", end="")


def _say_counts(status: Status, out: Console) -> None:
    out.print(
        f", {status.gaps:,} gap{'' if status.gaps == 1 else 's'}, "
        f"{status.rejects:,} reject{'' if status.rejects == 1 else 's'}."
    )
