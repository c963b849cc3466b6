"""What a crash left in the journal, taken into the store: each row once, however often this is cut short.

The rows and the position they reach are one transaction, so a second attempt goes on where the first
ended. Files go when a checkpoint has made the rows firm; bytes that are no whole frame are kept aside.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl

from ltpkit import schema
from ltpkit.batch import Event
from ltpkit.errors import StoreError
from ltpkit.gaps import gap
from ltpkit.journal.files import folder_of, gathered, leftovers, sync_folder
from ltpkit.journal.frames import Reading
from ltpkit.schema import now_us

if TYPE_CHECKING:
    from ltpkit.store import Store

__all__ = ["Recovered", "holes", "left_behind", "replay"]


class Recovered(msgspec.Struct, frozen=True, kw_only=True):
    """What opening a store after a crash brought back.

    Attributes
    ----------
    rows : dict of str to int
        Taken from the journal into the store, by table.
    missing : int
        Rows that the journal should have held and did not: each stretch is a gap row.
    torn_bytes : int
        Bytes of the journal that were no whole frame.
    kept : list of pathlib.Path
        Where those bytes, and damaged files as they were, are kept.
    """

    rows: dict[str, int]
    missing: int
    torn_bytes: int
    kept: list[Path]

    def __str__(self) -> str:
        rows = sum(self.rows.values())
        parts = [f"{rows:,} row{'' if rows == 1 else 's'} recovered from the journal"]
        if self.missing:
            parts.append(f"{self.missing:,} missing in it")
        if self.torn_bytes:
            parts.append(f"{self.torn_bytes:,} bytes cut off")
        if self.kept:
            parts.append(f"kept aside: {', '.join(one.name for one in self.kept)}")
        return ", ".join(parts)


def left_behind(path: Path, store: int, positions: Mapping[str, int]) -> dict[str, pl.DataFrame]:
    """Return the rows that only the journal of the store at `path` has, changing nothing."""
    readings = [one for one in _readings(path) if _belongs(one, store, positions)]
    chunks = list(gathered(iter(readings), positions))
    tables = dict.fromkeys(table for chunk in chunks for table in chunk)
    return {table: pl.concat([chunk[table] for chunk in chunks if table in chunk]) for table in tables}


def replay(store: Store, *, damaged: list[Path]) -> Recovered | None:
    """Take what the journal has beyond the store into it; return what that was, None for nothing.

    Parameters
    ----------
    store : Store
        Open for writing, which makes us the only one at the journal too.
    damaged : list of pathlib.Path
        Copies that were kept of a damaged log of DuckDB's, to be reported as well.

    Raises
    ------
    StoreError
        The rows cannot be stored for now; they stay in the journal.
    """
    assert store.path is not None
    folder, reached = folder_of(store.path), store.positions()
    readings = _readings(store.path)
    others = [one for one in readings if not _belongs(one, store.identity, reached)]
    own = [one for one in readings if one not in others]
    rows, notes = dict.fromkeys(reached, 0), []
    waiting: dict[str, pl.DataFrame] = {}
    for chunk in gathered(iter(own), reached):
        if waiting:
            store.append(**waiting)
        waiting = chunk
        for table, frame in chunk.items():
            rows[table] += frame.height
            for first, last in holes(frame, reached[table]):
                missing = last - first + 1
                why = "the journal was damaged"
                notes.append(gap(now_us(), why, missing=missing, table=table, first_seq=first, last_seq=last))
            reached[table] = frame["seq"][-1]
    torn = [one for one in own if one.damage is not None and one.damage.left and not _kept(one).exists()]
    kept = [*damaged, *(_kept(one) for one in torn), *(_other(one) for one in others)]
    found = Recovered(
        rows={table: count for table, count in rows.items() if count},
        missing=sum(_missing(note) for note in notes),
        torn_bytes=sum(one.damage.left for one in torn if one.damage is not None),
        kept=kept,
    )
    if found.rows or found.kept:
        detail: dict[str, Any] = {"rows": found.rows, "torn_bytes": found.torn_bytes}
        detail |= {"missing": found.missing, "kept": [one.name for one in kept]}
        notes.append(Event(at=now_us(), kind="recovered", detail=detail))
        # In the transaction of the last rows: what is recovered is told, whatever happens next.
        waiting["events"] = _with(waiting.get("events"), notes, reached["events"])
        store.append(**waiting)
    for one in torn:
        _keep(one)
    for one in others:
        one.path.rename(_other(one))
    if own:
        with suppress(StoreError):  # no room to: the files stay, and are looked through again next time
            store.checkpoint()
            for one in own:
                one.path.unlink()
            with suppress(OSError):  # not empty: something is kept in it
                folder.rmdir()
            if folder.exists():
                sync_folder(folder)
    return found if found.rows or found.kept else None


def holes(frame: pl.DataFrame, reached: int) -> Iterator[tuple[int, int]]:
    """Yield first and last `seq` of each stretch missing in rising rows that should follow `reached`."""
    if frame["seq"][-1] - reached == frame.height:
        return
    before = frame["seq"].shift(1, fill_value=reached)
    yield from (
        frame.select(first=before + 1, last=pl.col("seq") - 1)
        .filter(pl.col("first") <= pl.col("last"))
        .iter_rows()
    )


def _readings(path: Path) -> list[Reading]:
    return [Reading(one) for one in leftovers(folder_of(path))]


def _belongs(reading: Reading, store: int, positions: Mapping[str, int]) -> bool:
    # Into a store that has nothing yet any journal may go: the file it was of was lost.
    return reading.store in (None, store) or not any(positions.values())


def _kept(reading: Reading) -> Path:
    return reading.path.with_name(reading.path.name + ".torn")


def _other(reading: Reading) -> Path:
    return reading.path.with_name(reading.path.name + ".other-store")


def _keep(reading: Reading) -> None:
    """Keep what is no whole frame, under a name that is there only once all of it is."""
    assert reading.damage is not None
    target = _kept(reading)
    unfinished = target.with_name(f".{target.name}.unfinished")
    with reading.path.open("rb") as source, unfinished.open("wb") as copy:
        source.seek(reading.damage.at)
        while block := source.read(1 << 20):
            copy.write(block)
        copy.flush()
        os.fsync(copy.fileno())
    unfinished.replace(target)
    sync_folder(target.parent)


def _with(events: pl.DataFrame | None, notes: list[Event], reached: int) -> pl.DataFrame:
    """Return events with notes after them, numbered on."""
    types = schema.polars_schema("events")
    more = pl.DataFrame(
        {
            "seq": range(reached + 1, reached + 1 + len(notes)),
            "at": pl.Series([note.at for note in notes], dtype=pl.Int64),
            "kind": [note.kind for note in notes],
            "symbol": pl.Series([note.symbol for note in notes], dtype=pl.String),
            "detail": [json.dumps(note.detail) for note in notes],
        }
    ).cast(types)  # type: ignore[arg-type]
    return more if events is None else pl.concat([events, more])


def _missing(note: Event) -> int:
    found = note.detail["missing"]
    return found if isinstance(found, int) else 0
