"""The methods that draw, shared by everything that holds ticks.

Thin on purpose: each imports its view when called, so nothing below knows of pictures and importing
ltpkit loads none. In a notebook a cell that is run again gets the views it made before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from datetime import datetime

    from ltpkit.frames import Frames
    from ltpkit.player import Player
    from ltpkit.views.depth_history import DepthHistory
    from ltpkit.views.ladder import Ladder
    from ltpkit.views.view import View

__all__ = ["Pictures"]

V = TypeVar("V", bound="View")


class Pictures:
    """What can be drawn of anything that holds ticks.

    Each method returns a view: shown as a widget in a notebook, as a component by Panel, and as text in
    a terminal. ``view.choose(…)`` changes what it shows, ``view.close()`` takes it away.
    """

    def ladder(self, symbol: str, *, levels: int = 5, palette: str = "classic") -> Ladder:
        """Return the depth ladder of one instrument, live.

        Parameters
        ----------
        symbol : str
            ``"RELIANCE"`` or ``"NSE:RELIANCE"``.
        levels : int
            On each side, at most.
        palette : str
            ``"classic"`` for green and red, ``"safe"`` for blue and orange.

        Raises
        ------
        UnknownInstrument
            The symbol was never subscribed and is not held.
        SettingError
            `levels` is below 1, or there is no such palette.
        """
        from ltpkit.views.ladder import Ladder

        return self._drawn(Ladder, symbol, levels=levels, palette=palette)

    def player(self, *, since: datetime | None = None, until: datetime | None = None) -> Player:
        """Return a stretch of what is held as of a moment that moves: play, hold, go to any time in it.

        The player has the same reading methods and views; they answer as of its moment. Shown in a
        notebook it is a play button, a speed and a slider. Its rows are kept in memory.

        Parameters
        ----------
        since, until : datetime.datetime, optional
            By `received_at`, with a time zone. By default the last day of what is held.

        Raises
        ------
        StoreError
            Nothing was received in that time.
        SettingError
            `since` is after `until`.

        Examples
        --------
        >>> player = lk.open("ticks.duckdb").player()       # doctest: +SKIP
        >>> player.chart("RELIANCE"); player                # doctest: +SKIP
        """
        from ltpkit.player import Player

        return Player(cast("Frames", self), since=since, until=until)

    def depth_history(
        self,
        symbol: str,
        *,
        seconds: float = 60.0,
        levels: int = 20,
        scale: str = "log",
        palette: str = "classic",
    ) -> DepthHistory:
        """Return the book of one instrument over time as a heat map, its trades as dots, live.

        Each price that somebody waited at is coloured by the quantity there; lines follow the best bid and
        the best ask. A dot is as large as what was traded, and has the colour of whoever came to the other:
        a buyer at the ask, a seller at the bid, judged by the quote of the moment before.

        Parameters
        ----------
        symbol : str
            ``"RELIANCE"`` or ``"NSE:RELIANCE"``.
        seconds : float
            Length of the window, from 1 to 86,400. Of a live stream: as far as the rows in memory reach.
        levels : int
            On each side, at most; up to 200.
        scale : str
            ``"log"`` or ``"sqrt"``: how quantities become colours.
        palette : str
            Of lines and dots: ``"classic"`` for green and red, ``"safe"`` for blue and orange.

        Raises
        ------
        UnknownInstrument
            The symbol was never subscribed and is not held.
        SettingError
            One of the others cannot be.
        """
        from ltpkit.views.depth_history import DepthHistory

        return self._drawn(DepthHistory, symbol, seconds=seconds, levels=levels, scale=scale, palette=palette)

    def _drawn(self, view: type[V], *args: Any, **options: Any) -> V:
        from ltpkit.views.cells import placed

        source = cast("Frames", self)
        asked = (view.kind, id(source), repr(args), repr(sorted(options.items())))
        return placed(asked, lambda: view(source, *args, **options))
