"""The built-in exchange: a seeded market that speaks Dhan's binary protocol over a WebSocket.

`Market` makes the packets, `SimulatedExchange` serves them from a thread of its own. The default
feed, ``simulated``, connects to one, so the default path exercises the codec that production uses.
"""

from __future__ import annotations

from ltpkit.simulator.market import Market
from ltpkit.simulator.server import SimulatedExchange, run

__all__ = ["Market", "SimulatedExchange", "run"]
