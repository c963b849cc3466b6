"""What a batch says, in the words tests compare; and what damages the frames it is read from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import hypothesis.strategies as st
import numpy as np

from ltpkit.batch import Batch, Event, Ticks
from ltpkit.schema import FEED_FLOATS

__all__ = [
    "Stars",
    "assert_rows_or_rejects",
    "duplicates",
    "facts",
    "mangled",
    "one_damaged",
    "pieces",
    "row",
    "rows",
    "ticks",
]


def ticks(batch: Batch) -> Ticks:
    assert batch.ticks is not None
    return batch.ticks


def row(found: Ticks, i: int = 0) -> dict[str, float]:
    """What tick `i` says: the columns that are not NaN."""
    return {name: float(found.column(name)[i]) for name in FEED_FLOATS if not np.isnan(found.column(name)[i])}


def rows(found: Ticks | None) -> list[dict[str, float]]:
    """What each tick says."""
    return [] if found is None else [row(found, i) for i in range(len(found))]


def duplicates(batch: Batch) -> list[bool]:
    """Which ticks are trades that came before."""
    marked = ticks(batch).duplicate
    return [False] * len(ticks(batch)) if marked is None else marked.tolist()


def pieces(batch: Batch) -> int:
    """How much of the frames is in a batch, read or not."""
    return len(batch.ticks or ()) + len(batch.events) + len(batch.rejects)


def facts(events: list[Event]) -> list[tuple[str, str | None, dict[str, object]]]:
    return [(event.kind, event.symbol, event.detail) for event in events]


class Stars:
    """A secret that prints as stars."""

    def get_secret_value(self) -> str:
        return "s3cret&?"

    def __repr__(self) -> str:
        return "***"


def one_damaged(data: st.DataObject, victim: bytes, *, shortest: int = 0) -> bytes:
    """The frame cut short, or with one bit of it flipped."""
    if data.draw(st.booleans(), label="cut"):
        return victim[: data.draw(st.integers(shortest, len(victim) - 1))]
    bit = data.draw(st.integers(0, len(victim) * 8 - 1))
    changed = bytearray(victim)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def mangled(data: st.DataObject, good: Sequence[bytes]) -> Iterator[bytes]:
    """Some of these frames, with up to three stretches of each lost, added or replaced."""
    for frame in data.draw(st.lists(st.sampled_from(good), max_size=6)):
        damaged = bytearray(frame)
        for _ in range(data.draw(st.integers(0, 3))):
            place = data.draw(st.integers(0, len(damaged) - 1))
            cut = data.draw(st.integers(0, 3))
            damaged[place : place + cut] = data.draw(st.binary(max_size=3))
        yield bytes(damaged)


def assert_rows_or_rejects(batch: Batch, frames: Sequence[bytes], first_at: int) -> None:
    """Assert that a batch of frames received from `first_at` on, a µs apart, holds nothing half read."""
    for said in rows(batch.ticks):
        assert set(said) == {"ltp", "ltq"} or "ltq" not in said
        assert all(price > 0 for name, price in said.items() if not name.endswith(("qty", "ltq")))
    for update in batch.book_updates:
        assert all(qty >= 0 and price >= 0 for price, qty in [*update.bids, *update.asks])
    for reject in batch.rejects:
        assert frames[reject.received_at - first_at] == reject.frame
        assert reject.reason
