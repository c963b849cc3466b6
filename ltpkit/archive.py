"""A DuckDB store, opened to read with the same methods as a live stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ltpkit.frames import Frames, Name, Table
from ltpkit.instrument import split_symbol
from ltpkit.live import store_being_written
from ltpkit.store import Store

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Archive", "open_store"]


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

    def _known(self) -> list[str]:
        return self._store.names()

    def export(self, directory: str | Path) -> list[Path]:
        """Write the ticks as Parquet files partitioned by date; return their paths."""
        return self._store.export(directory)

    def close(self) -> None:
        """Let the file go. A second call does nothing."""
        if not self._shared:
            self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Archive {self._store.path}: {self._store.rows('ticks'):,} ticks>"


def open_store(path: str | Path) -> Archive:
    """Open a DuckDB store to read it, with the same reading methods as a live stream.

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
