"""How many events may be told of at once, where there could be any number: so many a second.

Pure. What is beyond them is gathered by who has it, and told when the second is over: so events grow with
time, not with what arrives.
"""

from __future__ import annotations

from typing import Final

__all__ = ["Allowance"]

_SECOND_US: Final = 1_000_000
_NEVER: Final = -(2**62)


class Allowance:
    """So many events for each second, by the times of what arrives.

    A second begins with the first time after the one before was over. A time before it began ends it as well:
    a clock that was set back holds nothing up.

    Parameters
    ----------
    a_second : int
        How many events each second has.

    Examples
    --------
    >>> allowance = Allowance(1)
    >>> allowance.renewed(10), allowance.take(), allowance.take()
    (True, True, False)
    >>> allowance.renewed(999_999), allowance.renewed(1_000_010), allowance.take()
    (False, True, True)
    """

    def __init__(self, a_second: int) -> None:
        self._a_second = self._left = a_second
        self._began = _NEVER

    def renewed(self, at: int) -> bool:
        """Return whether a second is over at this time (µs), and begin the next one if so."""
        if 0 <= at - self._began < _SECOND_US:
            return False
        self._began, self._left = at, self._a_second
        return True

    def take(self) -> bool:
        """Return whether the second has an event left, and count it."""
        if not self._left:
            return False
        self._left -= 1
        return True
