"""What a status card says, in words: the same for the one that stands still and the one that is live."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from ltpkit.status import IN_MEMORY, Status, age, counted

__all__ = ["Fact", "Level", "facts", "levels", "listed", "look_of"]

Tone = Literal["good", "waiting", "odd", "bad", "over"]

# A tone and a sign: the state must be told apart without seeing colours.
_LOOKS: Final[dict[str, tuple[Tone, str]]] = {
    "live": ("good", "●"),
    "playing": ("good", "▶"),
    "finished": ("over", "■"),
    "connecting": ("waiting", "◌"),
    "backing_off": ("waiting", "↻"),
    "stale": ("odd", "◐"),
    "refused": ("bad", "✕"),
    "stopped": ("over", "■"),
    "stored": ("over", "▤"),
}

_LISTED: Final = 6


class Fact(NamedTuple):
    """One thing that a card says.

    Attributes
    ----------
    key : str
        For a page that draws it in a way of its own.
    name, value : str
        As they are read.
    small : bool
        The value is a text rather than a figure.
    """

    key: str
    name: str
    value: str
    small: bool = False


class Level(NamedTuple):
    """How many ticks have come how far; see `Status`.

    Attributes
    ----------
    name : str
    about : str
        What it means.
    reached : str
        The newest tick's number.
    behind : int
        Ticks that have come less far.
    """

    name: str
    about: str
    reached: str
    behind: int


def look_of(state: str) -> tuple[Tone, str]:
    """Return tone and sign of a state."""
    return _LOOKS.get(state, ("over", "?"))


def listed(symbols: Sequence[str]) -> str:
    """Return the first few symbols, and how many more there are."""
    more = len(symbols) - _LISTED
    return ", ".join(symbols[:_LISTED]) + (f" and {more} more" if more > 0 else "")


def facts(status: Status) -> list[Fact]:
    """Return what there is to say, the most important first."""
    nothing = "of a replay" if status.rows_in_memory else "none yet"
    last = nothing if status.last_tick_age_s is None else age(status.last_tick_age_s)
    told = [
        Fact("rate", "ticks/s", f"{status.rate:,.0f}"),
        Fact("age", "last tick, age", last),
        Fact("memory", "rows in memory", f"{status.rows_in_memory:,}"),
        Fact("stored", "rows stored", f"{status.rows_stored:,}"),
        Fact("way", "not stored yet", _on_the_way(status), small=True),
        Fact("gaps", "gaps", f"{status.gaps:,}"),
        Fact("rejects", "rejects", f"{status.rejects:,}"),
        Fact("reconnects", "reconnects", f"{status.reconnects:,}"),
        Fact("store", "store", status.store, small=True),
    ]
    if status.longest_pause_s:
        told.append(Fact("pause", "longest pause", age(status.longest_pause_s)))
    if status.load:
        told.append(Fact("load", "overload, level", f"{status.load} of 3"))
    if status.left_out:
        told.append(Fact("left_out", "left out under load", counted(status.left_out), small=True))
    if status.flagged:
        told.append(Fact("flagged", "ticks flagged", counted(status.flagged), small=True))
    if status.lost_rows:
        told.append(Fact("lost", "rows lost unstored", f"{status.lost_rows:,}"))
    if status.recovered:
        told.append(Fact("recovered", "after a crash", status.recovered, small=True))
    if status.recording:
        told.append(Fact("recording", "recording", status.recording, small=True))
    return told


def levels(status: Status) -> list[Level]:
    """Return how safe the ticks are, each level at most as far as the one before it."""
    lasting = status.store != IN_MEMORY
    reached = [
        ("received", "In memory; outlives an error in a cell.", status.received_seq),
        ("journaled", "In the journal; outlives the end of this process.", status.journaled_seq),
        ("synced", "On the disk; outlives a power cut.", status.synced_seq),
        ("stored", f"Committed to DuckDB, {'a file' if lasting else status.store}.", status.stored_seq),
    ]
    return [
        Level(name, about, f"{seq:,}", status.received_seq - seq)
        for name, about, seq in (reached if lasting else [reached[0], reached[-1]])
    ]


def _on_the_way(status: Status) -> str:
    """Return how far the ticks that are not stored yet have come."""
    waiting = status.received_seq - status.stored_seq
    if not waiting:
        return "0"
    journaled, synced = status.received_seq - status.journaled_seq, status.received_seq - status.synced_seq
    if not journaled and not synced:
        return f"{waiting:,}"
    if journaled == waiting:  # no journal, or nothing of it yet
        return f"{waiting:,}, in memory only"
    return f"{waiting:,}; {journaled:,} not journaled, {synced:,} not synced"
