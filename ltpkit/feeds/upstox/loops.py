"""From the bytes of Upstox's messages to rows: compiled loops.

They know how protobuf writes messages, and which messages make a row. Numbers and types of the fields come
in as a table, see `FIELD`, so that the schema is written once. Only plain messages are read: each field once,
each number as short as it can be, text in ASCII. Others may mean something too; `read` stops there.
"""

from __future__ import annotations

from typing import Final

import numba
import numpy as np
import numpy.typing as npt
from numba import boolean, float64, int32, int64

from ltpkit.compiled import compiled, reads
from ltpkit.feeds.upstox.layout import (
    EIGHT,
    FIELD,
    FOUR,
    KEY,
    KINDS,
    LONGEST_KEY,
    ROW,
    SIZED,
    SLOTS,
    TEXT,
    UNKNOWN_FIELD,
    UNMET,
    UNREAD,
    VARINT,
)

__all__ = ["learn", "read"]

_RESPONSE, _ENTRY, _MARKET, _INDEX, _FIRST_LEVEL, _LTPC, _LEVELS, _QUOTE, _BAR = (
    KINDS.index(name)
    for name in (
        *("FeedResponse", "FeedsEntry", "MarketFullFeed", "IndexFullFeed", "FirstLevelWithGreeks"),
        *("LTPC", "MarketLevel", "Quote", "OHLC"),
    )
)
_LEVEL, _DAY, _NOWHERE, _OPEN, _VOLUME, _OI, _BID, _BID_QTY, _ASK, _ASK_QTY = (
    SLOTS.index(name)
    for name in (
        *("bidP", "open", "", "open_price", "volume", "oi"),
        *("bid", "bid_qty", "ask", "ask_qty"),
    )
)

#: For each byte of some messages it and the seven behind it, as a number. Most are not aligned.
_WORDS = numba.types.Array(int64, 1, "A", readonly=True, aligned=False)
_FIELDS = reads(numba.from_dtype(FIELD), 2)
_ROWS, _KEYS = numba.from_dtype(ROW)[::1], numba.from_dtype(KEY)[::1]

_Integers = npt.NDArray[np.int64]
_Index = npt.NDArray[np.int32]
_Floats = npt.NDArray[np.float64]
_Records = npt.NDArray[np.void]

#: In place of an end.
_ODD, _NO_ROOM = -1, -2
#: How deep messages are within each other, and what is remembered of the outer ones.
_DEEPEST: Final = 8
_END, _KIND, _SEEN = 0, 1, 2
_FIRST_TAG, _LAST_TAG = 1 << 3, 2**32 - 1
_NOT_ASCII: Final = -0x7F7F_7F7F_7F7F_7F80  # the highest bit of each byte
_DAILY: Final = int.from_bytes(b"1d", "little")


# --- bytes


@compiled()
def _varint(words: _Integers, at: int, end: int) -> tuple[int, int]:
    """Return the number here and where it ends; `_ODD` for where if it is cut, padded or too long."""
    value = shift = 0
    octet = 0x80
    while octet >= 0x80:
        if at >= end or shift == 70:
            return value, _ODD
        octet = words[at] & 0xFF
        value |= (octet & 0x7F) << shift
        at += 1
        shift += 7
    if (octet == 0 and shift > 7) or (octet > 1 and shift == 70):
        return value, _ODD
    return value, at


@compiled(inline=True)
def _word(words: _Integers, at: int, end: int) -> int:
    """Return the up to eight bytes before `end`, zeros behind them."""
    word: int = words[at]
    return word if end - at >= 8 else word & ((1 << 8 * (end - at)) - 1)


@compiled()
def _is_ascii(words: _Integers, at: int, end: int) -> bool:
    for start in range(at, end, 8):  # noqa: SIM110  # `any` is not compiled
        if _word(words, start, end) & _NOT_ASCII:
            return False
    return True


# --- keys


@compiled()
def _place(words: _Integers, at: int, end: int, index: _Index, keys: _Records, secret: int) -> int:
    """Return where in the index a key is, or where it would be. Some places are always free."""
    mixed = 0
    for start in range(at, end, 8):
        word = _word(words, start, end)
        for half in (word & 0xFFFF_FFFF, word >> 32 & 0xFFFF_FFFF):
            mixed = (mixed ^ half) * secret >> 16 & 0xFFFF_FFFF
    place = mixed & (len(index) - 1)
    while index[place] > 0:
        key = keys[index[place] - 1]
        start = at if key["length"] == end - at else end + 8
        while start < end and key["words"][(start - at) >> 3] == _word(words, start, end):
            start += 8
        if end <= start < end + 8:
            break
        place = (place + 1) & (len(index) - 1)
    return place


@compiled(_WORDS, int64, int64, int32[::1], _KEYS, int64, int64)
def learn(words: _Integers, at: int, end: int, index: _Index, keys: _Records, secret: int, line: int) -> None:
    """Write a key to a line of `keys`, and the line to the index."""
    index[_place(words, at, end, index, keys, secret)] = line + 1
    keys[line]["length"] = end - at
    for start in range(at, end, 8):
        keys[line]["words"][(start - at) >> 3] = _word(words, start, end)


# --- messages


@compiled(inline=True)
def _enter(kind: int, row: np.void, quotes: int) -> None:
    """Prepare for a message of this kind: a number that it does not send is 0."""
    slots = row["slots"]
    if kind == _ENTRY:
        for slot in range(_LEVEL):
            slots[slot] = np.nan
        row["speaks"] = row["has_day"] = False
        row["key"] = row["key_end"] = 0
        row["quotes"] = row["quotes_end"] = -1
    elif kind in (_MARKET, _FIRST_LEVEL):
        slots[_VOLUME] = slots[_OI] = 0
    elif kind == _LEVELS:
        row["quotes"] = quotes
    elif kind == _QUOTE:
        for slot in range(_LEVEL, _DAY):
            slots[slot] = 0
    elif kind == _BAR:
        for slot in range(_DAY, _NOWHERE):
            slots[slot] = 0
        row["is_day"] = False
    if kind in (_MARKET, _INDEX, _FIRST_LEVEL, _LTPC):
        row["speaks"] = True


@compiled(inline=True)
def _leave(kind: int, row: np.void, quotes: int) -> None:
    """Take what a message of this kind adds to the row."""
    slots = row["slots"]
    if kind == _QUOTE and row["quotes"] in (-1, quotes):  # the only one, or the first
        slots[_BID], slots[_BID_QTY] = slots[_LEVEL], slots[_LEVEL + 1]
        slots[_ASK], slots[_ASK_QTY] = slots[_LEVEL + 2], slots[_LEVEL + 3]
    elif kind == _BAR and row["is_day"] and not row["has_day"]:
        for place in range(3):
            slots[_OPEN + place] = slots[_DAY + place]
        row["has_day"] = True
    elif kind == _LEVELS:
        row["quotes_end"] = quotes


@compiled()
def _message(
    words: _Integers,
    at: int,
    end: int,
    is_checked: bool,  # noqa: FBT001  # loops take arguments by place
    fields: _Records,
    stack: _Integers,
    rows: _Records,
    row: int,
    quotes: _Floats,
    quote: int,
) -> tuple[int, int, int]:
    """Write what a message says to rows and quotes from these on; return their ends, or why not.

    And how many entries are left out, as they speak of nothing.
    """
    kind, seen, depth, left_out = _RESPONSE, 0, 0, 0
    while True:
        while at == end:
            if depth == 0:
                return row, quote, left_out
            _leave(kind, rows[row], quote)
            depth -= 1
            if kind == _ENTRY:
                size = rows[row]["key_end"] - rows[row]["key"]
                if rows[row]["speaks"] and 0 < size <= LONGEST_KEY:
                    row += 1
                else:
                    left_out += 1
            elif kind == _QUOTE and stack[depth, _KIND] == _LEVELS:
                for place in range(4):
                    quotes[quote, place] = rows[row]["slots"][_LEVEL + place]
                quote += 1
            if row == len(rows) or quote == len(quotes):
                return _NO_ROOM, quote, 0
            end, kind, seen = stack[depth, _END], stack[depth, _KIND], stack[depth, _SEEN]
        tag, at = _varint(words, at, end)
        if at == _ODD or not _FIRST_TAG <= tag <= _LAST_TAG:
            return _ODD, quote, 0
        field, wire = fields[kind, min(tag >> 3, UNKNOWN_FIELD)], tag & 7
        is_known = field["wire"] == wire
        once, goes = (field["once"], field["goes"]) if is_known else (0, _NOWHERE)
        if seen & once or goes == UNREAD:
            return _ODD, quote, 0
        seen |= once
        if wire == VARINT:
            value, at = _varint(words, at, end)
            if at == _ODD:
                return _ODD, quote, 0
            rows[row]["slots"][goes] = value
        elif wire == EIGHT and end - at >= 8:
            rows[row]["slots"][goes] = np.int64(words[at]).view(np.float64)
            at += 8
        elif wire == SIZED:
            size, at = _varint(words, at, end)
            if at == _ODD or not 0 <= size <= end - at:
                return _ODD, quote, 0
            if is_known and goes != TEXT:
                stack[depth, _END], stack[depth, _KIND], stack[depth, _SEEN] = end, kind, seen
                depth += 1
                end, kind, seen = at + size, goes, 0
                _enter(kind, rows[row], quote)
                continue
            if is_known:
                if not (is_checked or _is_ascii(words, at, at + size)):
                    return _ODD, quote, 0
                if kind == _ENTRY:
                    rows[row]["key"], rows[row]["key_end"] = at, at + size
                else:
                    rows[row]["is_day"] = size == 2 and _word(words, at, at + 2) == _DAILY
            at += size
        elif wire == FOUR and end - at >= 4:
            at += 4
        else:
            return _ODD, quote, 0


@compiled(
    _WORDS, reads(int64), int64, int64, boolean, _FIELDS, int32[::1], _KEYS, int64,
    _ROWS, int64, float64[:, ::1], int64, int64[::1],
)  # fmt: skip
def read(
    words: _Integers,
    ends: _Integers,
    first: int,
    frame: int,
    is_checked: bool,  # noqa: FBT001
    fields: _Records,
    index: _Index,
    keys: _Records,
    secret: int,
    rows: _Records,
    row: int,
    quotes: _Floats,
    quote: int,
    left_out: _Integers,
) -> tuple[int, int, int, bool]:
    """Write what messages say from `row` and `quote` on, and how many entries of each frame are left out.

    Returns
    -------
    int, int, int, bool
        The first message that was not read, else how many there are; where rows and quotes end; whether
        there is no room for more.
    """
    stack = np.empty((_DEEPEST, 3), np.int64)
    start = ends[first - 1] if first else 0
    for number in range(first, len(ends)):
        row_end, quote_end, few = _message(
            words, start, ends[number], is_checked, fields, stack, rows, row, quotes, quote
        )
        if row_end < 0:
            return number, row, quote, row_end == _NO_ROOM
        start = ends[number]
        for one in range(row, row_end):
            rows[one]["frame"] = frame + number
            place = _place(words, rows[one]["key"], rows[one]["key_end"], index, keys, secret)
            rows[one]["instrument"] = UNMET
            if index[place] > 0:
                rows[one]["instrument"] = keys[index[place] - 1]["instrument"]
                rows[one]["is_cash"] = keys[index[place] - 1]["is_cash"]
        left_out[frame + number] = few
        row, quote = row_end, quote_end
    return len(ends), row, quote, False
