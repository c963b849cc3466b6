"""The methods that draw, shared by everything that holds ticks.

Thin on purpose: each imports its view when called, so nothing below knows of pictures and importing
ltpkit loads none. In a notebook a cell that is run again gets the views it made before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast, overload

from ltpkit.errors import SettingError

if TYPE_CHECKING:
    from datetime import datetime

    from ltpkit.frames import Frames
    from ltpkit.player import Player
    from ltpkit.views.board import Board
    from ltpkit.views.bokeh_chart import BokehChart
    from ltpkit.views.chart import Chart
    from ltpkit.views.dashboard import Dashboard
    from ltpkit.views.depth_history import DepthHistory
    from ltpkit.views.heatmap import Heatmap
    from ltpkit.views.ladder import Ladder
    from ltpkit.views.status_card import StatusCard
    from ltpkit.views.view import View

__all__ = ["Pictures"]

V = TypeVar("V", bound="View")


class Pictures:
    """What can be drawn of anything that holds ticks.

    Each method returns a view: shown as a widget in a notebook, as a component by Panel, and as text in
    a terminal. ``view.choose(…)`` changes what it shows, ``view.close()`` takes it away.

    A `symbol` is ``"RELIANCE"``, or ``"NSE:RELIANCE"`` of one exchange. A `palette` is ``"classic"``, green
    and red, or ``"safe"``, blue and orange.
    """

    @overload
    def chart(
        self, symbol: str | Sequence[str], *, backend: Literal["lightweight"] = ..., **options: Any
    ) -> Chart: ...
    @overload
    def chart(
        self, symbol: str | Sequence[str], *, backend: Literal["bokeh"], **options: Any
    ) -> BokehChart: ...
    def chart(
        self,
        symbol: str | Sequence[str],
        *,
        backend: Literal["lightweight", "bokeh"] = "lightweight",
        **options: Any,
    ) -> Chart | BokehChart:
        """Return a chart of bars with volume, live: it starts with what is stored and goes on.

        Bars are those of `Frames.bars`, by exchange time; the one that grows is marked. What was missed
        (`Frames.gaps`) is shaded, nights and weekends are closed up, times are the exchange's.

        Parameters
        ----------
        symbol : str or list of str
            Of several the first is the chart's own, the others are laid over it, all as percent change from
            the left edge.
        backend : {"lightweight", "bokeh"}
            ``"bokeh"`` makes a Bokeh figure to put together with others of HoloViz: of one symbol, and with
            the options `every`, `history`, `height` and `palette` alone.
        every : str
            Bar length: ``"1s"`` by default.
        history : str
            How far back from the newest tick the bars begin, as a polars duration; further where that
            would be fewer than 200 bars. ``"1d"`` by default. Of the newest 100,000 bars at most.
        style : str
            ``"candles"``, ``"line"`` or ``"area"``; by default candles of one symbol, lines of several.
        averages : sequence of int
            Lengths of the moving averages of the close, in bars.
        vwap : bool
            Whether to draw the average price weighted by volume, which begins anew each day. It is worked
            out from the bars: the mean of high, low and close, times the volume.
        height : int
            In pixels, from 160; 420 by default.
        palette : {"classic", "safe"}

        Raises
        ------
        UnknownInstrument
            A symbol was never subscribed and is not held.
        SettingError
            An option is not what it may be.

        Examples
        --------
        >>> live.chart("RELIANCE", every="5s", averages=[20], vwap=True)   # doctest: +SKIP
        >>> live.chart(["RELIANCE", "TCS"], every="1m")                    # doctest: +SKIP
        """
        if backend not in ("lightweight", "bokeh"):
            raise SettingError(f"backend={backend!r}: 'lightweight' or 'bokeh'.")
        if backend == "bokeh":
            from ltpkit.views.bokeh_chart import BokehChart

            return self._drawn(BokehChart, symbol, **options)
        from ltpkit.views.chart import Chart

        return self._drawn(Chart, symbol, **options)

    def ladder(self, symbol: str, *, levels: int = 5, palette: str = "classic") -> Ladder:
        """Return the depth ladder of one instrument, live.

        Parameters
        ----------
        symbol : str
        levels : int
            On each side, at most.
        palette : {"classic", "safe"}

        Raises
        ------
        UnknownInstrument
            The symbol was never subscribed and is not held.
        SettingError
            `levels` is below 1, or there is no such palette.
        """
        from ltpkit.views.ladder import Ladder

        return self._drawn(Ladder, symbol, levels=levels, palette=palette)

    def player(self, *, since: datetime | str | None = None, until: datetime | str | None = None) -> Player:
        """Return a stretch of what is held as of a moment that moves: play, hold, go to any time in it.

        The player has the same reading methods and views; they answer as of its moment. Shown in a
        notebook it is a play button, a speed and a slider. Its rows are kept in memory.

        Parameters
        ----------
        since, until : datetime.datetime or str, optional
            By `received_at`, with a time zone; as text in ISO form, such as ``"2026-11-20 09:15+05:30"``.
            By default the last day of what is held.

        Raises
        ------
        StoreError
            Nothing was received in that time.
        SettingError
            `since` is after `until`, or one of them is no time with a zone.

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
        seconds : float
            Length of the window, from 1 to 86,400. Of a live stream: as far as the rows in memory reach.
        levels : int
            On each side, at most; up to 200.
        scale : str
            ``"log"`` or ``"sqrt"``: how quantities become colours.
        palette : {"classic", "safe"}
            Of lines and dots.

        Raises
        ------
        UnknownInstrument
            The symbol was never subscribed and is not held.
        SettingError
            One of the others cannot be.
        """
        from ltpkit.views.depth_history import DepthHistory

        return self._drawn(DepthHistory, symbol, seconds=seconds, levels=levels, scale=scale, palette=palette)

    def board(
        self,
        symbols: str | Sequence[str] | None = None,
        *,
        symbol: str | None = None,
        sort: str = "",
        palette: str = "classic",
    ) -> Board:
        """Return a watchlist: last price, changes, day range, recent prices, volume and age, live.

        A click on a row, or the arrow keys, select a symbol; ``board.link(chart, ladder)`` has other views
        follow it. Of a running stream symbols can be subscribed and unsubscribed on the page.

        Parameters
        ----------
        symbols : str or sequence of str, optional
            What to show, in this order. By default everything subscribed, whenever that changes too.
        symbol : str, optional
            The one that is selected at first.
        sort : str
            ``symbol``, ``ltp``, ``change`` or ``change_percent`` (since the previous tick), ``day_change`` or
            ``day_change_percent`` (since the previous close), ``range``, ``recent``, ``volume`` or ``age``;
            with a minus in front, the largest first.
        palette : {"classic", "safe"}

        Raises
        ------
        UnknownInstrument
            A symbol was never subscribed and is not held.
        SettingError
            There is no such column or palette.
        """
        from ltpkit.views.board import Board

        return self._drawn(Board, symbols, symbol=symbol, sort=sort, palette=palette)

    def heatmap(
        self,
        symbols: str | Sequence[str] | None = None,
        *,
        basis: str = "close",
        size: str = "turnover",
        sectors: Mapping[str, str] | None = None,
        palette: str = "classic",
    ) -> Heatmap:
        """Return a map of the market: a tile for each symbol, coloured by its change, within its sector.

        Parameters
        ----------
        symbols : str or sequence of str, optional
            What to show. By default everything subscribed, whenever that changes too.
        basis : {"close", "tick", "open"}
            What the change is counted from: the previous close, the previous tick, the day's opening.
        size : {"turnover", "equal"}
            What a tile's area stands for. Turnover is the day's volume times the last price; where a feed
            sends no volume the tiles are equal.
        sectors : mapping of str to str, optional
            Sector by symbol, ``{"RELIANCE": "Energy"}``, where the source does not know. What is in no
            sector is grouped by its exchange.
        palette : {"classic", "safe"}

        Raises
        ------
        UnknownInstrument
            A symbol was never subscribed and is not held.
        SettingError
            There is no such basis, size or palette.
        """
        from ltpkit.views.heatmap import Heatmap

        return self._drawn(Heatmap, symbols, basis=basis, size=size, sectors=sectors, palette=palette)

    def card(self, *, palette: str = "classic") -> StatusCard:
        """Return the status card, live: state, rate, age of the last tick, gaps, and how safe rows are.

        What goes wrong in the background is named on it.

        Parameters
        ----------
        palette : {"classic", "safe"}
        """
        from ltpkit.views.status_card import StatusCard

        return self._drawn(StatusCard, palette=palette)

    def dashboard(self, symbol: str | None = None, *, palette: str = "classic") -> Dashboard:
        """Return all of it on one page, linked: what is selected on the board, the others show.

        In a notebook a grid of the widgets that the views are alone; served, a Panel layout:
        ``live.dashboard().servable()`` in a script for ``panel serve``, or ``ltpkit dashboard RELIANCE TCS``.

        Parameters
        ----------
        symbol : str, optional
            What chart, ladder and depth history show at first; by default the first one subscribed.
        palette : {"classic", "safe"}

        Raises
        ------
        UnknownInstrument
            The symbol was never subscribed and is not held.
        SettingError
            There is no such palette, or no symbol yet.
        """
        from ltpkit.views.cells import placed
        from ltpkit.views.dashboard import Dashboard

        source = cast("Frames", self)
        asked = (Dashboard.kind, id(self), symbol, palette)
        return placed(asked, lambda: Dashboard(source, symbol, palette=palette))

    def _drawn(self, view: type[V], *args: Any, **options: Any) -> V:
        from ltpkit.views.cells import placed

        source = cast("Frames", self)
        asked = (view.kind, id(source), repr(args), repr(sorted(options.items())))
        return placed(asked, lambda: view(source, *args, **options))
