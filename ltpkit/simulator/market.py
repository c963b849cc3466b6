"""A believable market made from a seed: packets of trades and books, no socket and no clock.

Prices follow a common factor, their sector and their own news, all drawn gently back to where they
started, so that a market can run for weeks. Trades come in clusters: most are followed by others of
the same share. The five levels of a book keep their quantities while the price moves over them.

A market advances by its events, never by the clock: the same seed gives the same packets byte for
byte, however fast and in whatever portions they are taken. The trade time is the taker's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ltpkit import nifty
from ltpkit.errors import UnknownInstrument
from ltpkit.feeds.dhan.wire import FULL, PREV_CLOSE, SEGMENT_CODES

__all__ = ["BLOCK", "Market"]

#: Events made at a time. Part of what a seed means: another size makes another market.
BLOCK: Final = 4096

_BP: Final = 1e-4
# Moves per event of the whole market, in basis points; a share's own news per event of its own.
# At 250 ticks a second this comes to about 1 % an hour.
_COMMON, _SECTOR, _OWN = 0.08 * _BP, 0.08 * _BP, 0.7 * _BP
#: Share of the distance to the start that is taken back in each block; deviations stay near 2 %.
_PULL: Final = 0.001
#: News of a share come so often per event, move it by so much, and with each of its trades this part of
#: what they still have to say is in the price: half after 14 trades, never all at once.
_NEWS_RATE, _NEWS_LEAST, _NEWS_MOST, _NEWS_TAKEN_IN = 2e-5, 30 * _BP, 80 * _BP, 0.05
#: No move is further out than so many of its scales.
_FURTHEST: Final = 12.0
_LEVELS: Final = np.arange(5)
_MOST_U16, _MOST_U32 = 2**16 - 1, 2**32 - 1

_Ints = npt.NDArray[np.int64]
_Floats = npt.NDArray[np.float64]


def _scrambled(*parts: _Ints) -> npt.NDArray[np.uint64]:
    """Return 64 bits for each tuple of whole numbers that look random and never change (splitmix64)."""
    bits = np.uint64(0x9E37_79B9_7F4A_7C15)
    mixed = np.zeros(1, np.uint64)
    for part in parts:
        mixed = (mixed ^ part.astype(np.uint64)) + bits
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58_476D_1CE4_E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D0_49BB_1331_11EB)
        mixed ^= mixed >> np.uint64(31)
    return mixed


class _ByShare:
    """Running sums and extremes within each share's own events, in one pass over all."""

    def __init__(self, share: _Ints) -> None:
        self._order = share.argsort(kind="stable")
        found, self._first, counts = np.unique(share[self._order], return_index=True, return_counts=True)
        self.shares: _Ints = found
        self.last = self._order[self._first + counts - 1]
        self._group = np.repeat(np.arange(len(found)), counts)

    def _put_back(self, in_order: npt.NDArray[Any]) -> npt.NDArray[Any]:
        out = np.empty_like(in_order)
        out[self._order] = in_order
        return out

    def cumsum(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        ordered = values[self._order]
        running = ordered.cumsum()
        before = running[self._first] - ordered[self._first]
        return self._put_back(running - before[self._group])

    def highest(self, values: _Ints, so_far: _Ints) -> _Ints:
        ordered = values[self._order]
        ordered[self._first] = np.maximum(ordered[self._first], so_far[self.shares])
        lift = self._group << 40  # lifts each share above the one before: no maximum carries over
        return self._put_back(np.maximum.accumulate(ordered + lift) - lift)

    def lowest(self, values: _Ints, so_far: _Ints) -> _Ints:
        return -self.highest(-values, -so_far)


class Market:
    """Fifty shares that trade, one event after the other.

    Parameters
    ----------
    seed : int
        Which market.
    symbols : iterable of str, optional
        Only these of `nifty.LISTING`; another set makes another market.
    volatility : float
        Multiplies every price move.

    Attributes
    ----------
    listing : tuple of nifty.Listed
        The shares, in the order of their numbers.
    taken : int
        How many events were taken so far.
    """

    def __init__(
        self, seed: int = 7, symbols: Iterable[str] | None = None, *, volatility: float = 1.0
    ) -> None:
        by_symbol = {share.symbol: share for share in nifty.LISTING}
        if symbols is not None:
            chosen = {symbol.removeprefix("NSE:") for symbol in symbols}
            for symbol in sorted(chosen - by_symbol.keys()):
                raise UnknownInstrument(symbol, "the simulated market", by_symbol)
            by_symbol = {symbol: share for symbol, share in by_symbol.items() if symbol in chosen}
        self.listing = tuple(by_symbol.values())
        self._random = np.random.default_rng(seed)
        self._volatility = volatility

        count = len(self.listing)
        draw = self._random
        sectors = sorted({share.sector for share in self.listing})
        self._sector_of = np.array([sectors.index(share.sector) for share in self.listing])
        self._ids = np.array([share.security_id for share in self.listing], np.uint32)
        self._tick = np.array([share.tick_size for share in self.listing])
        self._start = np.array([share.price for share in self.listing]) / self._tick
        self._weight = np.array([share.weight for share in self.listing])
        self._beta = draw.uniform(0.7, 1.3, count)
        # About 400,000 rupees wait at a level, and a spread of 1.5 basis points is usual.
        self._usual_qty = np.maximum(4e5 / (self._start * self._tick), 4)
        self._usual_spread = np.maximum(np.rint(self._start * 1.5 * _BP), 1).astype(np.int64)
        self._band = np.where(self._weight >= 1, 0.20, 0.10)

        self._common = draw.normal(0, 60 * _BP * volatility)
        self._sector = draw.normal(0, 40 * _BP * volatility, len(sectors))
        self._own = draw.normal(0, 60 * _BP * volatility, count)
        self._untold = np.zeros(count)  # what news have yet to do to each price
        self._attention = np.zeros(count)
        self._seen = np.zeros(count, np.int64)
        self.taken = 0
        self._now = 0.0
        self._open_day(np.rint(self._start).astype(np.int64))

    def __repr__(self) -> str:
        return f"<Market: {len(self.listing)} shares, {self.taken} events so far>"

    # --- days

    def _open_day(self, close: _Ints) -> None:
        """Begin a day after this close: limits around it, and an auction that sets the open."""
        draw = self._random
        count = len(self.listing)
        self._close = close
        self._lower = np.ceil(close * (1 - self._band)).astype(np.int64)
        self._upper = np.floor(close * (1 + self._band)).astype(np.int64)
        deviation = self._beta * self._common + self._sector[self._sector_of] + self._own
        every = np.arange(count)
        volume = np.rint(self._usual_qty * draw.uniform(5, 20, count)).astype(np.int64)
        price, spread, bid = self._quotes(every, deviation, draw.random(count), draw.random(count))
        self._open = self._high = self._low = price
        self._volume = volume
        self._value = price * self._tick * volume
        self._last = self._packets(
            every, price, np.minimum(volume, _MOST_U16), bid, spread, self._seen, _ByShare(every), first=True
        )
        self._block = self._last[:0]
        self._shares = every[:0]
        self._times = np.zeros(0)
        self._at = 0

    def new_day(self) -> None:
        """End the day: what traded last is the previous close, and totals start again.

        What was already made for the old day is left out, so the market opens a little elsewhere.
        """
        closes = np.rint(self._last["ltp"].astype(np.float64) / self._tick).astype(np.int64)
        self._open_day(closes)

    # --- events

    def due(self, when: float) -> int:
        """Return how many events happen until market time `when`, at most to the block's end.

        Market time counts events at their average pace: event 1000 happens around time 1000, within
        a burst earlier, in a lull later.
        """
        if self._at == len(self._block):
            self._make_block()
        return int(self._times[self._at :].searchsorted(when, side="right"))

    @property
    def next_time(self) -> float:
        """When the next event happens, in market time."""
        if self._at == len(self._block):
            self._make_block()
        return float(self._times[self._at])

    def take(self, count: int, trade_time: int = 0) -> tuple[npt.NDArray[Any], _Ints]:
        """Return the next events, as full packets, and the numbers of their shares.

        Parameters
        ----------
        count : int
            How many.
        trade_time : int
            For all of them, as Dhan writes it: seconds of Indian wall clock.

        Returns
        -------
        ndarray of wire.FULL, shape (count,)
            The caller's to keep.
        ndarray of int64, shape (count,)
            Places in `listing`.
        """
        packets: list[npt.NDArray[Any]] = [self._block[:0]]
        shares = [self._shares[:0]]
        while count > 0:
            if self._at == len(self._block):
                self._make_block()
            end = min(self._at + count, len(self._block))
            count -= end - self._at
            packets.append(self._block[self._at : end])
            shares.append(self._shares[self._at : end])
            self._at = end
        taken, who = np.concatenate(packets), np.concatenate(shares)
        if not len(who):
            return taken, who
        self.taken += len(who)
        self._now = float(self._times[self._at - 1])
        taken["ltt"] = trade_time
        self._last[who] = taken  # of several events of one share the last stays
        return taken, who

    def snapshot(self, shares: npt.ArrayLike) -> npt.NDArray[Any]:
        """Return each share's newest full packet, traded or at the day's opening."""
        found: npt.NDArray[Any] = self._last[np.asarray(shares, np.int64)]
        return found

    def previous_closes(self, shares: npt.ArrayLike) -> npt.NDArray[Any]:
        """Return each share's previous close packet, of `wire.PREV_CLOSE`."""
        which = np.asarray(shares, np.int64)
        packets = np.zeros(len(which), PREV_CLOSE)
        packets["code"], packets["length"] = 6, PREV_CLOSE.itemsize
        packets["segment"], packets["security_id"] = SEGMENT_CODES[nifty.SEGMENT], self._ids[which]
        packets["prev_close"] = self._close[which] * self._tick[which]
        return packets

    def limits(self) -> tuple[_Floats, _Floats]:
        """Return each share's lower and upper circuit limit today, in rupees."""
        return self._lower * self._tick, self._upper * self._tick

    # --- making events

    def _make_block(self) -> None:
        draw, n = self._random, BLOCK
        share, clustered = self._who_trades()
        by_share = _ByShare(share)

        self._common *= 1 - _PULL
        self._sector *= 1 - _PULL
        self._own *= 1 - _PULL
        scale = self._volatility / np.sqrt(2)  # Student's t of 4 degrees has a variance of 2
        common = self._common + (self._shocks() * _COMMON * scale).cumsum()
        sector = np.zeros((n, len(self._sector)))
        sectors = self._sector_of[share]
        # Each trade moves its own sector only, so a move must weigh for those it replaces.
        weight = _SECTOR * scale * np.sqrt(len(self._sector))
        sector[np.arange(n), sectors] = self._shocks() * weight
        sector = sector.cumsum(axis=0) + self._sector
        trades = by_share.cumsum(np.ones(n, np.int64))
        news = share[draw.random(n) < _NEWS_RATE]
        size = draw.choice([-1, 1], len(news)) * draw.uniform(_NEWS_LEAST, _NEWS_MOST, len(news))
        np.add.at(self._untold, news, size)
        untold = self._untold[share] * (1 - _NEWS_TAKEN_IN) ** trades
        move = by_share.cumsum(self._shocks() * _OWN * scale)
        own = self._own[share] + move + self._untold[share] - untold

        deviation = self._beta[share] * common + sector[np.arange(n), sectors] + own
        price, spread, bid = self._quotes(share, deviation, draw.random(n), draw.random(n))
        big = np.where(draw.random(n) < 0.01, 20.0, 1.0)
        ltq = 1 + (draw.exponential(0.08, n) * self._usual_qty[share] * big).astype(np.int64)
        ltq = np.minimum(ltq, _MOST_U16)
        seen = self._seen[share] + trades

        self._block = self._packets(share, price, ltq, bid, spread, seen, by_share)
        self._shares = share
        self._times = self._when(clustered) + self._now
        self._at = 0
        self._common, self._sector = float(common[-1]), sector[-1]
        self._own[by_share.shares] = own[by_share.last]
        self._untold[by_share.shares] = untold[by_share.last]
        self._seen[by_share.shares] = seen[by_share.last]

    def _shocks(self) -> _Floats:
        """Return a block's moves in their scale: mostly small, a few large, none beyond `_FURTHEST`."""
        return self._random.standard_t(4, BLOCK).clip(-_FURTHEST, _FURTHEST)

    def _who_trades(self) -> tuple[_Ints, npt.NDArray[np.bool_]]:
        """Return the share of each event, and which events follow from an earlier one."""
        draw, n = self._random, BLOCK
        self._attention = 0.9 * self._attention + draw.normal(0, 0.35, len(self._attention))
        weight = (self._weight * np.exp(self._attention)).cumsum()
        fresh = weight.searchsorted(draw.random(n) * weight[-1], side="right")
        follows = draw.random(n) < 0.55
        cause = np.arange(n) - draw.geometric(0.08, n)
        follows &= cause >= 0
        root = np.where(follows, cause, np.arange(n))
        for _ in range(n.bit_length()):  # each pass doubles how far back a chain of causes is followed
            root = root[root]
        return fresh[root].astype(np.int64), follows

    def _when(self, clustered: npt.NDArray[np.bool_]) -> _Floats:
        """Return the events' times from 0 to `BLOCK`: bursts and lulls, the same pace on average."""
        draw, n = self._random, BLOCK
        mood = np.convolve(draw.normal(0, 0.25, n // 64 + 7), np.ones(8), "valid")
        gaps = draw.exponential(1.0, n) * np.exp(np.repeat(mood, 64)) * np.where(clustered, 0.4, 1.7)
        times = np.minimum(gaps, 6.0).cumsum()
        scaled: _Floats = times * (n / times[-1])
        return scaled

    def _quotes(
        self, share: _Ints, deviation: _Floats, wide: _Floats, side: _Floats
    ) -> tuple[_Ints, _Ints, _Ints]:
        """Return last price, spread and best bid in ticks, within the day's limits.

        At the upper limit only buyers are left: the bid stands at the limit and the ask beyond it,
        where `_packets` leaves it out. The other way round at the lower limit.
        """
        lower, upper = self._lower[share], self._upper[share]
        fair = self._start[share] * np.exp(deviation)
        spread = self._usual_spread[share] + (wide < 0.25) + (wide < 0.05)
        bid = np.floor(fair - spread / 2 + 0.5).astype(np.int64)
        bid = np.where(fair >= upper, upper, np.where(fair <= lower, lower - spread, bid))
        bid = np.clip(bid, lower - spread, upper)
        ask = bid + spread
        buyer = ((side < 0.5) & (ask <= upper)) | (bid < lower)
        return np.where(buyer, ask, bid), spread, bid

    def _packets(
        self,
        share: _Ints,
        price: _Ints,
        ltq: _Ints,
        bid: _Ints,
        spread: _Ints,
        seen: _Ints,
        by_share: _ByShare,
        *,
        first: bool = False,
    ) -> npt.NDArray[Any]:
        """Return full packets, and carry the day's totals on."""
        packets = np.zeros(len(share), FULL)
        packets["code"], packets["length"] = 8, FULL.itemsize
        packets["segment"], packets["security_id"] = SEGMENT_CODES[nifty.SEGMENT], self._ids[share]
        tick = self._tick[share]
        if not first:
            volume = self._volume[share] + by_share.cumsum(ltq)
            value = self._value[share] + by_share.cumsum(price * tick * ltq)
            high, low = by_share.highest(price, self._high), by_share.lowest(price, self._low)
            last, shares = by_share.last, by_share.shares
            self._volume, self._value = self._volume.copy(), self._value.copy()
            self._high, self._low = self._high.copy(), self._low.copy()
            self._volume[shares], self._value[shares] = volume[last], value[last]
            self._high[shares], self._low[shares] = high[last], low[last]
        else:
            volume, value, high, low = self._volume, self._value, self._high, self._low
        packets["ltp"], packets["ltq"] = price * tick, ltq
        packets["average_price"] = value / volume
        packets["volume"] = np.minimum(volume, _MOST_U32)
        packets["open"], packets["close"] = self._open[share] * tick, self._close[share] * tick
        packets["high"], packets["low"] = high * tick, low * tick

        depth = packets["depth"]
        for name, levels in (("bid", bid[:, None] - _LEVELS), ("ask", (bid + spread)[:, None] + _LEVELS)):
            there = (levels >= self._lower[share, None]) & (levels <= self._upper[share, None])
            # What waits at a price depends on the price, so it stays while the market moves past; it
            # changes every eighth event, for each price at another one.
            bits = _scrambled(share[:, None], levels, (seen[:, None] + levels * 3) >> 3)
            luck = (bits >> np.uint64(40)).astype(np.float64) / 2**24
            qty = 1 + (self._usual_qty[share, None] * (0.1 + 2.4 * luck * luck)).astype(np.int64)
            orders = np.minimum(1 + (bits & np.uint64(15)).astype(np.int64), qty)
            depth[f"{name}_price"] = np.where(there, levels * tick[:, None], 0)
            depth[f"{name}_qty"] = np.where(there, qty, 0)
            depth[f"{name}_orders"] = np.where(there, orders, 0)
            total = "total_buy_qty" if name == "bid" else "total_sell_qty"
            packets[total] = np.where(there, qty, 0).sum(axis=1) * 37
        return packets
