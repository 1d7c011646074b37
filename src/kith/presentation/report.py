"""An evaluation as a page to look at: one HTML file that needs nothing else, and the figures as JSON."""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from kith.errors import EvaluationError
from kith.files import write_private

PAGE, FIGURES = "index.html", "result.json"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under a title."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    text: str = ""


@dataclass(frozen=True, slots=True)
class Plot:
    """A picture of numbers, as SVG."""

    title: str
    svg: str
    text: str = ""

    @property
    def markup(self) -> Markup:
        """The SVG, which we made ourselves: it is not escaped."""
        return Markup(self.svg)  # noqa: S704


@dataclass(frozen=True, slots=True)
class Photos:
    """Rows of photographs (JPEG), each with a caption."""

    title: str
    rows: Sequence[tuple[str, Sequence[bytes]]]
    text: str = ""

    @property
    def sources(self) -> list[tuple[str, list[str]]]:
        """The rows, with the photographs as addresses that hold them."""
        return [
            (caption, [f"data:image/jpeg;base64,{base64.b64encode(one).decode()}" for one in photos])
            for caption, photos in self.rows
        ]


@dataclass(frozen=True, slots=True)
class Report:
    """A page.

    Attributes:
        title: What was evaluated.
        summary: Lines to read first.
        blocks: What follows.
    """

    title: str
    summary: Sequence[str]
    blocks: Sequence[Table | Plot | Photos]


def on_data(data: str) -> str:
    """What follows a model's name: on what it was measured, if that has a name."""
    return f", on {data}" if data else ""


def write_report(folder: Path, report: Report, figures: Mapping[str, Any]) -> Path:
    """Write a report's page and its figures into a folder, and return the page's path.

    Raises:
        EvaluationError: It cannot be written.
    """
    page = folder / PAGE
    try:
        write_private(folder / FIGURES, (json.dumps(figures, indent=2, ensure_ascii=False) + "\n").encode())
        write_private(page, render(report).encode())
    except OSError as error:
        raise EvaluationError(f"{error.filename or folder}: {error.strerror}") from None
    return page


def render(report: Report) -> str:
    """The page as HTML; every text in it is escaped."""
    kinds = {Table: "table", Plot: "plot", Photos: "photos"}
    blocks = [(kinds[type(block)], block) for block in report.blocks]
    return "".join(page("report.html", report=report, blocks=blocks))


def page(template: str, **values: object) -> Iterator[str]:
    """A page of a template beside this file, in parts; every text in it is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True
    )
    stream = environment.get_template(template).stream(**values)
    stream.enable_buffering()
    return stream
