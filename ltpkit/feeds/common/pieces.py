"""What of some messages cannot be read, as feeds gather it and as they hand it over."""

from __future__ import annotations

from collections.abc import Iterable

from ltpkit.batch import Received, Reject

__all__ = ["Odd", "receipt", "rejects"]

#: What could not be read: number of the message, reason, bytes.
Odd = tuple[int, str, bytes]


def receipt(received_at: Received, frame: int) -> int:
    """Return when a frame arrived, µs UTC."""
    return received_at if isinstance(received_at, int) else int(received_at[frame])


def rejects(odd: Iterable[Odd], received_at: Received) -> list[Reject]:
    """Return what could not be read as it is handed over."""
    return [
        Reject(received_at=receipt(received_at, frame), reason=reason, frame=piece)
        for frame, reason, piece in odd
    ]
