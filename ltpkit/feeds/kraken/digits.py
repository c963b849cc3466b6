"""Levels as Kraken sends them: their numbers, and the digits that its checksum is of.

A level adds its price's digits and its quantity's, without point and leading zeros. Trailing zeros
count, and Kraken sends them: every price and quantity of a pair has the same decimals. Whoever reads
numbers and writes them again loses them (some recorders do), so the most decimals seen of a pair are
taken for its decimals and shorter numbers filled up; where none were lost that changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from math import isinf
from typing import Final

from ltpkit.feeds.kraken.wire import Level

__all__ = ["Digits"]

_MOST: Final = 20  # decimals; Kraken's instruments have up to 12
_KEPT: Final = 20_000  # prices of a pair


#: Price and quantity of each level, and what it adds to the text of the checksum.
_Side = tuple[list[tuple[float, float]], list[bytes]]


class Digits:
    """What reads the levels of one pair, from a whole book on."""

    __slots__ = ("_decimals", "_prices", "_qty_decimals")

    def __init__(self) -> None:
        self._decimals = self._qty_decimals = 0
        self._prices: dict[bytes, tuple[float, bytes]] = {}  # the same ones come again and again

    def read(self, bids: Sequence[Level], asks: Sequence[Level]) -> tuple[_Side, _Side]:
        """Return what both sides of a message say.

        Raises
        ------
        ValueError
            A price or quantity is no number from 0 up, or has more digits than any has.
        """
        before = self._decimals, self._qty_decimals
        sides = self._side(bids), self._side(asks)
        if before != (self._decimals, self._qty_decimals):
            sides = self._side(bids), self._side(asks)  # with what has become known of the decimals
        return sides

    def _side(self, levels: Sequence[Level]) -> _Side:
        numbers: list[tuple[float, float]] = []
        marks: list[bytes] = []
        known = self._prices
        for level in levels:
            sent, qty = bytes(level.price), bytes(level.qty)
            price = known.get(sent)
            if price is None:
                price = self._new_price(sent)
            whole, _, fraction = qty.partition(b".")
            digits = whole + fraction
            if len(fraction) != self._qty_decimals or not digits.isdigit():
                qty, digits = self._odd_qty(qty)
            numbers.append((price[0], float(qty)))
            marks.append(price[1] + digits.lstrip(b"0"))
        if numbers and isinf(max(map(max, numbers))):
            raise ValueError("a price or quantity beyond any number")
        return numbers, marks

    def _new_price(self, sent: bytes) -> tuple[float, bytes]:
        price = _plain(sent)
        whole, _, fraction = price.partition(b".")
        if len(fraction) > self._decimals:
            self._decimals = _checked(len(fraction))
            self._prices.clear()
        if len(self._prices) >= _KEPT:
            self._prices.clear()
        found = self._prices[sent] = (
            float(price),
            (whole + fraction.ljust(self._decimals, b"0")).lstrip(b"0"),
        )
        return found

    def _odd_qty(self, sent: bytes) -> tuple[bytes, bytes]:
        """Return a quantity and its digits where it has not the usual form."""
        qty = _plain(sent)
        whole, _, fraction = qty.partition(b".")
        if len(fraction) > self._qty_decimals:
            self._qty_decimals = _checked(len(fraction))
        return qty, whole + fraction.ljust(self._qty_decimals, b"0")


def _checked(decimals: int) -> int:
    if decimals > _MOST:
        raise ValueError(f"a price or quantity with more than {_MOST} decimals")
    return decimals


def _plain(sent: bytes) -> bytes:
    """Return a number without exponent: who writes numbers anew may write 1e-06."""
    if sent.replace(b".", b"", 1).isdigit():
        return sent
    try:
        number = Decimal(sent.decode("ascii"))
    except (InvalidOperation, UnicodeDecodeError):
        number = Decimal("NaN")
    if not number.is_finite() or number.is_signed():
        raise ValueError(f"{sent[:40]!r} is no price or quantity")
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    if not -_MOST <= exponent <= _MOST:
        raise ValueError(f"{sent[:40]!r} is no price or quantity")
    return format(number, "f").encode()
