"""What a feed's plain messages look like, and the rows read from them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ltpkit.feeds.common.plain import loops
from ltpkit.schema import FEED_FLOATS

__all__ = ["Form", "Kind", "Plain", "Series"]

_Integers = npt.NDArray[np.int64]

# What can be said of a key, besides the name of a column.
_ACTIONS: Final = {
    "kind": loops.TAG,
    "word": loops.WORD,
    "symbol": loops.SYMBOL,
    "time": loops.MOMENT,
    "stamp": loops.STAMP,
    "id": loops.COUNT,
    "number": loops.NUMBER,
    "traded": loops.TRADED,
    "sent": loops.SENT,
    "text": loops.TEXT,
    "": loops.NOTHING,
    "object": loops.OBJECT,
    "objects": loops.OBJECTS,
}
_UNWANTED: Final = ("", "text")
# Groups of words beyond the keys of each level.
_GROUPS: Final = {"kind": loops.DEEPEST, "word": loops.DEEPEST + 1, "symbol": loops.DEEPEST + 2}
_LETTERS: Final = 23  # of the longest word that can be looked up
_ROOM: Final = 40  # bytes of a row, at least; a message with more rows is left unread
_PADDING: Final = bytes(40)  # so that four times eight letters can be read from any place


class Series(IntEnum):
    """Which count the id of a row belongs to."""

    NONE = -1
    TRADES = 0
    AGGREGATES = 1
    #: Trades as well, but from before a subscription.
    BEFORE = 2


class Kind(NamedTuple):
    """What a kind of message has.

    Attributes
    ----------
    series : Series
        What the ids of its rows count.
    needs, may : tuple of str
        For each level the keys that every object has, and those that it may have as well, spaces between.
        Those that nobody wants need not be named.
    """

    series: Series
    needs: tuple[str, ...]
    may: tuple[str, ...] = ()


class Plain(NamedTuple):
    """What was read.

    Attributes
    ----------
    left : sequence of int
        Which frames were left unread.
    numbers : ndarray of int64, shape (frames,) or (0,)
        What the messages say is their own number; shape (0,) where all were left unread.
    rows : ndarray of int64, shape (rows, 6)
        Place among the frames, instrument, time in µs (`schema.NO_TIME` without), id, `Series`, and 1.
    values : ndarray of float64, shape (rows, 12)
        A column for each line of `batch.Ticks.values`.
    """

    left: Sequence[int]
    numbers: _Integers
    rows: _Integers
    values: npt.NDArray[np.float64]


class Form:
    """What a feed's messages look like that have ticks, and the symbols met in them.

    Parameters
    ----------
    levels : sequence of mapping of str to str
        The keys of the message, of the objects in it, and of those in these; and what is done with the value
        of each: a column of the ticks that it goes to; ``kind``, ``symbol``, ``id``; ``time`` (RFC 3339) and
        ``stamp`` (the message's, for rows without); ``traded`` and ``sent`` (ms or µs; the second counts
        where the first is 0 or missing); ``number`` (the message's); ``word`` (one of `words`); ``text``
        (any); ``object`` or ``objects`` (of the next level). Nothing for what nobody wants. Other keys may
        be there too, without objects in them.
    kinds : mapping of str to Kind
        By what a message says is its kind; the empty name for one that says nothing.
    rows_in : int
        Which level's objects are rows.
    words : sequence of str
    quoted : bool
        Whether numbers may be text.
    marks : sequence of bytes, optional
        A message that holds none of these is none of these kinds. By default the names of the kinds.
    """

    def __init__(
        self,
        levels: Sequence[Mapping[str, str]],
        kinds: Mapping[str, Kind],
        *,
        rows_in: int,
        words: Sequence[str] = (),
        quoted: bool,
        marks: Sequence[bytes] = (),
    ) -> None:
        self._rows_in, self._quoted = rows_in, quoted
        self._marks = marks or [f'"{name}"'.encode() for name in kinds]
        self._salt = secrets.randbits(31)
        self._table: _Integers = _blank(64)
        self._count = 0
        bits = [{key: 1 << place for place, key in enumerate(level)} for level in levels]
        for number, keys in enumerate(levels):
            for place, (key, meaning) in enumerate(keys.items()):
                self._learn(key, number, _packed(meaning) | place << 8)
        for word in words:
            self._learn(word, _GROUPS["word"], 0)
        self._untagged = list(kinds).index("") if "" in kinds else -1
        self._kinds: _Integers = np.zeros((len(kinds), loops.DEEPEST, 2), np.int64)
        for number, (name, kind) in enumerate(kinds.items()):
            if name:
                self._learn(name, _GROUPS["kind"], number)
            may = kind.may or ("",) * len(levels)
            for level, (known, needs, more) in enumerate(zip(bits, kind.needs, may, strict=True)):
                needed = sum(known[key] for key in needs.split())
                taken = sum(known[key] for key in more.split())
                unwanted = sum(bit for key, bit in known.items() if levels[level][key] in _UNWANTED)
                self._kinds[number, level] = needed, needed | taken | unwanted
        self._series: _Integers = np.array([kind.series for kind in kinds.values()], np.int64)

    def learn(self, symbol: str, number: int) -> None:
        """Take a symbol to be an instrument from now on."""
        self._learn(symbol, _GROUPS["symbol"], number)

    def _learn(self, word: str, group: int, meaning: int) -> None:
        if not word.isascii() or len(word) > _LETTERS:
            return  # what holds it is left unread
        letters = np.frombuffer(word.encode().ljust(24, b"\0"), np.int64).tolist()
        letters[2] |= group << 56
        line = self._line(letters)
        if line[loops.MEANING] < 0:
            self._count += 1
            if 2 * self._count > len(self._table):
                words = self._table[self._table[:, loops.MEANING] >= 0]
                self._table = _blank(2 * len(self._table))
                for one in words:
                    self._line(one[:3].tolist())[:] = one
                line = self._line(letters)
        line[:3] = letters
        line[loops.MEANING] = meaning

    def _line(self, letters: Sequence[int]) -> _Integers:
        """Return the line of the table that has these letters, or the free one for them."""
        last = len(self._table) - 1
        first, second, third = letters
        place = loops.spot_of(first, second, third, self._salt) & last
        while self._table[place, loops.MEANING] >= 0 and self._table[place, :3].tolist() != letters:
            place = (place + 1) & last
        line: _Integers = self._table[place]
        return line

    def _marked(self, frames: Sequence[bytes]) -> bool:
        for frame in frames:
            for mark in self._marks:
                if mark in frame:  # a generator expression would cost more than the search
                    return True
        return False

    def read(self, frames: Sequence[bytes]) -> Plain:
        """Return the rows of the messages that are surely of this form."""
        if len(frames) < len(_LEFT) and not self._marked(frames):
            return _LEFT[len(frames)]
        joined = b"\0".join([*frames, _PADDING])
        room = len(joined) // _ROOM
        messages = np.empty((2, len(frames)), np.int64)
        rows, values = np.empty((room, loops.ROW), np.int64), np.empty((room, len(FEED_FLOATS)))
        read, count = loops.read_messages(
            np.ndarray((len(joined) - 7,), np.int64, joined, strides=(1,)),
            np.fromiter(map(len, frames), np.int64, len(frames)),
            self._table.reshape(-1),
            self._salt,
            self._kinds,
            self._series,
            self._untagged,
            self._rows_in,
            self._quoted,
            messages,
            rows,
            values,
        )
        left = (messages[0] < 0).nonzero()[0].tolist() if read < len(frames) else ()
        return Plain(left, messages[1], rows[:count], values[:count])


def _packed(meaning: str) -> int:
    """Return what is done with a key's value, and where it goes to."""
    if meaning in _ACTIONS:
        return _ACTIONS[meaning] | _GROUPS.get(meaning, 0) << 4
    return (loops.QTY if meaning in ("ltq", "bid_qty", "ask_qty") else loops.PRICE) | FEED_FLOATS.index(
        meaning
    ) << 4


def _blank(lines: int) -> _Integers:
    return np.full((lines, loops.WORD_COLUMNS), -1, np.int64)


def _all_left(frames: int) -> Plain:
    rows, values = np.empty((0, loops.ROW), np.int64), np.empty((0, len(FEED_FLOATS)))
    return Plain(range(frames), np.empty(0, np.int64), rows, values)


# What is found in a few messages that hold no mark.
_LEFT: Final = [_all_left(frames) for frames in range(9)]
