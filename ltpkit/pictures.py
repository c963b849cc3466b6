"""The methods that draw, shared by everything that holds ticks.

Thin on purpose: each imports its view when called, so nothing below knows of pictures and importing
ltpkit loads none. In a notebook a cell that is run again gets the views it made before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from ltpkit.frames import Frames
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

    def _drawn(self, view: type[V], *args: Any, **options: Any) -> V:
        from ltpkit.views.cells import placed

        source = cast("Frames", self)
        asked = (view.kind, id(source), repr(args), repr(sorted(options.items())))
        return placed(asked, lambda: view(source, *args, **options))
