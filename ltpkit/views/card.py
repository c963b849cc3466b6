"""The status card: a stream at a glance, as HTML that follows the notebook's light or dark theme."""

from __future__ import annotations

from html import escape
from typing import Final

from ltpkit.status import Status, age, counted

__all__ = ["html"]

# Colour and a sign: the state must be told apart without seeing colours.
_STATES: Final = {
    "live": ("#1a7f37", "●"),
    "playing": ("#1a7f37", "▶"),
    "finished": ("#57606a", "■"),
    "connecting": ("#9a6700", "◌"),
    "backing_off": ("#9a6700", "↻"),
    "stale": ("#bc4c00", "◐"),
    "refused": ("#cf222e", "✕"),
    "stopped": ("#57606a", "■"),
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
.ltpkit-card .error{margin:.6rem 0 0;color:var(--jp-error-color1,#cf222e)}
"""


def html(status: Status) -> str:
    """Return the card of a status. Every text in it is escaped."""
    colour, sign = _STATES.get(status.state, ("#57606a", "?"))
    shown = ", ".join(status.symbols[:6]) + (
        f" and {len(status.symbols) - 6} more" if len(status.symbols) > 6 else ""
    )
    nothing = "of a replay" if status.rows_in_memory else "none yet"
    last = nothing if status.last_tick_age_s is None else age(status.last_tick_age_s)
    facts = [
        ("ticks/s", f"{status.rate:,.0f}", ""),
        ("last tick, age", last, ""),
        ("rows in memory", f"{status.rows_in_memory:,}", ""),
        ("rows stored", f"{status.rows_stored:,}", ""),
        ("not stored yet", _on_the_way(status), "small"),
        ("gaps", f"{status.gaps:,}", ""),
        ("rejects", f"{status.rejects:,}", ""),
        ("reconnects", f"{status.reconnects:,}", ""),
        ("store", status.store, "small"),
    ]
    if status.longest_pause_s:
        facts.append(("longest pause", age(status.longest_pause_s), ""))
    if status.load:
        facts.append(("overload, level", f"{status.load} of 3", ""))
    if status.left_out:
        facts.append(("left out under load", counted(status.left_out), "small"))
    if status.flagged:
        facts.append(("ticks flagged", counted(status.flagged), "small"))
    if status.lost_rows:
        facts.append(("rows lost unstored", f"{status.lost_rows:,}", ""))
    if status.recovered:
        facts.append(("after a crash", status.recovered, "small"))
    if status.recording:
        facts.append(("recording", status.recording, "small"))
    cells = "".join(
        f'<div><dt>{escape(name)}</dt><dd class="{kind}">{escape(value)}</dd></div>'
        for name, value, kind in facts
    )
    error = f'<p class="error" role="alert">{escape(status.last_error)}</p>' if status.last_error else ""
    state = escape(status.state.replace("_", " "))
    return (
        f'<div class="ltpkit-card"><style>{_STYLE}</style><header><strong>{escape(status.feed)}</strong>'
        f'<span class="state" style="background:{colour}">{sign} {state}</span>'
        f'<span class="symbols">{escape(shown)}</span></header><dl>{cells}</dl>{error}</div>'
    )


def _on_the_way(status: Status) -> str:
    """Return how far the ticks that are not stored yet have come."""
    waiting = status.received_seq - status.stored_seq
    if not waiting:
        return "0"
    journaled, synced = status.received_seq - status.journaled_seq, status.received_seq - status.synced_seq
    if not journaled and not synced:
        return f"{waiting:,}"
    if journaled == waiting:  # no journal, or nothing of it yet
        return f"{waiting:,}, in memory only"
    return f"{waiting:,}; {journaled:,} not journaled, {synced:,} not synced"
