"""What people see: answers on standard output, everything else on standard error."""

import json
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from kith.runtime.prepare import Notify

Item = TypeVar("Item")

stdout = Console(soft_wrap=True, highlight=False)
stderr = Console(stderr=True, soft_wrap=True, highlight=False)


def print_json(value: Any) -> None:
    """Print a value as JSON; names keep their script."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


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


@contextmanager
def preparing() -> Iterator["Notify"]:
    """Show what is being prepared: a spinner on a terminal, nothing in a pipe."""
    if not stderr.is_terminal:
        yield lambda message: None
        return
    with stderr.status("loading models") as status:
        yield lambda message: status.update(f"first run: {message}")


@contextmanager
def downloading(name: str) -> Iterator[Callable[[int, int], None]]:
    """Show how far a download is: a bar on a terminal, nothing in a pipe."""
    if not stderr.is_terminal:
        yield lambda done, total: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=stderr, transient=True) as progress:
        task = progress.add_task(f"fetching {name}", total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total or None)


def track(items: Sequence[Item], description: str) -> Iterator[Item]:
    """Go through items with a progress bar on a terminal; quiet in a pipe."""
    if not stderr.is_terminal or len(items) < 2:
        yield from items
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=stderr, transient=True) as progress:
        yield from progress.track(items, description=description)
