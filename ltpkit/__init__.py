"""The market live in your notebook.

>>> import ltpkit as lk
>>> live = lk.stream(["NSE:RELIANCE", "NSE:TCS"])       # doctest: +SKIP

Importing this starts no thread, opens no file and loads nothing heavy; names arrive when used.
"""

from __future__ import annotations

__version__ = "0.1.0"
