"""Angel One's SmartStream: packed little-endian packets in, batches out.

A message holds one packet, and all that arrived together are read by compiled loops. What cannot be read
becomes a `Reject`; nothing a broker may send raises. Text comes on the same connection: ``pong`` answers
our ``ping`` and becomes nothing, errors of requests become events.

What a packet says about a tick, and what it leaves open:

* Prices are whole numbers, multiplied by 100; by 10,000,000 in the currency segment.
* `timestamp` is the exchange's time, milliseconds of true UTC; the receipt time where that is 0 or no
  time at all. The last trade's time has no column, and its unit is not certain.
* The side of a level is told by its flag, 1 for buy, wherever in the packet it stands. Depth packets of
  twenty levels have no flags: buys come first.
* Price 0 and last quantity 0 are "absent" and become NaN, so does open interest in the cash segments and
  volume of an index.
* A depth packet of twenty levels has no price: its tick says bid and ask only.
* The totals of the sides, the average price, the circuit and yearly limits have no column, and the change
  of open interest is documented as garbage: `packets` shows them.
"""

from __future__ import annotations

from ltpkit.feeds.angelone.feed import AngelOne, Mode
from ltpkit.feeds.angelone.split import packets

__all__ = ["AngelOne", "Mode", "packets"]
