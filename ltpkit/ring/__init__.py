"""Recent rows as a ring of append-only chunks in Arrow's own layout.

One thread, the feed's, appends; it writes only past the published length and then publishes with
one assignment. What is published never changes, so a snapshot is a slice that costs no copy, in
any thread, for as long as anyone keeps it. A full chunk is sealed; the oldest leaves when the
capacity is passed *and* its rows are stored. When storing cannot keep up, twice the capacity is
held and then the oldest rows do leave, counted in `lost_rows` and told to `on_loss`.

`TickRing` holds ticks, with the change from the tick before worked out on arrival and a table of
each instrument's newest values; `DepthRing` holds books; `EventLog` holds events and `RejectLog` what
could not be decoded.
"""

from __future__ import annotations

from ltpkit.ring.depth import DepthRing
from ltpkit.ring.events import EventLog
from ltpkit.ring.rejects import RejectLog
from ltpkit.ring.ticks import TickRing

__all__ = ["DepthRing", "EventLog", "RejectLog", "TickRing"]
