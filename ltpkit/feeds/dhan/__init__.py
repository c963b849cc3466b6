"""Dhan's live market feed, version 2: packed little-endian packets in, batches out.

Every message holds one or more packets, each behind an 8-byte header. All packets that arrived
together are read by compiled loops, whatever their kinds. What cannot be read becomes a `Reject`; nothing
a broker may send raises.

What a packet says about a tick, and what it leaves open:

* Trade times are seconds of *Indian wall clock* counted as if they were UTC; 19800 s come off.
  Time 0 is "no time", and the row then bears its receipt time, as do open interest and previous
  close packets, which carry none.
* Prices are float32 rupees. They are rounded to the instrument's tick size; where that is unknown,
  or does not explain the price, to the fewest decimals that float32 can tell apart, at most 4.
* Price 0 is "absent" and becomes NaN, so does last quantity 0, an index's volume, and open interest
  in the cash segments. An all-zero level is an empty one.
* *Close* is the previous trading day's, as Dhan's support says, not its documentation. The previous
  day's open interest in a previous close packet is not today's: it is not kept. Nor are the average
  price and the total quantities, which have no column; `packets` shows them.
"""

from __future__ import annotations

from ltpkit.feeds.dhan.feed import Dhan, Mode, Simulated
from ltpkit.feeds.dhan.pieces import packets
from ltpkit.feeds.dhan.wire import IST_OFFSET_S

__all__ = ["IST_OFFSET_S", "Dhan", "Mode", "Simulated", "packets"]
