"""Coinbase's products as the stream's instruments."""

from __future__ import annotations

import re
from typing import Final

from ltpkit.errors import UnknownInstrument
from ltpkit.feeds.common.plain import Form
from ltpkit.instrument import Instrument, Instruments, split_symbol

__all__ = ["Products"]

_EXCHANGE: Final = "COINBASE"
_PRODUCT: Final = re.compile(r"(?=.{3,40}\Z)[A-Za-z0-9.]+(-[A-Za-z0-9.]+)+")


class Products(dict[str, int]):
    """Product on the wire to the instrument's number; a new product is added on sight."""

    def __init__(self, instruments: Instruments, segment: str, form: Form) -> None:
        self._instruments, self._segment = instruments, segment
        #: Of the messages that the products stand in.
        self.form = form

    def __setitem__(self, product: str, number: int) -> None:
        super().__setitem__(product, number)
        self.form.learn(product, number)

    def __missing__(self, product: str) -> int:
        if not _PRODUCT.fullmatch(product):
            raise ValueError(f"{product[:40]!r} cannot be a product")
        number = self._instruments.meet(self.instrument(product))
        if number is None:
            return self._instruments.rest()
        self[product] = number
        return number

    def instrument(self, product: str) -> Instrument:
        """Return the product as an instrument."""
        return Instrument(exchange=_EXCHANGE, symbol=product, segment=self._segment, broker_id=product)

    def number(self, instrument: Instrument) -> int:
        """Return an instrument's own number, whatever the wire calls it."""
        return self._instruments.add(instrument)

    def resolve(self, symbol: str) -> Instrument:
        """Return what a user means by ``BTC-USD`` or ``COINBASE:BTC-USD``."""
        exchange, name = split_symbol(symbol, exchange=_EXCHANGE)
        name = name.upper()
        if exchange == _EXCHANGE and _PRODUCT.fullmatch(name):
            return self.instrument(name)
        likely = re.sub(r"[\s/_]+", "-", name)
        raise UnknownInstrument(
            symbol,
            f"Coinbase {self._segment}",
            [f"{_EXCHANGE}:{likely}"] if _PRODUCT.fullmatch(likely) else [],
            try_=f"Products are written with a hyphen, as {_EXCHANGE}:BTC-USD.",
        )
