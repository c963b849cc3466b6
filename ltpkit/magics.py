"""IPython magics: ``%ltp`` shows a watchlist, ``%%ltp`` asks SQL. ``%load_ext ltpkit`` brings them.

Both speak to one stream: the one given with ``--from``, else the notebook's variable ``live``, else one
that ``%ltp`` starts and puts there.
"""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NoReturn

import duckdb
from IPython.core.completer import CompletionContext, SimpleCompletion, context_matcher
from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, magics_class

from ltpkit import schema
from ltpkit.errors import LtpkitError
from ltpkit.frames import Frames
from ltpkit.store.reading import query_trouble

if TYPE_CHECKING:
    import polars as pl
    from IPython.core.interactiveshell import InteractiveShell

    from ltpkit.views.board import Board

__all__ = ["LtpMagics", "load"]

_STREAM: Final = "live"
_WORD: Final = re.compile(r"[\w:.&-]*$")

#: A notebook's variable in a query: ``{{name}}``, or ``$name`` outside of quotes.
_BRACES: Final = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}")
_DOLLAR: Final = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|(?<!\$)\$([A-Za-z_]\w*)")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}\n{self.format_usage()}")


def _parser(name: str, **options: Any) -> _Parser:
    parser = _Parser(prog=name, add_help=False, **options)
    parser.add_argument("--from", dest="source", metavar="NAME", help="variable that holds the stream")
    return parser


@magics_class
class LtpMagics(Magics):
    """``%ltp`` and ``%%ltp``."""

    @line_cell_magic
    def ltp(self, line: str, cell: str | None = None) -> Board | pl.DataFrame | None:
        """Show a watchlist, or ask SQL of the market.

        ``%ltp [--feed NAME] [--store FILE] [--from NAME] SYMBOL…`` subscribes to the symbols and shows
        their board. Without symbols it shows all there are. Where no stream runs it starts one and puts it
        in the variable ``live``.

        ``%%ltp [-o NAME] [--from NAME]`` asks the query in the cell. ``{{x}}`` and ``$x`` are the notebook's
        variable ``x``, bound as a value and never pasted in; a frame of yours is named as it is. With
        ``-o`` the answer goes to a variable and is not shown.
        """
        try:
            return self._board(line) if cell is None else self._query(line, cell)
        except LtpkitError as error:
            raise UsageError(str(error)) from error

    def _board(self, line: str) -> Board:
        parser = _parser("%ltp")
        parser.add_argument("symbols", nargs="*", metavar="SYMBOL")
        parser.add_argument("--feed")
        parser.add_argument("--store", metavar="FILE")
        asked = parser.parse_args(shlex.split(line))
        symbols = [symbol.rstrip(",") for symbol in asked.symbols]
        source = self._source(asked.source)
        if source is None or asked.feed or asked.store:
            from ltpkit.running import stream

            if not symbols:
                raise UsageError(f"No stream is in {_STREAM}. Name symbols to start one: %ltp RELIANCE TCS")
            source = stream(symbols, feed=asked.feed or "simulated", store=asked.store)
            self._namespace[_STREAM] = source
        elif symbols:
            self._subscribe(source, symbols)
        return source.board(symbols or None)

    def _subscribe(self, source: Frames, symbols: Sequence[str]) -> None:
        from ltpkit.live import Stream

        if isinstance(source, Stream):
            source.subscribe(symbols)

    def _query(self, line: str, query: str) -> pl.DataFrame | None:
        parser = _parser("%%ltp")
        parser.add_argument("-o", "--out", metavar="NAME")
        asked = parser.parse_args(shlex.split(line))
        if asked.out is not None and not asked.out.isidentifier():
            raise UsageError(f"-o {asked.out}: the answer goes to a variable, and that is no name of one.")
        source = self._source(asked.source)
        if source is None:
            raise UsageError(
                f"No stream is in {_STREAM}. Start one: %ltp RELIANCE TCS, or name one: --from NAME"
            )
        text, params = bound(query.strip(), self._namespace)
        frames = {
            name: value
            for name, value in self._namespace.items()
            if not name.startswith("_") and _is_table(value) and re.search(rf"\b{re.escape(name)}\b", text)
        }
        try:
            answer = source.sql(text, params or None, **frames)
        except duckdb.Error as error:
            raise UsageError(query_trouble(error)) from None
        if asked.out is None:
            return answer
        self._namespace[asked.out] = answer
        return None

    @property
    def _namespace(self) -> dict[str, Any]:
        shell: Any = self.shell
        namespace: dict[str, Any] = shell.user_ns
        return namespace

    def _source(self, name: str | None) -> Frames | None:
        found = self._namespace.get(name or _STREAM)
        if isinstance(found, Frames):
            return found
        if name is not None:
            what = "nothing" if found is None else f"a {type(found).__name__}"
            raise UsageError(f"{name} holds {what}, and should hold a stream, a replay or a store.")
        return None

    def complete(self, context: CompletionContext) -> Any:
        """Return the symbols, and in a query columns and tables, that go on from before the cursor."""
        lines = context.full_text.split("\n")
        first = lines[0].lstrip()
        query = first.startswith("%%ltp")
        if not query and not lines[context.cursor_line].lstrip().startswith("%ltp"):
            return {"completions": []}
        if query and context.cursor_line == 0:
            return {"completions": []}
        match = _WORD.search(lines[context.cursor_line][: context.cursor_position])
        fragment = match.group() if match else ""
        found = [
            SimpleCompletion(word, type=kind)
            for word, kind in self._words(query=query)
            if word.casefold().startswith(fragment.casefold())
        ]
        return {"completions": found, "matched_fragment": fragment, "suppress": bool(found)}

    def _words(self, *, query: bool) -> list[tuple[str, str]]:
        source = self._source(None)
        if source is None:
            from ltpkit.nifty import LISTING

            names = [f"NSE:{one.symbol}" for one in LISTING]
        else:
            names = source.known()
        words = {part: "symbol" for name in names for part in (name.partition(":")[2], name)}
        if query:
            columns = (*schema.TICKS, *schema.DEPTH, *schema.EVENTS)
            words = {
                **dict.fromkeys(columns, "column"),
                **dict.fromkeys(schema.QUERY_TABLES, "table"),
                **words,
            }
        return sorted(words.items())


def bound(query: str, namespace: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return a query with its variables as parameters, and their values.

    Raises
    ------
    UsageError
        A variable is not there.

    Examples
    --------
    >>> bound("SELECT '$5', {{ x }} WHERE symbol = $s", {"x": 1, "s": "TCS"})
    ("SELECT '$5', $x WHERE symbol = $s", {'x': 1, 's': 'TCS'})
    """
    text = _BRACES.sub(r"$\1", query)
    names = [match.group(1) for match in _DOLLAR.finditer(text) if match.group(1)]
    for name in names:
        if name not in namespace:
            raise UsageError(f"The query speaks of ${name}, and there is no variable of that name.")
    return text, {name: namespace[name] for name in names}


def _is_table(value: object) -> bool:
    return not isinstance(value, Frames) and hasattr(value, "__arrow_c_stream__")


def load(shell: InteractiveShell) -> None:
    """Make the magics known to a notebook's or terminal's IPython."""
    magics = LtpMagics(shell)
    shell.register_magics(magics)

    @context_matcher(identifier="ltpkit")  # type: ignore[untyped-decorator]
    def symbols_and_columns(context: CompletionContext) -> Any:
        return magics.complete(context)

    matchers = shell.Completer.custom_matchers
    matchers[:] = [one for one in matchers if getattr(one, "matcher_identifier", "") != "ltpkit"]
    matchers.append(symbols_and_columns)
