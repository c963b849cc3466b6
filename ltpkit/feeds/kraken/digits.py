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


class Digits:
    """What reads the levels of one pair."""

    __slots__ = ("_price_decimals", "_qty_decimals")

    def __init__(self) -> None:
        self._price_decimals = self._qty_decimals = 0

    def read(self, levels: Sequence[Level]) -> tuple[list[tuple[float, float]], list[tuple[bytes, ...]]]:
        """Return price and quantity of each level, and both cut at their points.

        Raises
        ------
        ValueError
            One is no number from 0 up, or has more digits than any price has.
        """
        numbers: list[tuple[float, float]] = []
        parts: list[tuple[bytes, ...]] = []
        for level in levels:
            price, qty = bytes(level.price), bytes(level.qty)
            whole, _, fraction = price.partition(b".")
            units, _, rest = qty.partition(b".")
            if not (whole + fraction + units + rest).isdigit():
                price, qty = _plain(price), _plain(qty)
                whole, _, fraction = price.partition(b".")
                units, _, rest = qty.partition(b".")
            if len(fraction) > self._price_decimals or len(rest) > self._qty_decimals:
                self._widen(len(fraction), len(rest))
            numbers.append((float(price), float(qty)))
            parts.append((whole, fraction, units, rest))
        if numbers and isinf(max(map(max, numbers))):
            raise ValueError("a price or quantity beyond any number")
        return numbers, parts

    def marks(self, parts: Sequence[tuple[bytes, ...]]) -> list[bytes]:
        """Return what each level adds to the text of the checksum."""
        p, q = self._price_decimals, self._qty_decimals
        return [
            (whole + fraction.ljust(p, b"0")).lstrip(b"0") + (units + rest.ljust(q, b"0")).lstrip(b"0")
            for whole, fraction, units, rest in parts
        ]

    def _widen(self, price_decimals: int, qty_decimals: int) -> None:
        if max(price_decimals, qty_decimals) > _MOST:
            raise ValueError(f"a price or quantity with more than {_MOST} decimals")
        self._price_decimals = max(self._price_decimals, price_decimals)
        self._qty_decimals = max(self._qty_decimals, qty_decimals)


def _plain(sent: bytes) -> bytes:
    """Return a number without exponent: who writes numbers anew may write 1e-06."""
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
