"""What other programs get of one stream: subscriptions by id, their state, and their updates.

The notebook, the API and the dashboard drive the same `RealTimeSyncService`. It knows no HTTP.
"""

from __future__ import annotations

from ltpkit.service.core import RealTimeSyncService
from ltpkit.service.delivery import Delivery
from ltpkit.service.outlet import Outlet
from ltpkit.service.subscriptions import Subscription
from ltpkit.service.updates import LTPUpdate

__all__ = ["Delivery", "LTPUpdate", "Outlet", "RealTimeSyncService", "Subscription"]
