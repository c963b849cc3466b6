"""The tables and views of a store by name, and what SQL needs written out.

Pure: names in, SQL text out.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from ltpkit.errors import SettingError
from ltpkit.schema import moment_of

if TYPE_CHECKING:
    import duckdb

__all__ = ["TABLES", "TIME_OF", "VIEWS", "day_of", "one", "positions_in", "quoted", "table_of", "text"]

#: Our word for a kind of rows, and its table in DuckDB.
TABLES: Final = {"ticks": "realtime_ltp", "depth": "realtime_depth", "events": "feed_events"}
VIEWS: Final = (
    "ticks",
    "latest_ltp",
    "ltp_changes",
    "bars_1m",
    "flagged",
    "flagged_seqs",
    "believed_ticks",
)
#: The column that says on which day a row belongs.
TIME_OF: Final = {"ticks": "received_at", "depth": "received_at", "events": "at"}


def table_of(rows: str) -> str:
    """Return the table that holds these rows; raise `SettingError` where there are none so called."""
    if rows not in TABLES:
        raise SettingError(f"There are no rows called {rows!r}; there are {', '.join(TABLES)}.")
    return TABLES[rows]


def positions_in(cursor: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Return the last stored `seq` of each kind of rows, as the cursor sees it."""
    return dict(cursor.execute("SELECT table_name, last_seq FROM stored_position").fetchall())


def one(cursor: duckdb.DuckDBPyConnection, query: str) -> Any:
    """Return the one value that answers a query."""
    return cursor.execute(query).fetchall()[0][0]


def quoted(name: str) -> str:
    """Return a name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def text(words: str) -> str:
    """Return a text as SQL writes it."""
    return "'" + words.replace("'", "''") + "'"


def day_of(now: datetime | int) -> date:
    """Return the day in UTC; microseconds when an int."""
    if isinstance(now, int):
        return moment_of(now).date()
    if now.tzinfo is None:
        raise SettingError("now has no time zone; give an aware datetime, or microseconds in UTC.")
    return now.astimezone(UTC).date()
