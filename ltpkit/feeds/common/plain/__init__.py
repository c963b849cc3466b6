"""Ticks in JSON messages of the usual form, read from the bytes by a compiled loop.

A feed says once what its messages look like, as a `Form`. What is not surely of that form is left to the
typed structures of the feed's ``wire`` module, which alone decide what is a reject.
"""

from ltpkit.feeds.common.plain.form import Form, Kind, Plain, Series

__all__ = ["Form", "Kind", "Plain", "Series"]
