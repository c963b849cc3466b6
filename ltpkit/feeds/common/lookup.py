"""From a broker's ids to the stream's instruments, and from what a user writes to one of them.

For feeds whose packets carry ids that a list of instruments explains. An id that no list has gets an
instrument of its own, so that nothing is dropped. What an id looks like is the feed's business.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import islice
from typing import Final, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from ltpkit.errors import UnknownInstrument
from ltpkit.instrument import Instrument, Instruments, split_symbol

__all__ = ["IntegerLookup", "Lookup", "Segments", "key", "one_or_all"]

K = TypeVar("K", bound=Hashable)

#: The segments of some packets; one number where all share it, which is the usual case.
Segments = int | npt.NDArray[np.int64]

#: No packet has this key. It ends the sorted keys, so that a search never runs past them.
_END: Final = 2**63 - 1
#: Ids below this find their number in a table with a place for each: most brokers' most ids.
_DIRECT: Final = 2**20
_NOTHING: Final = np.array([-1], np.int32)


class Lookup(Generic[K]):
    """The instruments behind a broker's ids, one at a time.

    Parameters
    ----------
    table : Instruments
        The stream's own; what is met is added to it.
    listing : iterable of Instrument
        The broker's list, as far as it is at hand. The first of two with one id or name counts.
    key_of : callable
        Returns the id of an instrument, None for one that is not this broker's.
    unlisted : callable
        Returns an instrument for an id that neither the table nor the listing has.
    """

    def __init__(
        self,
        table: Instruments,
        listing: Iterable[Instrument],
        *,
        key_of: Callable[[Instrument], K | None],
        unlisted: Callable[[K], Instrument],
    ) -> None:
        self._table, self._key_of, self._unlisted = table, key_of, unlisted
        self._listed: dict[K, Instrument] = {}
        self._named: dict[str, Instrument] = {}
        for instrument in listing:
            key = key_of(instrument)
            if key is not None:
                self._listed.setdefault(key, instrument)
            self._named.setdefault(instrument.name, instrument)
        self._by_key: dict[K, int] = {}
        self._seen = 0

    def __len__(self) -> int:
        """Return how many instruments are listed."""
        return len(self._named)

    def refresh(self) -> range:
        """Take in what was added to the table since the last time; return its numbers."""
        fresh = range(self._seen, len(self._table))
        for number in fresh:
            key = self._key_of(self._table[number])
            if key is not None:
                self._by_key.setdefault(key, number)
        self._seen = fresh.stop
        return fresh

    def instrument(self, key: K) -> Instrument:
        """Return the instrument as the table or the listing has it, else an unlisted one."""
        if len(self._table) != self._seen:
            self.refresh()
        if key in self._by_key:
            return self._table[self._by_key[key]]
        return self._listed.get(key) or self._unlisted(key)

    def number(self, key: K) -> int:
        """Return the instrument's number, giving it one when it is new."""
        if len(self._table) != self._seen:
            self.refresh()
        number = self._by_key.get(key)
        if number is None:
            number = self._table.meet(self.instrument(key))
            if number is None:
                return self._table.rest()
            self._by_key[key] = number
        return number

    def resolve(self, symbol: str, *, feed: str, exchanges: Sequence[str], hint: str) -> Instrument:
        """Return what a user means by ``NSE:RELIANCE`` or ``RELIANCE``.

        Parameters
        ----------
        symbol : str
        feed : str
            The feed's name, for the error.
        exchanges : sequence of str
            Where to look for a name that comes without one, in this order.
        hint : str
            What to try, for the error, where no instrument at all is known.

        Raises
        ------
        UnknownInstrument
            With the near misses.
        """
        exchange, name = split_symbol(symbol)
        for spelling in (name, name.upper()):
            for where in [exchange] if exchange else exchanges:
                full_name = f"{where}:{spelling}"
                if full_name in self._named:
                    return self._named[full_name]
                number = self._table.number(full_name)
                if number is not None and self._key_of(self._table[number]) is not None:
                    return self._table[number]
        ours = (one.name for one in self._table if self._key_of(one) is not None)
        known = dict.fromkeys([*self._named, *ours])
        raise UnknownInstrument(symbol, f"the {feed} feed", known, try_="" if known else hint)


class IntegerLookup(Lookup[int]):
    """The instruments behind ids of 32 bits within segments of 8, many at a time.

    A key is ``id << 8 | segment``, see `key`.
    """

    def __init__(
        self,
        table: Instruments,
        listing: Iterable[Instrument],
        *,
        key_of: Callable[[Instrument], int | None],
        unlisted: Callable[[int], Instrument],
    ) -> None:
        super().__init__(table, listing, key_of=key_of, unlisted=unlisted)
        self._keys = np.array([_END])
        self._sorted = np.array([-1], np.int32)
        self._tables: dict[int, npt.NDArray[np.int32]] = {}
        self._placed = 0

    def refresh(self) -> range:
        """Take in what was added to the table since the last time; return its numbers."""
        fresh = super().refresh()
        count = len(self._by_key)
        for key, number in islice(self._by_key.items(), self._placed, None):
            self._place(key >> 8, key & 0xFF, number)
        self._placed = count
        keys = np.fromiter(self._by_key, np.int64, count)
        numbers = np.fromiter(self._by_key.values(), np.int32, count)
        order = keys.argsort()
        self._keys = np.append(keys[order], _END)
        self._sorted = np.append(numbers[order], np.int32(-1))
        return fresh

    def _place(self, id_: int, segment: int, number: int) -> None:
        if id_ >= _DIRECT:
            return
        direct = self._tables.get(segment, _NOTHING)
        if id_ >= len(direct) - 1:  # the last place is for ids beyond
            more = max(len(direct), id_ + 2 - len(direct))
            direct = self._tables[segment] = np.append(direct, np.full(more, -1, np.int32))
        direct[id_] = number

    def of(self, ids: npt.NDArray[np.int64], segments: Segments) -> npt.NDArray[np.int32]:
        """Return the numbers of these instruments, giving the new ones one."""
        if len(self._table) != self._seen:
            self.refresh()
        if isinstance(segments, int):
            numbers = self._tables.get(segments, _NOTHING).take(ids, mode="clip")
            if np.minimum.reduce(numbers) >= 0:  # a third of the time of numbers.min()
                return numbers
        keys = ids << 8 | segments
        at = self._keys.searchsorted(keys)
        unknown = self._keys[at] != keys
        if np.count_nonzero(unknown):
            for one in dict.fromkeys(keys[unknown].tolist()):
                number = self._table.meet(self.instrument(one))
                if number is not None:
                    self._by_key[one] = number
            if len(self._table) != self._seen or len(self._by_key) != self._placed:
                self.refresh()
            at = self._keys.searchsorted(keys)
            if self._table.full:
                return np.where(self._keys[at] == keys, self._sorted[at], np.int32(self._table.rest()))
        return self._sorted[at]


def key(id_: int, segment: int) -> int:
    """Return the key of an id within a segment."""
    return id_ << 8 | segment


def one_or_all(segments: npt.NDArray[np.int64]) -> Segments:
    """Return the segment that all packets share, or else the segment of each."""
    first = int(segments[0]) if len(segments) else 0
    return segments if np.count_nonzero(segments != first) else first
