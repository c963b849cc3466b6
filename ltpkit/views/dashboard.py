"""The dashboard: the views of a source on one page, linked: what is selected on the board, the others show.

In a notebook it is a grid of the same widgets that the views are alone. Panel could lay them out there too,
but only with `panel.extension` in an earlier cell and its scripts of 7 MB inside the notebook; a grid of
widgets needs neither. Served, Panel lays them out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from ltpkit.errors import SettingError
from ltpkit.views.board import Board
from ltpkit.views.chart import Chart
from ltpkit.views.depth_history import DepthHistory
from ltpkit.views.health import HealthView
from ltpkit.views.heatmap import Heatmap
from ltpkit.views.ladder import Ladder
from ltpkit.views.source import Reporting
from ltpkit.views.status_card import StatusCard

if TYPE_CHECKING:
    from ltpkit.frames import Frames
    from ltpkit.views.view import View

__all__ = ["Dashboard"]

#: In which column of a wide page a view stands. On a narrow one they stand below each other, as listed.
_PLACES: Final = {
    "board": "side",
    "chart": "main",
    "ladder": "side",
    "depth_history": "main",
    "heatmap": "main",
    "card": "side",
    "health": "side",
}

#: Wide enough for two columns, in pixels.
_WIDE: Final = 980

#: How the columns share a wide page, as CSS has it.
_WIDTHS: Final = {"main": "1.75 1 520px", "side": "1 1 360px", "below": "1 1 100%"}

# Panel's own rules for its layouts come before these, some of them on the element itself.
_GRID: Final = f"""
:host {{
  display: flex !important; flex-flow: row wrap !important; align-items: flex-start !important; gap: 12px;
}}
@media (max-width: {_WIDE}px) {{ :host {{ flex-flow: column !important; align-items: stretch !important; }} }}
.scroll-button {{ display: none !important; }}
"""
_COLUMN: Final = f"""
:host {{ display: flex !important; flex-direction: column; gap: 12px; }}
@media (max-width: {_WIDE}px) {{ :host {{ display: contents !important; }} }}
.scroll-button {{ display: none !important; }}
"""


class Dashboard:
    """Board, chart, ladder, depth history, heat map, status and health of a source, linked and live.

    Parameters
    ----------
    source : Frames
        A stream, a replay, a player or a store.
    symbol : str, optional
        The one that chart, ladder and depth history show at first.
    palette : str
        ``"classic"`` for green and red, ``"safe"`` for blue and orange.

    Attributes
    ----------
    views : dict of str to View
        By kind: ``dashboard.views["chart"].choose(every="5m")``.
    closed : bool
        Whether it was taken off every page.
    """

    kind: Final = "dashboard"

    def __init__(self, source: Frames, symbol: str | None = None, *, palette: str = "classic") -> None:
        known = source.subscribed() or source.known()
        if symbol is None and not known:
            raise SettingError("There is no symbol to show yet. Subscribe one first.")
        shown = known[0] if symbol is None else symbol
        self.source = source
        self._grid: Any = None
        self._columns: list[Any] = []
        board = Board(source, symbol=shown, palette=palette)
        self.views: dict[str, View] = {
            "board": board,
            "chart": Chart(source, shown, palette=palette),
            "ladder": Ladder(source, shown, palette=palette),
            "depth_history": DepthHistory(source, shown, palette=palette),
            "heatmap": Heatmap(source, palette=palette),
        }
        if isinstance(source, Reporting):
            self.views["card"] = StatusCard(source, palette=palette)
        self.views["health"] = HealthView(source, palette=palette)
        board.link(*(self.views[kind] for kind in ("chart", "ladder", "depth_history", "heatmap")))
        self.views["heatmap"].link(board)

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return all(view.closed for view in self)

    def __iter__(self) -> Iterator[View]:
        return iter(self.views.values())

    def choose(self, symbol: str) -> Dashboard:
        """Have all views show a symbol; return the dashboard."""
        self.views["board"].choose(symbol=symbol)
        return self

    def close(self) -> None:
        """Take every view off every page. A second call does nothing."""
        for view in self:
            view.close()
        if self._grid is not None:
            for one in (self._grid, *self._columns):
                one.close()
            self._grid = None

    # -- shown ----------------------------------------------------------------------------

    def panel(self, **more: View) -> Any:
        """Return a Panel layout of the views: two columns where there is room, else one.

        Parameters
        ----------
        **more : View
            Further views, that stand below the others.
        """
        import panel as pn

        columns: dict[str, list[Any]] = {"main": [], "side": [], "below": []}
        for place, (kind, view) in enumerate((self.views | more).items()):
            component = view.panel()
            styles = {"order": str(place), "min-width": "0", "max-width": "100%"}
            component.param.update(margin=0, styles=styles)
            columns[_PLACES.get(kind, "below")].append(component)
        return pn.Column(
            *(
                pn.Column(
                    *columns[name],
                    margin=0,
                    stylesheets=[_COLUMN],
                    styles={"flex": width, "min-width": "0"},
                )
                for name, width in _WIDTHS.items()
                if columns[name]
            ),
            margin=0,
            stylesheets=[_GRID],
            sizing_mode="stretch_width",
        )

    def __panel__(self) -> Any:
        """Return the layout, which Panel asks for by this name."""
        return self.panel()

    def servable(self, **options: Any) -> Any:
        """Have `panel serve` show the dashboard; options as of Panel's own ``servable``."""
        return self.panel().servable(**options)

    @property
    def widget(self) -> Any:
        """The dashboard as an ipywidgets grid of the views' widgets: the same one each time."""
        import ipywidgets  # type: ignore[import-untyped]  # traitlets it is

        if self._grid is None:
            columns: dict[str, list[Any]] = {"main": [], "side": []}
            for kind, view in self.views.items():
                columns[_PLACES[kind]].append(view.widget)
            shared = {"grid_gap": "10px", "overflow": "visible"}
            self._columns = [
                ipywidgets.VBox(widgets, layout={"flex": _WIDTHS[name], "min_width": "0", **shared})
                for name, widgets in columns.items()
            ]
            row = {"flex_flow": "row wrap", "align_items": "flex-start", **shared}
            self._grid = ipywidgets.HBox(self._columns, layout=row)
        return self._grid

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = self.widget._repr_mimebundle_(**kwargs)
        found, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        return {**found, "text/plain": repr(self)}, metadata

    def __repr__(self) -> str:
        return "\n\n".join(repr(self.views[kind]) for kind in ("board", "ladder"))
