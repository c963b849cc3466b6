"""The service over HTTP and WebSockets, on one port, for programs in any language.

Needs the extra ``ltpkit[server]``.
"""

from __future__ import annotations

from ltpkit.api.app import App, create_app
from ltpkit.api.guard import Limits
from ltpkit.api.server import Server

__all__ = ["App", "Limits", "Server", "create_app"]
