"""Answers that appear as they are found: what was found before a break has been said."""

import sys
from collections.abc import Sequence
from enum import StrEnum
from types import TracebackType
from typing import Any, Self

from rich.cells import cell_len
from rich.text import Text

from kith.cli.console import json_text, print_json, printable, stdout
from kith.errors import KithError


class Form(StrEnum):
    """How answers are written: for people, as one JSON array, or as one JSON object a line."""

    TEXT = "text"
    JSON = "json"
    JSONL = "jsonl"


def form_of(as_json: bool, as_jsonl: bool) -> Form:
    """The form that a verb's two options ask for.

    Raises:
        KithError: Both were given.
    """
    if as_json and as_jsonl:
        raise KithError("--json and --jsonl are two forms of one answer; choose one")
    return Form.JSON if as_json else Form.JSONL if as_jsonl else Form.TEXT


class Answers:
    """Writes each answer to standard output at once; to be used in a `with` statement.

    A JSON array is closed however the work ends, Ctrl-C included: what was written can be read.

    Args:
        form: How they are written.
        columns: The heads of the rows for people; in a pipe, rows are tab-separated and have no head.
        widths: Of the columns on a terminal, in cells; a wider entry moves the rest of its row.
    """

    def __init__(self, form: Form, columns: Sequence[str], widths: Sequence[int]) -> None:
        self._form = form
        self._columns = columns
        self._widths = [max(width, cell_len(column)) for width, column in zip(widths, columns, strict=True)]
        self._count = 0

    @property
    def on_terminal(self) -> bool:
        """Whether the answers appear where a bar would be in their way."""
        return self._form is Form.TEXT and stdout.is_terminal

    def __enter__(self) -> Self:
        if self._form is Form.JSON:
            sys.stdout.write("[")
        elif self.on_terminal:
            stdout.print(self._row(self._columns, style="bold"))
        return self

    def add(self, value: dict[str, Any], rows: Sequence[Sequence[str]]) -> None:
        """Write one answer, in the form for programs or in that for people."""
        if self._form is Form.JSON:
            text = json_text([value])[2:-2]  # one element, indented as in an array
            sys.stdout.write((",\n" if self._count else "\n") + text)
        elif self._form is Form.JSONL:
            print_json(value, indent=None)
        else:
            for row in rows:
                self._print(row)
        self._count += 1
        sys.stdout.flush()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._form is Form.JSON:
            sys.stdout.write("\n]\n" if self._count else "]\n")
            sys.stdout.flush()

    def _print(self, row: Sequence[str]) -> None:
        if self.on_terminal:
            stdout.print(self._row(row))
        else:
            sys.stdout.write("\t".join(map(printable, row)) + "\n")

    def _row(self, cells: Sequence[str], style: str = "") -> Text:
        padded = (
            cell + " " * (width - cell_len(cell))
            for cell, width in zip(map(printable, cells), self._widths, strict=True)
        )
        return Text("  ".join(padded).rstrip(), style=style)
