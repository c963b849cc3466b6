"""Binance's public streams, spot and USD-M: trades, best quotes and order books, without an account."""

from __future__ import annotations

from ltpkit.feeds.binance.feed import Binance

__all__ = ["Binance"]
