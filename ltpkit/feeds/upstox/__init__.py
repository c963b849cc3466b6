"""Upstox's market data feed, version 3: protobuf messages in, batches out.

One message carries many instruments. The schema is written out in `ltpkit.feeds.upstox.wire`, for Google's
``protobuf``. Messages as Upstox sends them are read by compiled loops, whose fields come from there; whatever
is unusual about one, and any damage, goes to protobuf's own parser first, so that a message always means what
it means to that. What cannot be parsed becomes a `Reject`; nothing a broker may send raises.

What a message says about a tick, and what it leaves open:

* A number that is 0 is not sent, so a missing one is 0. Price 0 and last quantity 0 are "absent" and become
  NaN, so does open interest in the cash segments. Volume 0 of a full feed is a volume.
* Prices are rupees. `timestamp` is the last trade's time, milliseconds of true UTC: the only time that comes
  from the exchange. Where it is 0 the row bears its receipt time.
* Open, high and low are those of the day's bar in a full feed; `close_price` is the previous close.
* The greeks, implied volatility, the average price, the totals of the sides, the minute's bar and what
  concerns auctions have no column: `packets` shows them.

**Connecting.** Upstox answers the handshake with a redirect to an address that is good for one connection;
the redirect is followed, so a token is all that is needed, also to connect again. Who has fetched such an
address over REST may give it as ``url=`` instead: it then cannot connect a second time.
"""

from __future__ import annotations

from ltpkit.feeds.upstox.feed import Mode, Upstox
from ltpkit.feeds.upstox.wire import packets

__all__ = ["Mode", "Upstox", "packets"]
