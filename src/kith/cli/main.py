"""Where the command line begins, and the one place where errors become exit codes."""

import io
import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from kith.cli.exit_codes import ERROR, INTERRUPTED, exit_code
from kith.cli.interruption import Interrupted, exit_code_of_signal, heed_signals
from kith.errors import ImageWarning, KithError


def main() -> None:
    """Run the command line; never returns."""
    heed_signals()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names that the terminal has no letters for
    sys.exit(run())


def run() -> int:
    """Run the command line and return its exit code."""
    try:
        _require_no_empty_argument(sys.argv[1:])
        from kith.cli.app import app  # here: it takes half a second, which Ctrl-C may hit

        with _warnings_told():
            result = app(prog_name="kith", standalone_mode=False)
        sys.stdout.flush()
    except KithError as error:
        return _fail(str(error), exit_code(error))
    except Interrupted as interruption:
        return _interrupted(str(interruption))
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


@contextmanager
def _warnings_told() -> Iterator[None]:
    """Tell what the library warns of, photos with a flaw and what it logs, in lines of our own."""
    from kith.cli.console import warn

    logger, handler = logging.getLogger("kith"), _Teller(logging.WARNING)
    logger.addHandler(handler)
    try:
        with _flaws_told(warn):
            yield
    finally:
        logger.removeHandler(handler)


class _Teller(logging.Handler):
    """Tells what is logged as a warning."""

    def emit(self, record: logging.LogRecord) -> None:
        from kith.cli.console import warn

        warn(record.getMessage().removeprefix("kith: "))


@contextmanager
def _flaws_told(tell: Callable[[str], None]) -> Iterator[None]:
    """Tell of each photo that was read although something is wrong with it."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", ImageWarning)
        show = warnings.showwarning

        def show_in_a_line(message: Warning | str, category: type[Warning], *where: Any) -> None:
            if issubclass(category, ImageWarning):
                tell(str(message))
            else:
                show(message, category, *where)

        warnings.showwarning = show_in_a_line  # type: ignore[assignment]  # catch_warnings takes it back
        yield


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


def _require_no_empty_argument(arguments: Sequence[str]) -> None:
    """Refuse what an unset variable of a script leaves: as a path it would mean the current folder.

    Raises:
        KithError: An argument, or an option's value, is empty.
    """
    for before, argument in zip(["", *arguments], arguments, strict=False):
        name, equals, value = argument.partition("=")
        if argument == "" or (name.startswith("-") and equals and value == ""):
            option = name or before
            what = f"the value of {option}" if option.startswith("-") else "an argument"
            raise KithError(f"{what} is empty; is a variable of a script not set?")


def _interrupted(leaves: str = "") -> int:
    return _fail(f"interrupted; {leaves}" if leaves else "interrupted", exit_code_of_signal())


def _fail(text: str, code: int) -> int:
    from kith.cli.console import complain

    complain(text)
    return code
