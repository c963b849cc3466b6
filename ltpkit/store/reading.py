"""Reading a store: SQL over stored rows and rows in memory as one, rows by table, a lazy scan.

Each call has a cursor of its own and sees every row exactly once, whoever appends meanwhile.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import duckdb
import polars as pl

from ltpkit import schema
from ltpkit.errors import SettingError, StoreError
from ltpkit.flags import KIND
from ltpkit.store.database import Database
from ltpkit.store.handover import after, to_arrow, typed
from ltpkit.store.interrupts import interruptible
from ltpkit.store.pushdown import prefilter, without_hints
from ltpkit.store.tables import TABLES, VIEWS, one, positions_in, quoted, table_of

__all__ = ["ReadableStore", "query_trouble"]

_SCAN_ROWS: Final = 245_760  # two of DuckDB's row groups

_BARE_AT: Final = re.compile(r"(?<![\"'\w])at(?![\"'\w])", re.IGNORECASE)


def query_trouble(error: duckdb.Error) -> str:
    """Return what DuckDB says of a query, and what `ReadableStore.sql` has added to it."""
    return "\n".join([str(error), *getattr(error, "__notes__", ())])


def _answer(cursor: duckdb.DuckDBPyConnection, query: str, params: Any = None) -> pl.DataFrame:
    """Return what a query answers, which Ctrl-C ends; where that is nothing, as of SET, no columns."""

    def ask() -> pl.DataFrame:
        relation = cursor.sql(query, params=params)
        found: pl.DataFrame = pl.DataFrame() if relation is None else relation.pl()
        return found

    return interruptible(cursor, ask)


class ReadableStore(Database):
    """The reading half of `Store`."""

    def __init__(self, path: Path | None, *, read_only: bool) -> None:
        self._names: tuple[object, list[str]] = (None, [])
        self._left: dict[str, pl.DataFrame] = {}  # rows that only the journal has, of a store opened to read
        self._positions: dict[str, int] = {}
        self._rows: dict[str, int] = {}
        super().__init__(path, read_only=read_only)

    def positions(self) -> dict[str, int]:
        """Return the last stored `seq` of ``"ticks"``, ``"depth"`` and ``"events"``; 0 where there is none.

        Never ahead of what a query sees. Does not touch DuckDB.
        """
        return dict(self._positions)

    def rows(self, table: str) -> int:
        """Return how many ``"ticks"``, ``"depth"`` or ``"events"`` are stored. Does not touch DuckDB."""
        table_of(table)  # which refuses what is none
        return self._rows[table]

    def sql(
        self,
        query: str,
        params: Sequence[Any] | Mapping[str, Any] | None = None,
        *,
        memory: Mapping[str, pl.DataFrame] | None = None,
        frames: Mapping[str, Any] | None = None,
    ) -> pl.DataFrame:
        """Return the answer of a query over stored rows and rows in memory, each row exactly once.

        Parameters
        ----------
        query : str
            SQL that reads. It sees one moment; a write is refused by DuckDB. Of several statements
            the last one answers.
        params : sequence or mapping, optional
            Bound to ``?`` or ``$name``.
        memory : mapping of str to polars.DataFrame, optional
            What was in memory *before* this call, as ``"ticks"``, ``"depth"``, ``"events"``, with rising
            `seq`. Rows that are stored by now are left out.
        frames : mapping of str to anything Arrow, optional
            The caller's own tables, by the names the query uses.

        Returns
        -------
        polars.DataFrame
            Text as String, times in UTC (us), whole sums as Decimal.

        Raises
        ------
        KeyboardInterrupt
            The user has interrupted it.
        duckdb.Error
            The query is wrong, in DuckDB's own words. Where it names a table that is not there, a note
            lists those that are.
        SettingError
            A frame has the name of one of our tables or views; parameters are a text of their own, or one is
            a datetime without its zone; or a frame is none.
        """
        own = dict(frames or {})
        if taken := {name.lower() for name in own} & {*TABLES.values(), *VIEWS}:
            raise SettingError(f"{sorted(taken)[0]!r} is a table of the store; give your frame another name.")
        values = _params(params)
        with self._reading() as cursor:
            self._lay_over(cursor, memory or {}, query.lower())
            for name, frame in own.items():
                try:
                    cursor.register(name, frame)
                except duckdb.InvalidInputException:
                    raise SettingError(
                        f"{name} is a {type(frame).__name__}: give a polars frame, a pandas or Arrow table, "
                        "or a NumPy array."
                    ) from None
            try:
                return _answer(cursor, query, values)
            except duckdb.CatalogException as error:
                if "Table with name" in str(error):
                    error.add_note(f"There are {', '.join(schema.QUERY_TABLES)}.")
                raise
            except duckdb.ParserException as error:
                if _BARE_AT.search(query):
                    error.add_note('To SQL, at is a word of its own; the column of that name is "at".')
                raise
            except duckdb.TransactionException as error:
                if "read-only mode" in str(error):
                    error.add_note("ltpkit's sql() only reads; the stream alone writes the store.")
                raise

    def read(
        self,
        table: str,
        *,
        symbols: Sequence[tuple[str, str]] | None = None,
        after_seq: int | None = None,
        since: datetime | None = None,
        last: int | None = None,
    ) -> pl.DataFrame:
        """Return stored rows in the order they arrived, with the types of `schema.polars_schema`.

        Parameters
        ----------
        table : {"ticks", "depth", "events"}
            Which rows.
        symbols : sequence of (exchange, symbol), optional
            Only these; an empty exchange stands for any.
        after_seq : int, optional
            Only rows with a higher `seq`.
        since : datetime.datetime, optional
            Only ticks or books received then or later.
        last : int, optional
            Only the newest so many of them.
        """
        conditions: list[str] = []
        params: list[Any] = []
        if symbols is not None:
            one = []
            for exchange, symbol in symbols:
                full = f"{exchange}:{symbol}"
                if table == "events":
                    one.append("symbol = ?" if exchange else "split_part(symbol, ':', 2) = ?")
                    params.append(full if exchange else symbol)
                elif exchange:
                    one.append("(symbol = ? AND exchange = ?)")
                    params += [symbol, exchange]
                else:
                    one.append("symbol = ?")
                    params.append(symbol)
            conditions.append(f"({' OR '.join(one)})" if one else "false")
        if after_seq is not None:
            conditions.append("seq > ?")
            params.append(after_seq)
        if since is not None:
            conditions.append("received_at >= ?")
            params.append(since)
        query = f"FROM {table_of(table)}"
        if conditions:
            query += f" WHERE {' AND '.join(conditions)}"
        if last is not None:
            query += " ORDER BY seq DESC LIMIT ?"
            params.append(last)
        with self._reading() as cursor:
            found = _answer(cursor, query, params or None)
        return typed(found if found["seq"].is_sorted() else found.sort("seq"), table)

    def latest(self) -> pl.DataFrame:
        """Return the stored ``latest_ltp``: a row for each instrument, with the types of ticks."""
        with self._reading() as cursor:
            return typed(_answer(cursor, "FROM latest_ltp ORDER BY exchange, symbol"), "ticks")

    def names(self) -> list[str]:
        """Return ``EXCHANGE:SYMBOL`` of every instrument with stored ticks or depth, sorted."""
        at = (self._positions["ticks"], self._positions["depth"], self._rows["ticks"], self._rows["depth"])
        known_at, names = self._names
        if known_at != at:
            with self._reading() as cursor:
                found = _answer(
                    cursor,
                    "SELECT exchange || ':' || symbol FROM "
                    "(SELECT DISTINCT exchange, symbol FROM realtime_ltp "
                    "UNION SELECT DISTINCT exchange, symbol FROM realtime_depth) ORDER BY ALL",
                )
            names = found.to_series().to_list()
            self._names = (at, names)
        return list(names)

    def scan(self, memory: Callable[[], Mapping[str, pl.DataFrame]] | None = None) -> pl.LazyFrame:
        """Return all ticks as a LazyFrame that reads afresh at each collect, in the order they arrived.

        Only the columns asked for leave DuckDB, and only the rows that a filter may keep.

        Parameters
        ----------
        memory : callable, optional
            Returns what is in memory, as for `sql`; called once for each read.
        """
        from polars.io.plugins import register_io_source

        types = schema.polars_schema("ticks")

        def source(
            columns: list[str] | None, predicate: pl.Expr | None, rows: int | None, batch_rows: int | None
        ) -> Iterator[pl.DataFrame]:
            recent = memory()["ticks"] if memory is not None else pl.DataFrame(schema=types)
            keep = None if predicate is None else without_hints(predicate)
            wanted = list(types) if columns is None else columns
            needed = dict.fromkeys(["seq", *wanted, *([] if keep is None else keep.meta.root_names())])
            left = rows
            for part in self._parts(list(needed), keep, rows, recent, batch_rows or _SCAN_ROWS):
                frame = part if left is None else part.head(left)
                left = None if left is None else left - frame.height
                if keep is not None:
                    frame = frame.filter(keep)
                yield frame.select(wanted)
                if left == 0:
                    return

        return register_io_source(source, schema=types, explain_name="ltpkit ticks")

    def _parts(
        self,
        columns: list[str],
        predicate: pl.Expr | None,
        rows: int | None,
        recent: pl.DataFrame,
        page_rows: int,
    ) -> Iterator[pl.DataFrame]:
        """Yield stored rows that `predicate` may keep, then those in memory alone.

        Page by page, each a query of its own: an open result would keep the file open after `close`,
        and DuckDB then waits for it for ever when the file is opened again.
        """
        conditions = ["seq > ?"]
        # A limit counts rows before the filter: then DuckDB may not leave any out.
        if rows is None and predicate is not None and (known := prefilter(predicate, schema.TICKS)):
            conditions.append(known)
        # Without an ORDER BY: DuckDB keeps the order of insertion, and `seq` rises with it.
        page_rows = page_rows if rows is None else min(page_rows, rows)
        query = (
            f"SELECT {', '.join(map(quoted, columns))} FROM realtime_ltp "
            f"WHERE {' AND '.join(conditions)} LIMIT {page_rows}"
        )
        with self._reading() as cursor:
            position, seq = self._reached(cursor)["ticks"], 0
            while seq < position:
                found = _answer(cursor, query, [seq])
                if not found["seq"].is_sorted():
                    raise StoreError(
                        self.path or ":memory:",
                        "DuckDB's preserve_insertion_order was switched off; a scan needs it.",
                    )
                if found.height:
                    yield typed(found, "ticks")
                if found.height < page_rows:
                    break
                seq = found["seq"][-1]
        yield after(recent, position).select(columns)

    @contextmanager
    def moment(self, memory: Mapping[str, pl.DataFrame] | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """Yield a cursor to which stored rows and rows in memory are one, and which sees one moment.

        Parameters
        ----------
        memory : mapping of str to polars.DataFrame, optional
            As for `sql`.
        """
        with self._reading() as cursor:
            self._lay_over(cursor, memory or {}, "")
            yield cursor

    # -- beneath them ---------------------------------------------------------------------------

    @contextmanager
    def _reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Yield a cursor of the caller's own that sees one moment, with what a journal has besides."""
        with super()._reading() as cursor:
            if self._left:
                self._lay_over(cursor, self._left, "")
            yield cursor

    def _lay_over(
        self, cursor: duckdb.DuckDBPyConnection, memory: Mapping[str, pl.DataFrame], query: str
    ) -> None:
        """Lay the rows in memory over the tables, for this cursor alone.

        A temporary view hides the table of its name, from the views upon it too. The position is read
        in the query's own transaction: rows up to it are in the table, later ones are not.
        """
        if not any(frame.height for frame in memory.values()):
            return
        positions = positions_in(cursor)
        views = []
        for table, frame in memory.items():
            name = table_of(table)
            rest = after(frame, positions[table])
            # Ticks may be asked for through a view of the user's own, and what is flagged says which of them
            # count; otherwise a table that is not asked for would cost a millisecond or two.
            if rest.height and (
                table == "ticks" or not query or name in query or (table == "events" and _flag_in(rest))
            ):
                cursor.register(f"_memory_{table}", to_arrow(rest))
                views.append(
                    f"CREATE TEMP VIEW {name} AS FROM {self._catalog}.main.{name} "
                    f"UNION ALL BY NAME FROM _memory_{table}"
                )
        if views:
            cursor.execute("; ".join(views))

    def _recount(self) -> None:
        with self._reading() as cursor:
            self._positions = self._reached(cursor)
            self._rows = {
                table: int(one(cursor, f"SELECT count(*) FROM {name}")) for table, name in TABLES.items()
            }

    def _reached(self, cursor: duckdb.DuckDBPyConnection) -> dict[str, int]:
        """Return the last `seq` that the cursor sees of each table."""
        left = {table: int(rows["seq"][-1]) for table, rows in self._left.items()}
        return positions_in(cursor) | left

    def _opened_again(self) -> None:
        self._recount()


def _flag_in(events: pl.DataFrame) -> bool:
    return bool((events["kind"] == KIND).any())


def _params(params: Sequence[Any] | Mapping[str, Any] | None) -> Any:
    """Return what DuckDB binds, or say what to give."""
    if params is None:
        return None
    if isinstance(params, str | bytes):
        raise SettingError(
            f"params={params!r}: give a list, [{params!r}], for ?, or a dict with the names for $name."
        )
    if isinstance(params, Mapping):
        for name, value in params.items():
            _check_zone(f"${name}", value)
        return dict(params)
    values = list(params)
    for place, value in enumerate(values, 1):
        _check_zone(f"parameter {place}", value)
    return values


def _check_zone(name: str, value: object) -> None:
    """Refuse a datetime without a zone, also within a list: DuckDB would take its hour for one of UTC."""
    if isinstance(value, datetime) and value.utcoffset() is None:
        raise SettingError(
            f"{name}={value!r}: give a date and time with its zone, as a datetime or as text such as "
            "'2026-11-20 09:15+05:30'."
        )
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple | set):
        for part in value:
            _check_zone(name, part)
