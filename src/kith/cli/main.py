"""`kith`: the verbs, and the one place where errors become exit codes."""

import sys
from typing import Annotated

import click
import typer

from kith import __version__
from kith.cli import demo, detect, embed, enroll, evaluate, identify, models, people, verify
from kith.cli.console import complain
from kith.cli.exit_codes import ERROR, INTERRUPTED, exit_code
from kith.errors import KithError

app = typer.Typer(
    help="Recognize the people in photographs, and say 'unknown' of a stranger.",
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
app.command()(demo.demo)
app.add_typer(people.app, name="people")
app.add_typer(models.app, name="models")
app.add_typer(evaluate.app, name="evaluate")


@app.callback()
def _global(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and stop.", is_eager=True)
    ] = False,
) -> None:
    if version:
        typer.echo(f"kith {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line; never returns."""
    sys.exit(run())


def run() -> int:
    """Run the command line and return its exit code."""
    try:
        result = app(standalone_mode=False)
    except KithError as error:
        complain(str(error))
        return exit_code(error)
    except click.ClickException as error:
        error.show()
        return ERROR
    except (KeyboardInterrupt, click.Abort):
        complain("interrupted; what was done before stays")
        return INTERRUPTED
    except BrokenPipeError:
        sys.stdout = None  # type: ignore[assignment]  # the reader went away: nothing more can be said
        return ERROR
    except (OSError, ValueError) as error:
        complain(_explain(error))
        return ERROR
    return result if isinstance(result, int) else 0


def _explain(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error)
