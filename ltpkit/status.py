"""How a stream is doing, as plain facts: one line in a terminal, a card in a notebook."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import polars as pl

__all__ = ["IN_MEMORY", "Status"]

#: In the place of a store's path.
IN_MEMORY = "in memory, until this process ends"


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """A stream at one moment.

    Attributes
    ----------
    state : str
        ``connecting, live, stale, backing_off, refused, stopped``; of a replay ``playing`` and
        ``finished``.
    feed : str
        The feed's name and kind.
    symbols : list of str
        Subscribed now, as ``EXCHANGE:SYMBOL``.
    rows_in_memory, rows_stored : int
        Ticks in the ring; ticks in the store, those from before this start included.
    received_seq, journaled_seq, synced_seq, stored_seq : int
        `seq` of the newest tick received; written to the journal, where it outlives the process; fsynced,
        so that it outlives a power cut; committed to DuckDB. Never one above that before it.
    depth_rows : int
        Books in memory.
    rate : float
        Ticks per second over the last five seconds.
    last_tick_age_s : float or None
        Since the newest tick reached us; None before the first, and of a replay.
    rejects, gaps, reconnects : int
        Frames that could not be decoded; stretches known to be missing; connections opened again.
    longest_pause_s : float
        The longest time the feed thread was held up, by a cell that kept the interpreter to itself or by
        the machine; 0 while none was longer than half a second.
    load : int
        How far behind the feed is, 0 to 3; see `ltpkit.overload`.
    left_out : dict of str to int
        Depth and quote rows left out so far because more came than could be taken.
    flagged : dict of str to int
        Ticks of this start that cannot be right, came late or came twice, by reason; see `Frames.flagged`.
    lost_rows : int
        Rows that had to leave memory before they could be stored or journaled.
    recovered : str or None
        What opening the store brought back after a crash, in words.
    store : str
        Path of the DuckDB file, or ``in memory, until this process ends``.
    recording : str or None
        File that raw frames go to.
    last_error : str or None
        In words; never with an address that could hold a token.
    at : datetime.datetime
        When this was true, UTC.
    """

    state: str
    feed: str
    symbols: list[str]
    rows_in_memory: int
    rows_stored: int
    received_seq: int
    journaled_seq: int
    synced_seq: int
    stored_seq: int
    depth_rows: int
    rate: float
    last_tick_age_s: float | None
    rejects: int
    gaps: int
    reconnects: int
    lost_rows: int
    recovered: str | None
    store: str
    recording: str | None
    last_error: str | None
    longest_pause_s: float = 0.0
    load: int = 0
    left_out: dict[str, int] = {}
    flagged: dict[str, int] = {}
    at: datetime = msgspec.field(default_factory=lambda: datetime.now(UTC))

    def line(self) -> str:
        """Return everything that matters in one line."""
        parts = [
            f"{self.feed} {self.state}",
            f"{len(self.symbols)} symbol{'' if len(self.symbols) == 1 else 's'}",
            f"{self.rows_in_memory:,} rows in memory, {self.rows_stored:,} stored",
            f"{self.rate:,.0f} ticks/s",
        ]
        if self.last_tick_age_s is not None:
            parts.append(f"last tick {age(self.last_tick_age_s)} ago")
        elif not self.rows_in_memory:
            parts.append("no tick yet")
        counts = {"gap": self.gaps, "reject": self.rejects, "reconnect": self.reconnects}
        parts += [f"{n:,} {word}{'' if n == 1 else 's'}" for word, n in counts.items() if n]
        if self.longest_pause_s:
            parts.append(f"longest pause {age(self.longest_pause_s)}")
        if self.load:
            parts.append(f"OVERLOADED, level {self.load} of 3")
        if self.left_out:
            parts.append(f"left out {counted(self.left_out)}")
        if self.flagged:
            parts.append(f"flagged {counted(self.flagged)}")
        if self.lost_rows:
            parts.append(f"{self.lost_rows:,} rows LOST from memory unstored")
        if self.recovered:
            parts.append(f"after a crash {self.recovered}")
        if self.last_error:
            parts.append(f"error: {self.last_error}")
        return " · ".join(parts)

    def to_frame(self) -> pl.DataFrame:
        """Return the facts as a frame with one row per fact, to keep or to print."""
        import polars as pl

        facts = msgspec.structs.asdict(self)
        facts["symbols"] = ", ".join(self.symbols)
        facts |= {"flagged": counted(self.flagged), "left_out": counted(self.left_out)}
        return pl.DataFrame(
            {"fact": list(facts), "value": [None if v is None else str(v) for v in facts.values()]},
            schema={"fact": pl.String, "value": pl.String},
        )

    def __repr__(self) -> str:
        return f"<Status {self.line()}>"

    def _repr_html_(self) -> str:
        from ltpkit.views.card import html

        return html(self)


def counted(counts: Mapping[str, int]) -> str:
    """Return counts in words, the largest first.

    Examples
    --------
    >>> counted({"late": 3, "price": 1200})
    '1,200 price, 3 late'
    """
    return ", ".join(f"{n:,} {what}" for what, n in sorted(counts.items(), key=lambda one: (-one[1], one[0])))


def age(seconds: float) -> str:
    """Return a short age.

    Examples
    --------
    >>> age(0.0123), age(7.21), age(400), age(90_000)
    ('12 ms', '7.2 s', '6 min 40 s', '25 h 0 min')
    """
    if seconds < 1:
        return f"{max(seconds, 0) * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"
