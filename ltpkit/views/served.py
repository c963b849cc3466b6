"""Views in a served page: the same scripts as Panel components."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import cache
from typing import Any

import panel
import param

from ltpkit.views.script import script
from ltpkit.views.view import Shell, View

__all__ = ["ServedShell", "ViewComponent"]


class ViewComponent(panel.custom.AnyWidgetComponent):
    """What a page and a view say to each other; the parameters are those of `ViewWidget`."""

    __abstract = True

    base = param.Bytes(b"")
    frame = param.Bytes(b"")
    seen = param.Boolean(False)
    answered = param.Integer(0)
    chosen = param.Dict({})


@cache
def _component_class(kind: str) -> type[ViewComponent]:
    return type(f"{kind.title().replace('_', '')}Component", (ViewComponent,), {"_esm": script(kind)})


class ServedShell(Shell):
    """A view's way to one browser's page."""

    def __init__(self, view: View, base: bytes, frame: bytes) -> None:
        super().__init__(view)
        self.component = _component_class(view.kind)(base=base, frame=frame, sizing_mode="stretch_width")
        self._watcher = self.component.param.watch(self._said, ["seen", "answered", "chosen"])
        self._document = panel.state.curdoc
        self._waiting: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def send(self, messages: Mapping[str, bytes]) -> None:  # noqa: D102 - as in the base
        if self._document is None:  # a notebook: Panel finds the comm itself
            self.component.param.update(**messages)
            return
        # A page's own thread puts them in. At most one call of ours waits there, with what is newest.
        with self._lock:
            asked = bool(self._waiting)
            self._waiting.update(messages)
        if not asked:
            self._document.add_next_tick_callback(self._put)

    def _put(self) -> None:
        with self._lock:
            messages, self._waiting = self._waiting, {}
        self.component.param.update(**messages)

    def close(self) -> None:  # noqa: D102 - as in the base
        self.component.param.unwatch(self._watcher)

    def _said(self, *events: Any) -> None:
        for event in events:
            self.hear(**{event.name: event.new})
