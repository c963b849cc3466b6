"""Zerodha's Kite ticker, version 3: packed big-endian packets in, batches out.

A message holds one packet or many, and all that arrived together are read by compiled loops. What
cannot be read becomes a `Reject`; nothing a broker may send raises. Text comes on the same connection
(postbacks of orders, errors, notices) and becomes events; one byte alone is Kite's sign of life and
becomes nothing.

What a packet says about a tick, and what it leaves open:

* Prices are whole numbers, multiplied by 100; by 10,000,000 in NSE's currency segment and by 10,000
  in BSE's and in NSE's commodity segment. Prices are signed, quantities are not.
* Times are seconds of true UTC. `timestamp` is the exchange's time of a full packet, or the time of
  the last trade where that is 0, or the receipt time where both are, as in packets without times.
* Price 0 and last quantity 0 are "absent" and become NaN, so does open interest in the cash segments.
* *Close* is the previous close during the market day; after the close it is the day's own.
* The average price, the totals of the sides, the range of the open interest and an index's change have
  no column: `packets` shows them.
"""

from __future__ import annotations

from ltpkit.feeds.kite.feed import Kite, Mode
from ltpkit.feeds.kite.split import packets

__all__ = ["Kite", "Mode", "packets"]
