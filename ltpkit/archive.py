"""A DuckDB store, opened to read with the same methods as a live stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from ltpkit.errors import UnknownInstrument
from ltpkit.frames import Frames, Name, Table
from ltpkit.instrument import split_symbol
from ltpkit.live import Stream
from ltpkit.running import store_being_written
from ltpkit.status import Status
from ltpkit.store import Store

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Archive", "open_store"]

#: What does for a store what a stream's method does.
_INSTEAD: Final = {
    "stop": "close() lets the file go.",
    "compact": "`ltpkit compact FILE` does it in a terminal.",
}


class Archive(Frames):
    """A DuckDB store, opened to read. Made by `open`. The same reading methods as a stream.

    Raises
    ------
    StreamStopped
        It was closed.
    """

    def __init__(self, store: Store, *, shared: bool) -> None:
        self._store, self._shared = store, shared

    def _rows(self, table: Table, names: Sequence[Name] | None, last: int | None) -> pl.DataFrame:
        return self._store.read(table, symbols=names, last=last)

    def _latest(self) -> pl.DataFrame:
        return self._store.latest()

    def _newest_book(self, name: Name) -> pl.DataFrame:
        return self._store.read("depth", symbols=[name], last=1)

    def newer(self, table: Table, seq: int, name: str | None = None) -> pl.DataFrame:  # noqa: D102 - as in the base
        return self._store.read(table, symbols=None if name is None else [split_symbol(name)], after_seq=seq)

    def received(self, table: Table, name: str, since: datetime) -> pl.DataFrame:  # noqa: D102 - as in the base
        return self._store.read(table, symbols=[split_symbol(name)], since=since)

    def _query(self, query: str, params: Any, frames: Mapping[str, Any]) -> pl.DataFrame:
        return self._store.sql(query, params, frames=frames)

    def _scan(self) -> pl.LazyFrame:
        return self._store.scan()

    def known(self) -> list[str]:  # noqa: D102 - as in the base
        return self._store.names()

    def unknown(self, symbol: str) -> UnknownInstrument:  # noqa: D102 - as in the base
        return UnknownInstrument(symbol, "this store", self.known(), told=("is not in", "It has"))

    def status(self) -> Status:
        """Return what the store holds, in the words of a stream's status.

        ``state`` is ``"stored"``; what is counted from a start, as rejects and reconnects are, is 0.
        """
        last = self._store.positions()["ticks"]
        now = datetime.now(UTC)
        newest = self._latest()["received_at"].max()
        return Status(
            state="stored",
            feed="store",
            symbols=self.known(),
            rows_in_memory=0,
            rows_stored=self._store.rows("ticks"),
            received_seq=last,
            journaled_seq=last,
            synced_seq=last,
            stored_seq=last,
            depth_rows=0,
            rate=0.0,
            last_tick_age_s=(now - newest).total_seconds() if isinstance(newest, datetime) else None,
            rejects=0,
            gaps=self.gaps().height,
            reconnects=0,
            lost_rows=0,
            recovered=None if self._store.recovered is None else str(self._store.recovered),
            store=str(self._store.path),
            recording=None,
            last_error=None,
            at=now,
        )

    def export(self, directory: str | Path) -> list[Path]:
        """Write what the store holds as Parquet, a file for each table and day; return their paths."""
        return self._store.export(directory)

    def close(self) -> None:
        """Let the file go. A second call does nothing."""
        if not self._shared:
            self._store.close()

    if not TYPE_CHECKING:  # where it would say that there is every attribute

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_") or not hasattr(Stream, name):
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            told = f"{name} is a stream's, and this is a store that was opened to read."
            raise AttributeError(f"{told} {_INSTEAD.get(name, '')}".rstrip())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Archive {self._store.path}: {self._store.rows('ticks'):,} ticks>"


def open_store(path: str | Path) -> Archive:
    """Open a DuckDB store to read it, with the same reading methods as a live stream.

    Of a store that this process streams into it shows what was flushed so far; the stream's own methods show
    the rows in memory too.

    Raises
    ------
    StoreLocked
        Another process is writing it.
    NotAStore, StoreTooNew, StoreError
        The file is no store of ours, too new, or not there.
    """
    place = Path(path)
    written = store_being_written(place)
    if written is not None:
        return Archive(written, shared=True)
    return Archive(Store(place, read_only=True), shared=False)
