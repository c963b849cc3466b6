"""The chart as a Bokeh figure, to put together with others of HoloViz.

Its messages are those of `Chart`. Instead of a page's script `_BokehShell` takes them, and streams and
patches a figure's source: on the pump's thread in a notebook, on the document's own in a served page.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import panel
from bokeh.layouts import column
from bokeh.models import (
    BasicTicker,
    ColumnDataSource,
    CustomJSTickFormatter,
    DataRange1d,
    HoverTool,
    NumeralTickFormatter,
)
from bokeh.plotting import figure

from ltpkit.errors import SettingError
from ltpkit.views.chart import Chart
from ltpkit.views.served import Tab, current_tab
from ltpkit.views.view import Shell, View
from ltpkit.views.wire import unpack

if TYPE_CHECKING:
    from ltpkit.frames import Frames

__all__ = ["BokehChart"]

_FOLLOWED: Final = 120  # bars in the window that goes along with the newest
_COLOURS: Final = {"classic": ("#1a9c66", "#d9484f"), "safe": ("#2b83dd", "#dd7d14")}
_GREY: Final = "#808890"  # read on light and on dark
_SHOWN: Final = ("open", "high", "low", "close", "volume")


class BokehChart(Chart):
    """Bars of one instrument as a Bokeh figure, live.

    Parameters
    ----------
    source : Frames
    symbol : str
    every, history, height, palette
        As for `Chart`.

    Raises
    ------
    SettingError
        Several symbols were given.
    """

    kind: ClassVar[str] = "bokeh_chart"
    fps = 10.0

    def __init__(
        self,
        source: Frames,
        symbol: str,
        *,
        every: str = "1s",
        history: str = "1d",
        height: int = 420,
        palette: str = "classic",
    ) -> None:
        if not isinstance(symbol, str):
            raise SettingError(
                "backend='bokeh' draws one symbol; overlay() of HoloViews puts several together."
            )
        super().__init__(source, symbol, every=every, history=history, height=height, palette=palette)

    @property
    def figure(self) -> Any:
        """The figure with the bars, to add glyphs of one's own to; it has the source ``bars``."""
        return self._shell(_BokehShell, current_tab()).figure

    def __panel__(self) -> Any:
        return self._shell(_BokehShell, current_tab()).pane

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        return self.__panel__()._repr_mimebundle_(**kwargs)


class _BokehShell(Shell):
    """A chart's way to a figure in one browser tab, or in the cells of a notebook."""

    def __init__(self, view: View, base: bytes, frame: bytes) -> None:
        super().__init__(view)
        self.seen = True  # a figure does not say
        options = view.options
        self._colours = _COLOURS[options["palette"]]
        self.source = ColumnDataSource(name="bars")
        self._starts: npt.NDArray[np.float64] = np.zeros(0)
        self._zone, self._width = ZoneInfo("UTC"), 0.0
        self._tab = Tab(self._put, lambda: view.leave(self))
        self._take({"base": base, "frame": frame})
        self.figure, volume = self._draw(options["height"])
        both = column(self.figure, volume, sizing_mode="stretch_width")
        self.pane: Any = panel.pane.Bokeh(both, sizing_mode="stretch_width")  # type: ignore[no-untyped-call]

    def _draw(self, height: int) -> tuple[Any, Any]:
        labels = CustomJSTickFormatter(
            args={"source": self.source},
            code="const {x, label} = source.data; return label[tick - x[0]] ?? ''",
        )
        along = DataRange1d(follow="end", follow_interval=_FOLLOWED, range_padding=0.02)
        common: dict[str, Any] = {
            "x_range": along, "sizing_mode": "stretch_width", "toolbar_location": None,
            "background_fill_alpha": 0, "border_fill_alpha": 0, "outline_line_alpha": 0,
        }  # fmt: skip
        bars = figure(height=height * 3 // 4, tools="xpan,xwheel_zoom,reset", active_scroll=None, **common)
        bars.segment("x", "high", "x", "low", source=self.source, color="colour")
        candles = bars.vbar(
            "x", 0.72, "open", "close", source=self.source, color="colour", fill_alpha="solid"
        )
        bars.add_tools(
            HoverTool(
                renderers=[candles], mode="vline",
                tooltips=[("", "@label")] + [(name, f"@{name}{{0,0.00}}") for name in _SHOWN],
            )
        )  # fmt: skip
        volume = figure(height=height // 4, tools="xpan", y_range=DataRange1d(start=0), **common)
        volume.vbar("x", 0.72, "volume", source=self.source, color="colour", alpha=0.5, line_alpha=0)
        volume.xaxis.formatter = labels
        volume.xaxis.ticker = BasicTicker(desired_num_ticks=4, num_minor_ticks=0)
        volume.yaxis.formatter = NumeralTickFormatter(format="0.[0]a")
        bars.xaxis.visible = False
        for one in (bars, volume):
            one.window_axis = "x"
            one.yaxis.minor_tick_line_alpha = one.xaxis.minor_tick_line_alpha = 0
            for axis in (one.xaxis, one.yaxis):
                axis.major_label_text_color = axis.axis_line_color = axis.major_tick_line_color = _GREY
            one.grid.grid_line_color = _GREY
            one.grid.grid_line_alpha = 0.2
        bars.yaxis.formatter = NumeralTickFormatter(format="0,0.00")
        # The two panes' scales are as wide as each other.
        bars.min_border_left = volume.min_border_left = 64
        return bars, volume

    # -- what comes -----------------------------------------------------------------------

    def send(self, messages: Mapping[str, bytes]) -> None:
        self._tab.send(messages)

    def _put(self, messages: Mapping[str, bytes]) -> None:
        self._take(messages)
        if not self._tab.served:
            panel.io.push_notebook(self.pane)

    def _take(self, messages: Mapping[str, bytes]) -> None:
        if "base" in messages:
            header, columns = unpack(messages["base"])
            self._zone, self._width = ZoneInfo(header["zone"]), header["width"]
            self._starts = columns["start"]
            self.source.data = self._rows(columns, 0)
        header, columns = unpack(messages["frame"])
        if "seq" in header:
            self._renew(columns)
        self.hear(answered=header["n"])

    def _renew(self, columns: Mapping[str, npt.NDArray[Any]]) -> None:
        """Patch the bars that are there, stream those that are new; where one came between, draw all anew."""
        starts = columns["start"]
        if not len(starts):
            return
        at = int(np.searchsorted(self._starts, starts[0]))
        there = len(self._starts) - at
        if there > len(starts) or not np.array_equal(self._starts[at:], starts[:there]):
            rows = self._rows(columns, at)
            data = {name: list(self.source.data[name][:at]) + list(rows[name]) for name in rows}
            self._starts = np.concatenate([self._starts[:at], starts])
            self.source.data = data
            return
        rows = self._rows(columns, at)
        patches = {
            name: [
                (at + i, rows[name][i])
                for i in range(there)
                if self.source.data[name][at + i] != rows[name][i]
            ]
            for name in rows
        }
        if any(patches.values()):
            self.source.patch({name: changes for name, changes in patches.items() if changes})
        if there < len(starts):
            self.source.stream({name: values[there:] for name, values in rows.items()})
            self._starts = np.concatenate([self._starts, starts[there:]])

    def _rows(self, columns: Mapping[str, npt.NDArray[Any]], first: int) -> dict[str, list[Any]]:
        """Return rows of the source; `first` is the number of the first."""
        count = len(columns["start"])
        growing = columns["growing"] if "growing" in columns else np.zeros(count, np.uint8)
        up, down = self._colours
        return {
            "x": list(range(first, first + count)),
            "label": [self._label(start) for start in columns["start"].tolist()],
            **{name: np.nan_to_num(columns[name]).tolist() for name in _SHOWN},
            "colour": np.where(columns["close"] >= columns["open"], up, down).tolist(),
            "solid": np.where(growing == 1, 0.25, 1.0).tolist(),
        }

    def _label(self, start: float) -> str:
        here = datetime.fromtimestamp(start / 1000, UTC).astimezone(self._zone)
        if self._width >= 86_400_000:
            return f"{here:%d %b}"
        return f"{here:%H:%M}\n{here:%d %b}" if self._width >= 60_000 else f"{here:%H:%M:%S}"

    def close(self) -> None:
        self.pane.object = None
