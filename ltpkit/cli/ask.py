"""The commands that answer and end: SQL over a store, its upkeep, the list of feeds, the benchmarks."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from ltpkit.cli.terminal import console, fail, frame_table, shown_path, size
from ltpkit.errors import SettingError

if TYPE_CHECKING:
    import polars as pl

    from ltpkit.feeds import Limits

__all__ = ["bench", "export", "feeds", "migrate", "sql"]

Format = Literal["table", "csv", "json", "parquet"]

#: What a question may be about; the rest are its makings.
_ROWS_AT_A_TIME: Final = 10_000

_File = Annotated[Path, typer.Argument(metavar="FILE", help="A DuckDB file that ltpkit made.")]


def sql(
    file: _File,
    query: Annotated[str, typer.Argument(metavar="QUERY", help="SQL that reads; - takes it from stdin.")],
    *,
    params: Annotated[
        list[str] | None,
        typer.Option("--param", "-p", metavar="NAME=VALUE", help="Bound to $NAME, never pasted."),
    ] = None,
    form: Annotated[
        Format | None, typer.Option("--format", help="How to write the answer.", show_default="table")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="Write there; its ending says the format."),
    ] = None,
    rows: Annotated[int, typer.Option("--rows", min=0, help="Rows of a table shown; 0 for all.")] = 40,
    zone: Annotated[
        str, typer.Option("--zone", help="In which a table shows times, such as Asia/Kolkata.")
    ] = "UTC",
) -> None:
    """Ask a store: ticks, latest_ltp, ltp_changes, bars_1m, realtime_depth, feed_events.

    A value of -p that is written as JSON (12.5, true, null, "12.5") is that; anything else is text.
    """
    import duckdb
    from polars.exceptions import PolarsError

    import ltpkit as lk
    from ltpkit.store.reading import query_trouble

    chosen = _format(form, out)
    where = _zone(zone)
    bound = _bound(params or ())
    text = sys.stdin.read() if query == "-" else query
    with lk.open(file) as held:
        try:
            answer = held.sql(text, bound or None)
        except duckdb.Error as error:
            fail(query_trouble(error))
            raise typer.Exit(1) from None
        except PolarsError as error:  # a type that DuckDB has and polars has not, such as INTERVAL
            fail(f"The answer cannot be taken over: cast such columns to VARCHAR. {error}")
            raise typer.Exit(1) from None
    _write(answer, chosen, out, rows, where)


def export(
    file: _File,
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Made if it is not there.")],
) -> None:
    """Write a store's rows as Parquet files, one for each table and day."""
    import ltpkit as lk

    out = console()
    with lk.open(file) as held:
        written = held.export(directory)
    for path in written:
        out.print(f"{shown_path(path)} ({size(path)})", soft_wrap=True)
    if not written:
        out.print(f"{file} holds no rows: nothing was written.", soft_wrap=True)


def migrate(file: _File) -> None:
    """Bring a store that an older ltpkit made up to date."""
    from ltpkit.store import migrate as bring_up_to_date

    out = console()
    steps = bring_up_to_date(file)
    for step in steps:
        out.print(f"{step} done", soft_wrap=True)
    out.print(f"{shown_path(file)} is up to date.", soft_wrap=True)


def feeds() -> None:
    """List the feeds: what they are, what they need."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from ltpkit import credentials, settings
    from ltpkit.feeds import make, names
    from ltpkit.instrument import Instruments

    out = console()
    chosen = settings.load()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for title in ("feed", "what it is", "needs", "most symbols"):
        table.add_column(title, no_wrap=title == "feed")
    for name in names():
        feed = make(name, Instruments(), url="ws://127.0.0.1")
        about = " ".join((type(feed).__doc__ or "").partition("\n\n")[0].split()).replace("`", "")
        own = settings.variables(name)
        missing = [
            variable
            for field, variable in own.items()
            if getattr(chosen, field) is None and credentials.kept(variable) is None
        ]
        if missing:
            needs = Text(", ".join(missing), style="yellow")
        else:
            needs = Text("credentials, which are set" if own else "nothing", style="green")
        table.add_row(Text(name, style="bold"), about, needs, _limit(feed.limits))
    out.print(table)


def bench(context: typer.Context) -> None:
    """Run the benchmarks of a checkout. What follows is handed on to them."""
    import ltpkit

    for root in (Path.cwd(), Path(ltpkit.__file__).resolve().parents[1]):
        if (root / "benchmarks" / "__main__.py").is_file():
            done = subprocess.run([sys.executable, "-m", "benchmarks", *context.args], cwd=root, check=False)
            raise typer.Exit(done.returncode)
    fail(
        "The benchmarks are not part of the installed package. They are in the folder benchmarks of a "
        "checkout: run `make bench` there."
    )
    raise typer.Exit(1)


# -- what they share --------------------------------------------------------------------------


def _limit(limits: Limits) -> str:
    """Return how many symbols a feed takes, in words."""
    per, lines = limits.per_connection, limits.connections
    if per is None:
        return "no limit"
    return f"{per:,} a connection" if lines is None else f"{per * lines:,}"


def _format(form: Format | None, out: Path | None) -> Format:
    """Return the format asked for, or the one that the file's ending names."""
    if form is not None:
        return form
    if out is None:
        return "table"
    endings: dict[str, Format] = {".csv": "csv", ".json": "json", ".parquet": "parquet", ".txt": "table"}
    if out.suffix not in endings:
        raise SettingError(f"{out.name} names no format: end it in {', '.join(endings)}, or say --format.")
    return endings[out.suffix]


def _bound(params: Any) -> dict[str, Any]:
    """Return the parameters by name: JSON scalars as what they are, anything else as text."""
    import msgspec

    bound: dict[str, Any] = {}
    for text in params:
        name, equals, value = text.partition("=")
        name = name.removeprefix("$")
        if not equals or not name.isidentifier():
            raise SettingError(f"-p {text!r} is not NAME=VALUE.")
        try:
            bound[name] = msgspec.json.decode(value, type=str | int | float | bool | None)
        except (msgspec.DecodeError, msgspec.ValidationError):
            bound[name] = value
    return bound


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        raise SettingError(f"There is no time zone {name!r}; one is Asia/Kolkata, another UTC.") from None


def _write(answer: pl.DataFrame, form: Format, out: Path | None, rows: int, zone: ZoneInfo) -> None:
    if form == "table":
        _write_table(answer, out, rows, zone)
        return
    if out is not None:
        with out.open("wb") as file:
            _write_to(file, answer, form)
        return
    if form == "parquet" and sys.stdout.isatty():
        raise SettingError("Parquet is not for a terminal: give a file with --out, or a pipe.")
    _write_to(sys.stdout.buffer, answer, form)
    sys.stdout.buffer.flush()


def _write_to(file: Any, answer: pl.DataFrame, form: Format) -> None:
    # In parts and through Python's own file, so that a reader who has seen enough ends it as usual.
    if form == "parquet":
        whole = io.BytesIO()
        answer.write_parquet(whole)
        file.write(whole.getbuffer())
    elif form == "csv":
        file.write(_flat(answer.head(0)).write_csv().encode())
        for part in answer.iter_slices(_ROWS_AT_A_TIME):
            file.write(_flat(part).write_csv(include_header=False).encode())
    else:
        _write_json(file, answer)


def _flat(answer: pl.DataFrame) -> pl.DataFrame:
    """Return the frame as CSV can hold it: lists and structs as JSON, UTC times with their Z."""
    import msgspec
    import polars as pl

    def encoded(value: object) -> str | None:
        return None if value is None else msgspec.json.encode(value).decode()

    mended: list[pl.Series] = []
    for column in answer:
        if column.dtype.is_nested():
            texts = [encoded(value) for value in column.to_list()]
            mended.append(pl.Series(column.name, texts, dtype=pl.String))
        elif isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone is not None:
            mended.append(column.dt.convert_time_zone("UTC").dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ"))
    return answer.with_columns(mended)


def _write_json(file: Any, answer: pl.DataFrame) -> None:
    """Write an array with a row on each line."""
    import msgspec

    encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=str)
    between = b"[\n"
    for part in answer.iter_slices(_ROWS_AT_A_TIME):
        for row in part.iter_rows(named=True):
            file.write(between + encoder.encode(row))
            between = b",\n"
    file.write(b"\n]\n" if answer.height else b"[]\n")


def _write_table(answer: pl.DataFrame, out: Path | None, rows: int, zone: ZoneInfo) -> None:
    from rich.console import Console

    shown = answer.head(rows) if rows else answer
    if out is None:
        _print_table(console(uncut=True), shown, answer.height, zone)
        return
    with out.open("w", encoding="utf-8") as file:
        _print_table(Console(file=file, width=10_000, highlight=False), shown, answer.height, zone)


def _print_table(to: Any, shown: pl.DataFrame, height: int, zone: ZoneInfo) -> None:
    if not shown.width:
        to.print("The statement has no answer.")
        return
    to.print(frame_table(shown, width=to.width, zone=zone))
    left = "" if shown.height == height else f", {shown.height:,} shown"
    times = any(getattr(dtype, "time_zone", None) is not None for dtype in shown.dtypes)
    note = f"{height:,} row{'' if height == 1 else 's'}{left}{f', times in {zone.key}' if times else ''}"
    to.print(note, style="dim")
