"""What feeds answer alike: whether a setting is one of theirs, whether a close is final, no snapshots."""

from __future__ import annotations

from collections.abc import Sequence

from ltpkit.batch import BookUpdate
from ltpkit.errors import SettingError
from ltpkit.instrument import Instrument

__all__ = ["PublicStream", "StreamedBooks", "check_choice"]


def check_choice(feed: str, setting: str, chosen: str, choices: Sequence[str]) -> None:
    """Raise `SettingError` unless `chosen` is among the choices of this setting, such as ``mode``."""
    if chosen not in choices:
        listed = ", ".join(choices)
        raise SettingError(f"The {feed} feed has no {setting} {chosen!r}. {setting.capitalize()}s: {listed}.")


class StreamedBooks:
    """A feed whose whole books come with the stream: there is nothing to fetch."""

    def snapshot_address(self, instrument: Instrument) -> str | None:
        """Return None: the stream itself sends whole books."""
        return None

    def decode_snapshot(self, instrument: Instrument, body: bytes, received_at: int) -> BookUpdate:
        """Raise `ValueError`: there are no snapshots to decode."""
        raise ValueError(f"The book of {instrument.name} comes with the stream; it has no snapshot answers.")


class PublicStream:
    """An exchange's stream that needs no account."""

    def closed(self, code: int, reason: str) -> str:
        """Return ``"retry"`` or ``"stop"`` for a WebSocket close code or an HTTP status.

        Too many requests (429) and trouble on the server's side pass, and so does every WebSocket close.
        What else HTTP refuses (4xx) will be refused again: a wrong path, an address that is banned (418),
        a country that is not served (451).
        """
        return "stop" if 400 <= code < 500 and code not in (408, 425, 429) else "retry"
