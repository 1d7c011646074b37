"""`kith`: its verbs."""

from typing import Annotated

import typer

from kith import __version__
from kith.cli import (
    calibrate,
    cluster,
    demo,
    detect,
    embed,
    enroll,
    evaluate,
    gallery,
    identify,
    models,
    people,
    train,
    verify,
)
from kith.cli.debugging import DEBUG_OPTION

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(detect.detect)
app.command()(embed.embed)
app.command()(verify.verify)
app.command()(enroll.enroll)
app.command()(identify.identify)
app.command()(calibrate.calibrate)
app.command()(cluster.cluster)
app.command()(demo.demo)
app.command()(train.train)
app.command()(train.distill)
app.add_typer(people.app, name="people")
app.add_typer(gallery.app, name="gallery")
app.add_typer(models.app, name="models")
app.add_typer(evaluate.app, name="evaluate")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"kith {__version__}")
        raise typer.Exit


@app.callback()
def _global(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", is_eager=True, callback=_show_version)
    ] = False,
    debug: Annotated[  # it may stand anywhere, so `main` has taken it out before typer looks
        bool, typer.Option(DEBUG_OPTION, help="Tell what goes on, and where an error came from.")
    ] = False,
) -> None:
    """Recognize the people in photographs, and say 'unknown' of a stranger."""
