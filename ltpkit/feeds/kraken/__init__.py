"""Kraken's public spot feed, WebSocket version 2: JSON text in, batches out."""

from ltpkit.feeds.kraken.feed import Kraken

__all__ = ["Kraken"]
