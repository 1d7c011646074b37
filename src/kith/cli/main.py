"""Where the command line begins, and the one place where errors become exit codes."""

import io
import os
import sys
from contextlib import suppress

from kith.cli.exit_codes import ERROR, INTERRUPTED, exit_code
from kith.errors import KithError


def main() -> None:
    """Run the command line; never returns."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names that the terminal has no letters for
    sys.exit(run())


def run() -> int:
    """Run the command line and return its exit code."""
    try:
        from kith.cli.app import app  # here: it takes half a second, which Ctrl-C may hit

        result = app(prog_name="kith", standalone_mode=False)
        sys.stdout.flush()
    except KithError as error:
        return _fail(str(error), exit_code(error))
    except KeyboardInterrupt:
        return _interrupted()
    except (BrokenPipeError, SystemExit):  # the reader went away; typer makes an exit of that
        _drop_output()
        return ERROR
    except OSError as error:
        if error.filename:
            return _fail(f"{error.filename}: {error.strerror}", ERROR)
        _drop_output()  # most likely it could not be written
        return _fail(str(error), ERROR)
    except ValueError as error:
        return _fail(str(error), ERROR)
    except Exception as error:
        return _of_typer(error)
    if result == INTERRUPTED:  # what typer makes of Ctrl-C
        return _interrupted()
    return result if isinstance(result, int) else 0


def _drop_output() -> None:
    """Send nowhere what is still to be written; else Python tries at its end, and fails with a traceback."""
    with suppress(OSError):  # of a program that runs a verb in its own process
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _of_typer(error: Exception) -> int:
    import typer

    if isinstance(error, typer.Abort):
        return _interrupted()
    if not hasattr(error, "show"):  # typer keeps the class of those that show how to use it private
        raise error
    error.show()
    return ERROR


def _interrupted() -> int:
    return _fail("interrupted; what was done before stays, run it again to go on", INTERRUPTED)


def _fail(text: str, code: int) -> int:
    from kith.cli.console import complain

    complain(text)
    return code
