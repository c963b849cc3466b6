"""Messages in one piece of memory, each behind its length, for compiled loops to walk through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

__all__ = ["at_any_byte", "gathered"]

_encode: Final = msgspec.msgpack.Encoder().encode


def gathered(messages: Sequence[bytes], spare: int) -> tuple[bytes, int]:
    """Return the messages in one piece, and where the first of them is with its length.

    They are written as MessagePack has byte strings: 0xC4, 0xC5 or 0xC6, then the length in 1, 2 or 4 bytes,
    the highest first, then the message; the next one right behind it. Behind the last one there are `spare`
    bytes and more, so that a record of that size may be read at any byte. One call of msgspec: a quarter of
    the time that joining and asking each for its length takes.
    """
    count = len(messages)
    # A list of two, both the messages and what is spare: one byte, then the number of messages in 1, 3 or 5.
    return _encode((messages, bytes(spare))), 2 if count < 2**4 else 4 if count < 2**16 else 6


def at_any_byte(joined: bytes, layout: np.dtype[np.void]) -> npt.NDArray[np.void]:
    """Return the bytes as records of a layout: one that starts at each of them."""
    # By place, as names cost numpy half as much again.
    return np.ndarray((len(joined) - layout.itemsize + 1,), layout, joined, 0, (1,))
