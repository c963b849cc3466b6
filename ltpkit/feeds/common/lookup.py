"""From a broker's ids to the stream's instruments, and from what a user writes to one of them.

For feeds whose packets carry ids that a list of instruments explains. An id that no list has gets an
instrument of its own, so that nothing is dropped. What an id looks like is the feed's business.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import islice
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from ltpkit.errors import UnknownInstrument
from ltpkit.feeds.common.places import Places
from ltpkit.instrument import Instrument, Instruments, split_symbol

__all__ = ["IntegerLookup", "Lookup", "key"]

K = TypeVar("K", bound=Hashable)


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

    Attributes
    ----------
    places : Places
        The numbers of the keys that were met so far.
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
        self.places, self._placed = Places(), 0

    def refresh(self) -> range:
        """Take in what was added to the table since the last time; return its numbers."""
        fresh = super().refresh()
        more = np.array([*islice(self._by_key.items(), self._placed, None)], np.int64).reshape(-1, 2)
        self.places.add(more[:, 0], more[:, 1])
        self._placed = len(self._by_key)
        return fresh

    def of(self, keys: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
        """Return the numbers of the instruments with these keys, giving the new ones one."""
        numbers, missing = self.places.find(keys)
        if missing:  # also those that were added to the table since the last time
            rest = self.meet(keys[numbers < 0])
            numbers, missing = self.places.find(keys)
            if missing:
                numbers[numbers < 0] = rest
        return numbers

    def meet(self, keys: npt.NDArray[np.int64]) -> int:
        """Give the instruments with these keys a number; return that of those which get none."""
        for one in dict.fromkeys(keys.tolist()):
            number = self._table.meet(self.instrument(one))
            if number is not None:
                self._by_key[one] = number
        rest = self._table.rest() if self._table.full else -1
        self.refresh()
        return rest


def key(id_: int, segment: int) -> int:
    """Return the key of an id within a segment."""
    return id_ << 8 | segment
