"""The status card: a stream at a glance, as HTML that follows the notebook's light or dark theme.

It stands still, and says of what moment it is. The view that goes on is `card` of the stream.
"""

from __future__ import annotations

from html import escape
from typing import Final

from ltpkit.status import Status
from ltpkit.views.facts import Fact, facts, listed, look_of

__all__ = ["html"]

_COLOURS: Final = {
    "good": "#1a7f37",
    "waiting": "#9a6700",
    "odd": "#bc4c00",
    "bad": "#cf222e",
    "over": "#57606a",
}

_STYLE: Final = """
.ltpkit-card{font:13px/1.45 var(--jp-ui-font-family,system-ui,sans-serif);
color:var(--jp-ui-font-color1,#1f2328);background:var(--jp-layout-color1,#fff);
border:1px solid var(--jp-border-color2,#d0d7de);border-radius:8px;
max-width:44rem;padding:.7rem .9rem;font-variant-numeric:tabular-nums}
.ltpkit-card header{display:flex;gap:.6rem;align-items:baseline;flex-wrap:wrap}
.ltpkit-card .state{color:#fff;border-radius:1rem;padding:.05rem .6rem;font-weight:600;font-size:12px}
.ltpkit-card .symbols{color:var(--jp-ui-font-color2,#57606a)}
.ltpkit-card dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(7.5rem,1fr));
gap:.5rem 1rem;margin:.7rem 0 0}
.ltpkit-card.ltpkit-card dt{float:none;width:auto;padding:0;
color:var(--jp-ui-font-color2,#57606a);font-size:11px;font-weight:400}
.ltpkit-card.ltpkit-card dd{float:none;width:auto;padding:0;margin:0;
font-size:15px;font-weight:600;overflow-wrap:anywhere}
.ltpkit-card.ltpkit-card dd.small{font-size:12px;font-weight:400}
.ltpkit-card .still{margin:.6rem 0 0;color:var(--jp-ui-font-color2,#57606a);font-size:11px}
.ltpkit-card .error{margin:.6rem 0 0;color:var(--jp-error-color1,#cf222e)}
"""


def html(status: Status) -> str:
    """Return the card of a status. Every text in it is escaped."""
    tone, sign = look_of(status.state)
    cells = "".join(map(_cell, facts(status)))
    error = f'<p class="error" role="alert">{escape(status.last_error)}</p>' if status.last_error else ""
    state = escape(status.state.replace("_", " "))
    return (
        f'<div class="ltpkit-card"><style>{_STYLE}</style><header><strong>{escape(status.feed)}</strong>'
        f'<span class="state" style="background:{_COLOURS[tone]}">{sign} {state}</span>'
        f'<span class="symbols">{escape(listed(status.symbols))}</span></header><dl>{cells}</dl>{error}'
        f'<p class="still">As of {status.at:%H:%M:%S} UTC; <code>.card()</code> of the stream goes on.</p>'
        "</div>"
    )


def _cell(fact: Fact) -> str:
    kind = "small" if fact.small else ""
    return f'<div><dt>{escape(fact.name)}</dt><dd class="{kind}">{escape(fact.value)}</dd></div>'
