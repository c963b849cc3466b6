"""The odd rows of a batch: why they are odd, and what that keeps them out of."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

__all__ = ["LEFT_OUT", "REASONS", "Suspects"]

#: Why a row is odd. Its place here is the reason's code; 0 is nothing odd.
REASONS: Final = ("", "future", "price", "another day", "jump", "late", "repeated", "duplicate")

#: What keeps a row out of bars, changes and the newest values. The view ``believed_ticks`` says the same.
LEFT_OUT: Final = ("price", "future", "another day", "jump", "duplicate")

_LEAVES_OUT: Final = np.array([why in LEFT_OUT for why in REASONS])  # by code


class Suspects(msgspec.Struct):
    """The odd rows of a batch.

    Attributes
    ----------
    rows : dict of str to list of int
        Places in the batch for each reason, rising.
    left_out : ndarray of bool, shape (n,), or None
        Which rows bars, changes and the newest values leave out; None where none.
    """

    rows: dict[str, list[int]]
    left_out: npt.NDArray[np.bool_] | None

    @classmethod
    def of(cls, codes: npt.NDArray[np.uint8]) -> Suspects:
        """Return the rows that have a code other than 0."""
        left_out = _LEAVES_OUT[codes]
        rows = {why: np.flatnonzero(codes == code).tolist() for code, why in enumerate(REASONS) if code}
        return cls(
            rows={why: places for why, places in rows.items() if places},
            left_out=left_out if left_out.any() else None,
        )
