"""The controls of a player: play and hold, speed, and a slider through time over how busy it was."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self, cast

from ltpkit.errors import SettingError
from ltpkit.views.source import stamp, zone_of
from ltpkit.views.view import Message, View

if TYPE_CHECKING:
    from ltpkit.player import Player

__all__ = ["PlayerView"]

_SPEEDS: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0)
_PIECES: Final = 240


class PlayerView(View):
    """The controls of a `Player`, which it moves; what is drawn of the player follows.

    Parameters
    ----------
    source : Player
    """

    kind: ClassVar[str] = "player"

    def __init__(self, source: Player, *, palette: str = "classic") -> None:
        super().__init__(source, palette=palette, playing=source.playing, speed=source.speed, position=None)

    @property
    def player(self) -> Player:
        """What is moved."""
        return cast("Player", self.source)

    def choose(self, **choices: Any) -> Self:  # noqa: D102 - as in the base
        # The moment moves by itself, so that where it was last sent to is no choice that stays.
        self._options["position"] = None
        super().choose(**choices)
        if (position := choices.get("position")) is not None:
            self.player.seek(datetime.fromtimestamp(position / 1000, UTC))
        if "speed" in choices or "playing" in choices:
            if self._options["playing"]:
                self.player.play(self._options["speed"])
            else:
                self.player.pause()
        return self

    def _check(self, name: str, value: Any) -> Any:
        if name == "speed":
            if not isinstance(value, int | float) or not 0 < value <= 100_000:
                raise SettingError(f"speed={value!r}: a number above 0.")
            return float(value)
        if name == "playing":
            return bool(value)
        if name == "position":
            if value is not None and not isinstance(value, int | float):
                raise SettingError(f"position={value!r}: milliseconds since 1970.")
            return value
        return super()._check(name, value)

    def _rebase(self, names: set[str]) -> bool:
        return "palette" in names

    def _base(self) -> Message:
        player = self.player
        return {
            "start": stamp(player.start),
            "end": stamp(player.end),
            "zone": zone_of(player.known()[0]),
            "speeds": sorted({*_SPEEDS, player.speed}),
        }, {"activity": player.activity(_PIECES)}

    def _frame(self) -> Message:
        player = self.player
        # The player is moved by others too, and stops by itself at its end.
        self._options.update(playing=player.playing, speed=player.speed)
        at = stamp(player.position)
        ticks = player.ticks(last=1)
        return {"seq": ticks["seq"][0] if ticks.height else 0, "stamp": at, "position": at}, {}

    def _text(self) -> str:
        return repr(self.player)
