"""What compiled loops of several modules count with."""

from __future__ import annotations

import numpy as np

from ltpkit.compiled import compiled

__all__ = ["unsigned"]


@compiled(inline=True)
def unsigned(first: int, end: int, step: int = 1) -> range:
    """Return the numbers from `first` to before `end`, as places in arrays.

    Unsigned, as a signed place is asked each time whether it counts from the end: a loop that copies takes up
    to twice as long with those. What is to be added to one has to be unsigned as well.
    """
    return range(np.uint64(first), np.uint64(end), np.uint64(step))
