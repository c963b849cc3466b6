"""Views in a served page: the same scripts as Panel components.

Each browser tab is a Panel document with its own thread of execution, so a view has a component for each
tab it is shown in; it goes when the tab does.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import panel
import param
from bokeh.document import Document

from ltpkit.views.view import Shell, View

__all__ = ["ServedShell", "Tab", "ViewComponent", "current_tab"]

_SUFFIX: Final = "Component"


class ViewComponent(panel.custom.AnyWidgetComponent):
    """What a page and a view say to each other; the parameters are those of `ViewWidget`."""

    __abstract = True

    base = param.Bytes(b"")
    frame = param.Bytes(b"")
    seen = param.Boolean(False)
    answered = param.Dict({})
    chosen = param.Dict({})


@cache
def _component_class(name: str) -> type[ViewComponent]:
    # A bundle is fetched by its address, once for all tabs, and run as it is. A text would be sent
    # with each page and taken for TypeScript.
    bundle = f"static/{name.removesuffix(_SUFFIX)}.js"
    return type(name, (ViewComponent,), {"__module__": __name__, "_bundle": bundle})


def __getattr__(name: str) -> type[ViewComponent]:
    """Return the component of a kind of view: Panel asks for it by name when a page wants its bundle."""
    kind = name.removesuffix(_SUFFIX)
    if kind == name or not (Path(__file__).parent / "static" / f"{kind}.js").is_file():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _component_class(name)


def current_tab() -> Document | None:
    """Return the browser tab whose page is being made, None in a notebook."""
    document: Document | None = panel.state.curdoc
    return document


class Tab:
    """The browser tab whose page is being made, where there is one; else the cells of a notebook.

    Parameters
    ----------
    put : callable
        Puts messages in what is shown. A tab's own thread does, at most one call of ours waits there, with
        what is newest; for a notebook it is the caller's.
    gone : callable
        Called when the tab is closed.
    """

    def __init__(self, put: Callable[[Mapping[str, bytes]], None], gone: Callable[[], None]) -> None:
        self._put = put
        self._document = current_tab()
        self._waiting: dict[str, bytes] = {}
        self._lock = threading.Lock()
        if self._document is not None and self._document.session_context is not None:
            self._document.on_session_destroyed(lambda session_context: gone())

    @property
    def served(self) -> bool:
        """Whether it is one."""
        return self._document is not None

    def send(self, messages: Mapping[str, bytes]) -> None:
        """Have messages put in, soon; of several of a name the last."""
        if self._document is None:
            self._put(messages)
            return
        with self._lock:
            asked = bool(self._waiting)
            self._waiting.update(messages)
        if not asked:
            self._document.add_next_tick_callback(self._put_waiting)

    def _put_waiting(self) -> None:
        with self._lock:
            messages, self._waiting = self._waiting, {}
        self._put(messages)


class ServedShell(Shell):
    """A view's way to one browser tab, or to the cells of a notebook that shows Panel's own panes."""

    def __init__(self, view: View, base: bytes, frame: bytes) -> None:
        super().__init__(view)
        made = _component_class(f"{view.kind}{_SUFFIX}")
        self.component = made(base=base, frame=frame, sizing_mode="stretch_width")
        self._watcher = self.component.param.watch(self._said, ["seen", "answered", "chosen"])
        self._tab = Tab(self._put, lambda: view.leave(self))

    def send(self, messages: Mapping[str, bytes]) -> None:  # noqa: D102 - as in the base
        self._tab.send(messages)

    def _put(self, messages: Mapping[str, bytes]) -> None:
        self.component.param.update(**messages)  # in a notebook Panel finds the comm itself

    def close(self) -> None:  # noqa: D102 - as in the base
        self.component.param.unwatch(self._watcher)

    def _said(self, *events: Any) -> None:
        for event in events:
            if event.name == "answered":
                self.hear_answers(event.new)
            else:
                self.hear(**{event.name: event.new})
