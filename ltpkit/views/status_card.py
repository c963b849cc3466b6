"""The status card, live: how a stream is doing, at a glance, and what is wrong where something is."""

from __future__ import annotations

import time
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from ltpkit.errors import SettingError
from ltpkit.views.facts import facts, levels, listed, look_of
from ltpkit.views.source import Reporting
from ltpkit.views.tails import Paces
from ltpkit.views.view import Message, View

if TYPE_CHECKING:
    from ltpkit.frames import Frames
    from ltpkit.status import Status

__all__ = ["StatusCard"]

#: States in which no ticks come, though rows may still be on their way to the store.
_AT_REST: Final = ("stored", "stopped", "finished")


class StatusCard(View):
    """A stream's status, live.

    Two pictures a second: its rates are counted over a second and more, and the age of the last tick goes on
    by the page's own clock between them.

    Parameters
    ----------
    source : Frames
        With a method `status`: a stream, a replay or a store.
    palette : str
        ``"classic"`` for green and red, ``"safe"`` for blue and orange.
    """

    kind: ClassVar[str] = "card"
    fps = 2.0

    def __init__(self, source: Frames, *, palette: str = "classic") -> None:
        if not isinstance(source, Reporting):
            raise SettingError(
                f"A {type(source).__name__.lower()} has no status to show: it receives and stores nothing. "
                "There is a card of what it was made from."
            )
        self._paces = Paces(source)
        super().__init__(source, palette=palette)

    def _status(self) -> Status:
        return cast("Reporting", self.source).status()

    def _version(self) -> Hashable:
        # Without ticks, too, a rate falls and rows are stored; only what lies in a store stays as it is.
        state, error = self.source.condition()
        turn = None if state == "stored" else int(time.monotonic() * self.fps)
        return self.source.version(), state, error, turn

    def _base(self) -> Message:
        return {}, {}

    def _frame(self) -> Message:
        status = self._status()
        now, age_s = status.at.timestamp(), status.last_tick_age_s
        moving = age_s is not None and status.state not in _AT_REST
        self._paces.refresh(int(now) if moving else None)
        tone, sign = look_of(status.state)
        header: dict[str, Any] = {
            "seq": status.received_seq,
            "stamp": None if age_s is None else (now - age_s) * 1000,
            "feed": status.feed,
            "tone": tone,
            "sign": sign,
            "symbols": listed(status.symbols),
            "count": len(status.symbols),
            "age": None if age_s is None else age_s * 1000,
            "facts": [fact._asdict() for fact in facts(status)],
            "levels": [level._asdict() for level in levels(status)],
        }
        return header, {"paces": self._paces.counts()}

    def _text(self) -> str:
        status = self._status()
        told = [(fact.name, fact.value) for fact in facts(status)]
        width = max(len(name) for name, _ in told)
        lines = [f"{status.feed} {status.state.replace('_', ' ')}: {listed(status.symbols)}"]
        lines += [f"  {name:<{width}}  {value}" for name, value in told]
        _, error = self.source.condition()
        return "\n".join([*lines, *([f"  {error}"] if error else [])])
