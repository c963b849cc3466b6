"""The command that looks at recorded bytes: rows as JSON lines, or as Parquet."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ltpkit.cli.terminal import console, shown_path, size
from ltpkit.errors import RecordingError, SettingError

if TYPE_CHECKING:
    from ltpkit.decoding import Decoding

__all__ = ["decode"]

#: Rows written together. Small enough that `| head` ends soon.
_TOGETHER = 1000


def decode(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Captures: .bin, .json, .jsonl, .lenprefixed, recordings, text lines, the envelope.",
        ),
    ],
    *,
    feed: Annotated[
        str | None, typer.Option("--feed", help="Whose messages; a recording of ours says so itself.")
    ] = None,
    kind: Annotated[
        str | None, typer.Option("--kind", help="Which of the feed's streams, such as depth20 or usdm.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="X.parquet", help="Write Parquet in place of JSON.")
    ] = None,
    levels: Annotated[
        int, typer.Option("--levels", min=1, help="Levels a side of books kept from changes.")
    ] = 20,
) -> None:
    """Print the rows in captured messages, one JSON line each; kind says tick, depth, event or reject.

    One message in a .bin or .json file, one on each line of .jsonl, and in .lenprefixed a little-endian
    uint32 length before each. Several files are read one after the other as one stream.

    With --out the file holds the ticks; depth, events and rejects go beside it as X.depth.parquet and so on.
    Without any tick it holds the depth.
    """
    from ltpkit.decoding import Decoding, feed_of, read

    for path in files:
        if not path.exists() and not path.with_name(f"{path.name}.part").exists():  # left by a crash
            raise RecordingError(f"There is no file {path}.")
    name, kind = feed_of(files, feed, kind)
    work = Decoding(name, kind, depth_levels=levels, in_order=out is None)
    if out is not None and out.suffix != ".parquet":
        raise SettingError(f"{out.name} is to be Parquet: end it in .parquet.")
    for path in files:
        for block in read(path):
            if out is not None:
                work.take(block)
                continue
            for part in _parts(block):
                work.take(part)
                if work.waiting >= _TOGETHER:
                    _print(work)
    work.finish()
    if out is None:
        _print(work)
        sys.stdout.buffer.flush()
    else:
        _write(work, out)


def _parts(block: Any) -> Any:
    """Yield a block in pieces, so that a long one is printed on the way."""
    from ltpkit.recording import Block

    if not isinstance(block, Block) or block.direction != "in":
        yield block
        return
    for start in range(0, len(block.frames), 200):
        some = slice(start, start + 200)
        yield Block(
            direction="in",
            connection=block.connection,
            frames=block.frames[some],
            received_at=block.received_at[some],
        )


def _print(work: Decoding) -> None:
    import base64

    import msgspec

    encoder = msgspec.json.Encoder()
    lines = bytearray()
    for kind, row in work.rows():
        if kind == "event":
            # An event's own kind makes room for the row's.
            row = {"seq": row["seq"], "at": row["at"], "event": row["kind"], "symbol": row["symbol"]} | {
                "detail": msgspec.Raw(row["detail"].encode())
            }
        elif kind == "reject":
            # As in the envelope: text as it is, anything else in base64.
            frame: bytes = row.pop("frame")
            text = frame.decode(errors="replace")
            if text.replace("\n", " ").replace("\t", " ").isprintable() and "\ufffd" not in text:
                row["data"] = text
            else:
                row["b64"] = base64.b64encode(frame).decode()
        encoder.encode_into({"kind": kind, **row}, lines, -1)
        lines += b"\n"
    sys.stdout.buffer.write(lines)


def _write(work: Decoding, out: Path) -> None:
    import polars as pl

    found = {
        "ticks": work.frame("tick"),
        "depth": work.frame("depth"),
        "events": work.frame("event"),
        "rejects": work.frame("reject"),
    }
    first = "ticks" if found["ticks"].height or not found["depth"].height else "depth"
    to = console()
    for name, frame in found.items():
        if name != first and not frame.height:
            continue
        path = out if name == first else out.with_suffix(f".{name}.parquet")
        frame.with_columns(pl.col(pl.Categorical).cast(pl.String)).write_parquet(path)
        to.print(f"{shown_path(path)}: {frame.height:,} {name} ({size(path)})", soft_wrap=True)
