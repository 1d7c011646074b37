"""The group of verbs, and the options they share."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Measure accuracy on labelled photos.", no_args_is_help=True, rich_markup_mode=None)

People = Annotated[
    Path, typer.Argument(help="A folder of photos, with one folder per person.", readable=False)
]
Keep = Annotated[
    Path | None,
    typer.Option(
        help="Keep the embeddings in this file: an interrupted run goes on, and the next takes seconds."
    ),
]
ReportFolder = Annotated[
    Path | None,
    typer.Option("--report", help="Write a page with plots (index.html) and a result.json into this folder."),
]
Groups = Annotated[
    Path | None,
    typer.Option(help="A CSV of person or photo and group: also show the error rates of each group."),
]
