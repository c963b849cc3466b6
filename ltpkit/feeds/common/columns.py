"""Where the columns of ticks are in `batch.Ticks.values`."""

from __future__ import annotations

from typing import Final

from ltpkit.schema import FEED_FLOATS

__all__ = ["LINE"]

#: The line of `batch.Ticks.values` for each column.
LINE: Final = {name: line for line, name in enumerate(FEED_FLOATS)}
