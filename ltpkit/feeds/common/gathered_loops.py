"""Where messages are that `gathered` put into one piece of memory, for compiled loops."""

from __future__ import annotations

from ltpkit.compiled import compiled

__all__ = ["message_at"]


@compiled(inline=True)
def message_at(joined: bytes, at: int) -> tuple[int, int]:
    """Return where the message begins and ends whose length is at `at`."""
    width = 1 << (joined[at] & 3)
    size = 0
    for place in range(at + 1, at + 1 + width):
        size = size << 8 | joined[place]
    return at + 1 + width, at + 1 + width + size
