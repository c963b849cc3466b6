"""Views in a notebook: a view's script as an anywidget, fed from the pump's thread.

Messages go straight to the widget's comm. Setting a trait from a second thread would meet the locks
that traitlets holds while a page's own message is applied.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import anywidget
import traitlets

from ltpkit.views.script import script
from ltpkit.views.view import Shell, View

__all__ = ["NotebookShell", "ViewWidget"]


class ViewWidget(anywidget.AnyWidget):
    """What a page and a view say to each other.

    Attributes
    ----------
    base, frame : bytes
        Messages of `ltpkit.views.wire`, to the page.
    seen : bool
        From the page: on screen.
    answered : dict
        From the page: number of the last frame painted, of this and all other views there.
    chosen : dict
        From the page: by name, what was chosen and when.
    """

    base = traitlets.Bytes(b"").tag(sync=True)
    frame = traitlets.Bytes(b"").tag(sync=True)
    # The page need not be told what it has said itself.
    seen = traitlets.Bool(False).tag(sync=True, echo_update=False)
    answered = traitlets.Dict().tag(sync=True, echo_update=False)
    chosen = traitlets.Dict().tag(sync=True, echo_update=False)

    def put(self, messages: Mapping[str, bytes]) -> None:
        """Have the page take these, and later pages find them."""
        self._trait_values.update(messages)
        if self.comm is not None:
            names = list(messages)
            update = {"method": "update", "state": {}, "buffer_paths": [[name] for name in names]}
            self.comm.send(data=update, buffers=[messages[name] for name in names])


@cache
def _widget_class(kind: str) -> type[ViewWidget]:
    return type(f"{kind.title().replace('_', '')}Widget", (ViewWidget,), {"_esm": script(kind)})


class NotebookShell(Shell):
    """A view's way to the pages of a kernel."""

    def __init__(self, view: View, base: bytes, frame: bytes) -> None:
        super().__init__(view)
        self.widget = _widget_class(view.kind)(base=base, frame=frame)
        # Where ipykernel asks on which thread a page's message is to be taken: on the one it came for,
        # beside a running cell, and not after it on the one that spoke last.
        if self.widget.comm is not None and hasattr(self.widget.comm, "_reply_subshell_for"):
            self.widget.comm._reply_subshell_for = lambda data, default: default
        self.widget.observe(self._said, ["seen", "answered", "chosen"])

    def send(self, messages: Mapping[str, bytes]) -> None:  # noqa: D102 - as in the base
        self.widget.put(messages)

    def close(self) -> None:  # noqa: D102 - as in the base
        self.widget.close()

    def _said(self, change: Any) -> None:
        if change["name"] == "answered":
            self.hear_answers(change["new"])
        else:
            self.hear(**{change["name"]: change["new"]})
