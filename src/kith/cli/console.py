"""What people see: answers on standard output, everything else on standard error."""

import json
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

stdout = Console(soft_wrap=True, highlight=False)
stderr = Console(stderr=True, soft_wrap=True, highlight=False)


def print_json(value: Any, *, indent: int | None = 2) -> None:
    """Print a value as JSON; without indent in one line, and at once."""
    sys.stdout.write(json_text(value, indent=indent) + "\n")
    if indent is None:
        sys.stdout.flush()


def json_text(value: Any, *, indent: int | None = 2) -> str:
    """A value as JSON: names keep their script, but what would steer a terminal is escaped."""
    return json.dumps(value, ensure_ascii=False, indent=indent).translate(_escapes)


class _Escapes(dict[int, str]):
    """What each character becomes in JSON text; of those made so far, to be quick."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        # line breaks lie between values, and all else that would steer a terminal in strings
        kept = character == "\n" or _is_harmless(character)
        self[code] = character if kept else json.dumps(character)[1:-1]
        return self[code]


_escapes = _Escapes()


def print_line(text: str) -> None:
    """Print an answer; the text is never taken for markup."""
    stdout.print(Text(printable(text)))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print an answer of several columns; in a pipe, tab-separated and without a head."""
    if not stdout.is_terminal:
        for row in rows:
            sys.stdout.write("\t".join(printable(cell) for cell in row) + "\n")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    stdout.print(table)


def note(text: str) -> None:
    """Tell something beside the answer."""
    stderr.print(Text(printable(text)))


def warn(text: str) -> None:
    """Tell that something was left out."""
    stderr.print(Text.assemble(("warning: ", "yellow"), printable(text)))


def complain(text: str) -> None:
    """Tell what is wrong, in one line."""
    stderr.print(Text.assemble(("error: ", "red bold"), printable(text)))


def printable(text: str) -> str:
    """A text in one line without control characters: a file's name must not steer the terminal."""
    return "".join(character if _is_harmless(character) else ascii(character)[1:-1] for character in text)


def _is_harmless(character: str) -> bool:
    """Whether a character is shown, or joins others as in emoji, and does not turn the text's direction."""
    joins = unicodedata.category(character) == "Cf" and unicodedata.bidirectional(character) == "BN"
    return character.isprintable() or joins


def count(number: int, one: str, many: str = "") -> str:
    """A number of things: "1 photo", "2 photos"."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"
