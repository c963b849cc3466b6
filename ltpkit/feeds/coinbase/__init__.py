"""Coinbase's public market feeds, Exchange and Advanced Trade: JSON text in, batches out."""

from ltpkit.feeds.coinbase.feed import Coinbase

__all__ = ["Coinbase"]
