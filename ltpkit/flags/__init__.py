"""Ticks that cannot be right, or came late, or came twice: told apart on arrival, kept all the same.

Pure. `Flags` remembers the newest time of each instrument and says which rows of a batch are odd, and
why; `Reports` makes events of them, few however many they are; `flagged` and `left_out` read those. No row
is judged by one number alone where another could speak for it, and none for ever: a market that really is
elsewhere is believed after three rows. The rules, in the order they are asked:

- ``future``: more than a minute after it was received. Where all rows are, twenty in a row, the clock
  here is behind, and the minute is counted from where they are.
- ``price``: zero, or negative where prices cannot be.
- ``another day``: more than eight hours before the instrument's newest price, or before the year 2000. The
  first row of an instrument may be as old as it likes: before the open of a market, brokers send the
  last trade there was.
- ``jump``: ten times the last price of the day or a tenth of it; before the day's first, of the previous
  close. Not where the row's own day range or quote holds the price, nor of options, which do that. The
  third row in a row at such a price is believed, if their times differ.
- ``late``: the time is before that of the instrument's newest price.
- ``repeated``: time, price, running volume and all else are as they were. Only of rows with a running volume:
  others are trades, of which two may be alike, and those that an exchange numbers the feed tells apart.
  Not the first such row after a subscription or a reconnection: a feed answers these with the last it knows.
- ``duplicate``: a trade whose id came before, as after a reconnection. The feed tells, and nothing else is
  asked of such a row.

The first four and the last keep a row out of bars, changes and the newest values (`LEFT_OUT`); it stays among
the ticks. A row that is late counts in the bar of its time, and a repeated one as any other: a running volume
that does not rise adds nothing.
"""

from ltpkit.flags.judging import Flags
from ltpkit.flags.reports import KIND, Reports, flagged, left_out
from ltpkit.flags.suspects import LEFT_OUT, Suspects

__all__ = ["KIND", "LEFT_OUT", "Flags", "Reports", "Suspects", "flagged", "left_out"]
