"""The controls of a live stream: a symbol picker with search, what is subscribed, start, stop, reconnect."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self, cast

from ltpkit.errors import SettingError
from ltpkit.views.view import Message, View

if TYPE_CHECKING:
    from ltpkit.live import Stream

__all__ = ["Controls"]

_ACTIONS: Final = ("subscribe", "unsubscribe", "start", "stop", "reconnect")
_FOUND: Final = 8


class Controls(View):
    """The controls of a stream.

    Besides its options, ``choose`` takes ``subscribe="INFY"``, ``unsubscribe="INFY"``, ``start=True``,
    ``stop=True`` and ``reconnect=True``, as clicks on them would give.

    Parameters
    ----------
    source : Stream
    """

    kind: ClassVar[str] = "controls"
    fps = 4.0

    def __init__(self, source: Stream, *, palette: str = "classic") -> None:
        self._found: list[str] = []
        super().__init__(source, find="", palette=palette)

    @property
    def stream(self) -> Stream:
        """What is controlled."""
        return cast("Stream", self.source)

    def choose(self, **choices: Any) -> Self:  # noqa: D102 - as in the class
        for name in _ACTIONS:
            if name not in choices:
                continue
            value = choices.pop(name)
            if name in ("subscribe", "unsubscribe"):
                getattr(self.stream, name)(value)
            elif value:
                getattr(self.stream, name)()
        if "find" in choices:
            self._found = self.stream.search(str(choices["find"]), limit=_FOUND) if choices["find"] else []
        return super().choose(**choices)

    def try_choose(self, choices: Mapping[str, Any]) -> None:  # noqa: D102 - as in the base
        # Searching may have to read a broker's list, and stopping takes its time: not on the thread that
        # answers the page.
        threading.Thread(
            target=super().try_choose, args=(choices,), name="ltpkit-controls", daemon=True
        ).start()

    def _check(self, name: str, value: Any) -> Any:
        if name == "find":
            if not isinstance(value, str):
                raise SettingError(f"find={value!r}: give the text to look for.")
            return value
        return super()._check(name, value)

    def _rebase(self, names: set[str]) -> bool:
        return "palette" in names

    def _base(self) -> Message:
        return {}, {}

    def _frame(self) -> Message:
        status = self.stream.status()
        return {
            "seq": status.received_seq,
            "names": status.symbols,
            "found": [name for name in self._found if name not in status.symbols],
            "feed": status.feed,
            "rate": status.rate,
        }, {}

    def _text(self) -> str:
        return repr(self.source)
