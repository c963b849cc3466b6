"""Ticks read from the bytes of JSON messages, as a compiled loop.

It reads what is surely right and leaves the rest: objects of known keys, text without escapes or letters
beyond ASCII, numbers of so few digits that a quotient of two floats is exactly what they say, times in UTC.
Anything else, what is no JSON included, leaves its message unread, for others to judge.

Behind every message stands a byte 0, which is nowhere in JSON: what goes on only past bytes it knows cannot
leave its message. Letters are looked at eight at a time: from each place of the text on, eight of them are
one number, the first its lowest byte. A text of up to 32 letters is four such numbers, to be compared and
taken apart without reading it again.

One loop walks through all messages and does everything that looks at arrays: handing them on to a function,
or writing one out that takes them, costs as much as the work of most. The small functions get numbers alone.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from numba import float64, int64, types

from ltpkit.compiled import compiled
from ltpkit.schema import NO_TIME

__all__ = ["read_messages", "spot_of"]

_Integers = npt.NDArray[np.int64]
_Numbers = npt.NDArray[np.float64]

# The columns of a row.
PLACE: Final = 0  # of its message among the frames
INSTRUMENT: Final = 1
TIME: Final = 2  # µs UTC
ID: Final = 3
SERIES: Final = 4  # that the id belongs to
SHOWN: Final = 5  # whether it is a tick
ROW: Final = 6  # how many columns

DEEPEST: Final = 3  # levels of objects

# What is known of the objects of a level: keys of this one, whether it is one of several, the keys that all
# had, and those that any had.
_SEEN: Final = 0
_LISTED: Final = 1
_LEAST: Final = 2
_MOST: Final = 3

# What is done with a key's value.
TAG: Final = 0  # tells the kind
WORD: Final = 1  # has to be one of a few
SYMBOL: Final = 2
MOMENT: Final = 3  # the row's time as text
STAMP: Final = 4  # the message's time as text, which may be finer than a µs
PRICE: Final = 5  # goes to a line of the ticks; 0 is left to others
QTY: Final = 6  # as well, and may be 0
COUNT: Final = 7  # the trade's id
NUMBER: Final = 8  # the message's number
TRADED: Final = 9  # the row's time in ms or µs
SENT: Final = 10  # as well, where there is no other
NOTHING: Final = 11
TEXT: Final = 12  # whatever it says
OBJECT: Final = 13
OBJECTS: Final = 14

# A word: its letters, eight in a number, the highest byte for the group that it belongs to; and what it
# means, -1 for no word. The keys of each level are a group; they mean an action, the line or group that it is
# about, and their number in the level, in four, four and the other bits.
MEANING: Final = 3
WORD_COLUMNS: Final = 4

# Which keys every object of a level has to have, and which it may have.
_NEEDED: Final = 0
_TAKEN: Final = 1

# What the loop expects next.
_AT_KEY: Final = 0
_AT_VALUE: Final = 1
_PAST_VALUE: Final = 2
_PAST_OBJECT: Final = 3  # in a list
_AT_END: Final = 4
_LEFT: Final = 5

_EXACT: Final = 2**53
_MOST_DIGITS: Final = 17  # so that nothing overflows, and no power of ten is beyond 10**22
_FIRST_MICROSECOND: Final = 10**14
_LAST_MICROSECOND: Final = 253_402_300_799_999_999
_DAY: Final = 86_400
_QUOTE: Final = ord('"')
_ESCAPE: Final = ord("\\")
_COMMA: Final = ord(",")
_COLON: Final = ord(":")
_POINT: Final = ord(".")
_MINUS: Final = ord("-")
_SPACE: Final = ord(" ")
_OPEN: Final = ord("{")
_CLOSE: Final = ord("}")
_OPEN_LIST: Final = ord("[")
_CLOSE_LIST: Final = ord("]")
_ZERO: Final = ord("0")
_NINE: Final = ord("9")
_T: Final = ord("T")
_Z: Final = ord("Z")
_ONES: Final = 0x0101010101010101
_HIGHEST_BITS: Final = -0x7F7F7F7F7F7F7F80
_TRUE: Final = int.from_bytes(b"true", "little")
_FALSE: Final = int.from_bytes(b"false", "little")
_NULL: Final = int.from_bytes(b"null", "little")

_EIGHTS: Final = types.Array(int64, 1, "A", readonly=True, aligned=False)


@compiled(int64)
def _ends_text(eight: int) -> int:
    """Return the highest bit of the first of eight letters that is a quote, escape, control or beyond ASCII.

    Bits above it may be set or not; 0 where there is none.
    """
    quotes, escapes = eight ^ (_ONES * _QUOTE), eight ^ (_ONES * _ESCAPE)
    # What is too small borrows from its highest bit.
    small = ((quotes - _ONES) & ~quotes) | ((escapes - _ONES) & ~escapes)
    small |= (eight - _ONES * _SPACE) & ~eight
    return (small | eight) & _HIGHEST_BITS


@compiled(int64)
def _ends_value(eight: int) -> int:
    """Return the same for a comma, a bracket that closes, a space, control or what is beyond ASCII."""
    commas, brackets = eight ^ (_ONES * _COMMA), (eight | (_ONES * _SPACE)) ^ (_ONES * _CLOSE)
    small = ((commas - _ONES) & ~commas) | ((brackets - _ONES) & ~brackets)
    small |= (eight - _ONES * (_SPACE + 1)) & ~eight
    return (small | eight) & _HIGHEST_BITS


@compiled(int64)
def _place(bits: int) -> int:
    """Return which of eight letters the lowest bit belongs to, which is the highest of that letter."""
    return ((((bits - 1) & ~bits & _ONES) * _ONES) >> 56 & 255) - 1


@compiled(int64, int64)
def _first(eight: int, count: int) -> int:
    """Return the first so many of eight letters, zeros for the others."""
    if count >= 8:
        return eight
    return eight & ((1 << 8 * count) - 1) if count > 0 else 0


@compiled(int64, int64, int64, int64)
def spot_of(first: int, second: int, third: int, salt: int) -> int:
    """Return where to look for a word of these letters."""
    found = salt
    for eight in (first, second, third):
        found = ((found ^ eight ^ (eight >> 32)) & 0x7FFFFFFF) * 0x9E3779B1
        found ^= found >> 29
    return found


@compiled(int64, int64, int64, int64)
def _number(first: int, second: int, third: int, length: int) -> float:
    """Return the number from 0 up that these letters are, -1 where they are none or have too many digits."""
    if not 0 < length <= _MOST_DIGITS or (first & 255 == _ZERO and length > 1 and first >> 8 & 255 != _POINT):
        return -1.0
    whole, scale, point, eight = 0, 1.0, length, first
    for place in range(length):
        if place == 8:
            eight = second
        elif place == 16:
            eight = third
        letter = eight & 255
        eight >>= 8
        if _ZERO <= letter <= _NINE:
            whole = whole * 10 + letter - _ZERO
            if place > point:
                scale *= 10.0
        elif letter == _POINT and point == length and 0 < place < length - 1:
            point = place
        else:
            return -1.0
    return whole / scale if whole <= _EXACT else -1.0


@compiled(int64, int64, int64, int64)
def _count(first: int, second: int, third: int, length: int) -> int:
    """Return the whole number from 0 up that these letters are, -1 where they are none or have too many."""
    if not 0 < length <= _MOST_DIGITS or (first & 255 == _ZERO and length > 1):
        return -1
    whole, eight = 0, first
    for place in range(length):
        if place == 8:
            eight = second
        elif place == 16:
            eight = third
        digit = (eight & 255) - _ZERO
        eight >>= 8
        if not 0 <= digit <= 9:
            return -1
        whole = whole * 10 + digit
    return whole


@compiled(int64, int64, int64, int64)
def _is_value(first: int, second: int, third: int, length: int) -> bool:
    """Return whether these letters are a number, true, false or null."""
    if length > 1 and first & 255 == _MINUS:
        first, second, third = first >> 8 | second << 56, second >> 8 | third << 56, third >> 8
        return _number(first, second, third, length - 1) >= 0
    if length <= 5 and first in (_TRUE, _FALSE, _NULL):
        return True
    return _number(first, second, third, length) >= 0


@compiled(int64, int64)
def _two(eight: int, place: int) -> int:
    """Return the number that two of eight letters make, one far below 0 where they are no digits."""
    tens, ones = (eight >> 8 * place & 255) - _ZERO, (eight >> 8 * place + 8 & 255) - _ZERO
    return tens * 10 + ones if 0 <= tens <= 9 and 0 <= ones <= 9 else -10_000


@compiled(int64, int64)
def _minute(first: int, second: int) -> int:
    """Return the minute like 2025-01-01T00:00, of 1970 to 2199, in µs since 1970; -1 where there is none."""
    if first >> 32 & 255 != _MINUS or first >> 56 != _MINUS:
        return -1
    if second >> 16 & 255 != _T or second >> 40 & 255 != _COLON:
        return -1
    year, month, day = _two(first, 0) * 100 + _two(first, 2), _two(first, 5), _two(second, 0)
    hour, minute = _two(second, 3), _two(second, 6)
    if not (1970 <= year < 2200 and 1 <= month <= 12 and 0 <= hour < 24 and 0 <= minute < 60):
        return -1
    leap = year % 4 == 0 and (year % 100 != 0 or year == 2000)  # of the centuries among these years
    if not 1 <= day <= (28 + leap if month == 2 else 30 + (month + month // 8) % 2):
        return -1
    # Years from March on, so that the odd day is the last of one.
    years = year - 1 if month <= 2 else year
    days = (153 * (month + 9 if month <= 2 else month - 3) + 2) // 5 + day - 1
    days += 365 * years + years // 4 - years // 100 + years // 400 - 719_468
    return (days * _DAY + hour * 3600 + minute * 60) * 1_000_000


@compiled(int64, int64, int64, int64)
def _within_minute(third: int, fourth: int, length: int, digits: int) -> int:
    """Return what stands behind the minute, like :00.000001Z, in µs, -1 where it is none.

    Of up to so many digits those are left out that are finer than a µs.
    """
    second = _two(third, 1)
    if third & 255 != _COLON or not 0 <= second < 60:
        return -1
    micro, unit, place = 0, 100_000, 19
    eight = third >> 24
    if length > 20:
        if eight & 255 != _POINT or not 1 <= length - 21 <= digits:
            return -1
        eight >>= 8
        for place in range(20, length - 1):
            if place == 24:
                eight = fourth
            digit = (eight & 255) - _ZERO
            eight >>= 8
            if not 0 <= digit <= 9:
                return -1
            micro += digit * unit
            unit //= 10
        if length == 25:
            eight = fourth
    return second * 1_000_000 + micro if length >= 20 and eight & 255 == _Z else -1


@compiled(
    _EIGHTS, int64[::1], int64[::1], int64, int64[:, :, ::1], int64[::1], int64, int64, int64,
    int64[:, ::1], int64[:, ::1], float64[:, ::1],
)  # fmt: skip
def read_messages(
    eights: _Integers,
    lengths: _Integers,
    words: _Integers,
    salt: int,
    kinds: _Integers,
    series: _Integers,
    untagged: int,
    rows_in: int,
    quoted: int,
    messages: _Integers,
    rows: _Integers,
    values: _Numbers,
) -> tuple[int, int]:
    """Read messages that are surely right; return how many these are, and how many rows they gave.

    Parameters
    ----------
    eights : ndarray of int64
        From each place of the text on, eight letters: of the messages, a byte 0 behind each, and at least 40
        more in the end.
    lengths : ndarray of int64, shape (messages,)
        How many letters each message has.
    words : ndarray of int64
        A hash table of words; its length is a power of two, and some of it is free.
    salt : int
        What the places in it depend on.
    kinds : ndarray of int64, shape (kinds, DEEPEST, 2)
        The keys that each kind needs, and those that it may have, a bit for each.
    series : ndarray of int64, shape (kinds,)
        What the ids of its rows belong to.
    untagged : int
        The kind of a message that names none, -1 for none.
    rows_in : int
        The level whose objects are rows.
    quoted : int
        Whether numbers may be text.
    messages : ndarray of int64, shape (2, messages)
        For the kind of each message, -1 where it is left unread, and the number it says it has.
    rows, values : ndarray, shape (room, ROW) and (room, lines)
        For the rows. A message without room is left unread.
    """
    levels = np.zeros((DEEPEST, 4), np.int64)
    at = row = read = 0
    last_spot = len(words) // WORD_COLUMNS - 1
    minute, minute_first, minute_second = -1, 0, 0
    for place in range(len(lengths)):
        end = at + lengths[place]
        kind, sequence, stamp, first_row = untagged, 0, NO_TIME, row
        for one in range(DEEPEST):
            levels[one, _LEAST], levels[one, _MOST] = -1, 0
        level, listed, seen = -1, 0, 0
        action, argument = OBJECT, 0
        state = _AT_VALUE
        while state < _AT_END:
            while int(eights[at]) & 255 == _SPACE:
                at += 1
            letter = int(eights[at]) & 255
            if state == _PAST_VALUE:  # another key, or the end of the object
                at += 1
                if letter == _COMMA:
                    state = _AT_KEY
                elif letter == _CLOSE:
                    levels[level, _LEAST] &= seen
                    levels[level, _MOST] |= seen
                    if level == rows_in:
                        row += 1
                    if levels[level, _LISTED]:
                        state = _PAST_OBJECT
                    else:
                        level -= 1
                        if level < 0:
                            state = _AT_END
                        else:
                            seen = levels[level, _SEEN]
                else:
                    state = _LEFT
                continue
            if state == _PAST_OBJECT:  # another one, or the end of the list
                at += 1
                level -= 1
                seen = levels[level, _SEEN]
                if letter == _COMMA:
                    action, listed, state = OBJECT, 1, _AT_VALUE
                elif letter == _CLOSE_LIST:
                    state = _PAST_VALUE
                else:
                    state = _LEFT
                continue
            if state == _AT_VALUE and action >= OBJECT:  # it begins, or the list of them
                at += 1
                if action == OBJECTS and letter == _OPEN_LIST:
                    while int(eights[at]) & 255 == _SPACE:
                        at += 1
                    if int(eights[at]) & 255 == _CLOSE_LIST:
                        at += 1
                        state = _PAST_VALUE
                    else:
                        action, listed = OBJECT, 1
                elif action == OBJECT and letter == _OPEN:
                    if level >= 0:
                        levels[level, _SEEN] = seen
                    level += 1
                    levels[level, _LISTED] = listed
                    state, listed, seen = _AT_KEY, 0, 0
                    if level == rows_in:
                        if row < len(rows):
                            rows[row, INSTRUMENT], rows[row, TIME], rows[row, ID] = -1, NO_TIME, 0
                            for line in range(values.shape[1]):
                                values[row, line] = np.nan
                        else:
                            state = _LEFT
                else:
                    state = _LEFT
                continue
            # A key, or a value that is no object: where it ends, and its letters.
            inside = letter == _QUOTE
            if inside:
                at += 1
                start = at
                stop = _ends_text(int(eights[at]))
                while stop == 0:
                    at += 8
                    stop = _ends_text(int(eights[at]))
                at += _place(stop)
                if int(eights[at]) & 255 != _QUOTE:
                    state = _LEFT
                    continue
            else:
                start = at
                stop = _ends_value(int(eights[at]))
                while stop == 0:
                    at += 8
                    stop = _ends_value(int(eights[at]))
                at += _place(stop)
            length = at - start
            if inside:
                at += 1
            if state == _AT_VALUE and inside and action in (NOTHING, TEXT):
                state = _PAST_VALUE
                continue
            first, second, third = _first(int(eights[start]), length), 0, 0
            if length > 8:
                second = _first(int(eights[start + 8]), length - 8)
                if length > 16:
                    third = _first(int(eights[start + 16]), length - 16)
            # What it means, if it is a word.
            meaning = -1
            if state == _AT_KEY or action <= SYMBOL:
                if not inside:
                    state = _LEFT
                    continue
                if length < 24:
                    third |= (level if state == _AT_KEY else argument) << 56
                    spot = (spot_of(first, second, third, salt) & last_spot) * WORD_COLUMNS
                    while words[spot + MEANING] >= 0:
                        if words[spot] == first and words[spot + 1] == second and words[spot + 2] == third:
                            meaning = words[spot + MEANING]
                            break
                        spot = ((spot // WORD_COLUMNS + 1) & last_spot) * WORD_COLUMNS
            if state == _AT_KEY:
                while int(eights[at]) & 255 == _SPACE:
                    at += 1
                state = _AT_VALUE if int(eights[at]) & 255 == _COLON else _LEFT
                at += 1
                if meaning < 0:
                    action = NOTHING
                else:
                    action, argument = meaning & 15, meaning >> 4 & 15
                    if seen >> (meaning >> 8) & 1:
                        state = _LEFT
                    seen |= 1 << (meaning >> 8)
                continue
            # A value, for what its key means.
            state = _PAST_VALUE
            if action == TEXT:
                state = _LEFT
            elif action == NOTHING:
                if length > 24 or not _is_value(first, second, third, length):
                    state = _LEFT
            elif action <= SYMBOL:
                if meaning < 0:
                    state = _LEFT
                elif action == TAG:
                    kind = meaning
                elif action == SYMBOL:
                    rows[row, INSTRUMENT] = meaning
            elif action <= STAMP:
                if first != minute_first or second != minute_second:
                    minute, minute_first, minute_second = _minute(first, second), first, second
                fourth = _first(int(eights[start + 24]), length - 24)
                rest = _within_minute(third, fourth, length, 6 if action == MOMENT else 9)
                if not inside or minute < 0 or rest < 0:
                    state = _LEFT
                elif action == MOMENT:
                    rows[row, TIME] = minute + rest
                else:
                    stamp = minute + rest
            elif inside and not quoted:
                state = _LEFT
            elif action <= QTY:
                value = _number(first, second, third, length)
                if value < 0 or (value == 0 and action == PRICE):
                    state = _LEFT
                values[row, argument] = value
            else:
                count = _count(first, second, third, length)
                if count < 0:
                    state = _LEFT
                elif action == COUNT:
                    rows[row, ID] = count
                elif action == NUMBER:
                    sequence = count
                else:
                    if count < _FIRST_MICROSECOND:
                        count *= 1000
                    if count > _LAST_MICROSECOND:
                        state = _LEFT
                    elif count > 0 and (rows[row, TIME] == NO_TIME or action == TRADED):
                        rows[row, TIME] = count
        # The message as a whole.
        if state == _AT_END:
            while int(eights[at]) & 255 == _SPACE:
                at += 1
        if state == _LEFT or at != end:
            kind = -1
        if kind >= 0:
            for one in range(DEEPEST):
                needed = kinds[kind, one, _NEEDED]
                if levels[one, _LEAST] & needed != needed or levels[one, _MOST] & ~kinds[kind, one, _TAKEN]:
                    kind = -1
                    break
        messages[0, place], messages[1, place] = kind, sequence
        if kind < 0:
            row = first_row
        else:
            read += 1
        for one in range(first_row, row):
            rows[one, PLACE], rows[one, SERIES], rows[one, SHOWN] = place, series[kind], 1
            if rows[one, TIME] == NO_TIME:
                rows[one, TIME] = stamp
        at = end + 1
    return read, row
