"""Where the command line begins, and the one place where errors become exit codes."""

import io
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from kith.cli.debugging import DEBUG_OPTION, is_wanted, log_told, show_traceback
from kith.cli.exit_codes import ERROR, INTERRUPTED, MISTAKE, exit_code
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
    arguments = sys.argv[1:]
    debug = is_wanted(arguments)
    try:
        _require_no_empty_argument(arguments)
        from kith.cli.app import app  # here: it takes half a second, which Ctrl-C may hit
        from kith.cli.console import warn

        with log_told(debug=debug), _flaws_told(warn):
            result = app(
                [word for word in arguments if word != DEBUG_OPTION], prog_name="kith", standalone_mode=False
            )
        sys.stdout.flush()
    except Interrupted as interruption:
        return _interrupted(str(interruption))
    except KeyboardInterrupt:
        return _interrupted()
    except (BrokenPipeError, SystemExit):  # the reader went away; typer makes an exit of that
        _drop_output()
        return ERROR
    except (KithError, OSError) as error:
        if debug:
            show_traceback(error)
        return _of_the_world(error)
    except Exception as error:
        return _of_typer(error)
    if result == INTERRUPTED:  # what typer makes of Ctrl-C
        return _interrupted()
    return result if isinstance(result, int) else 0


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


def _of_the_world(error: KithError | OSError) -> int:
    """Tell of what can go wrong where nobody made a mistake in Kith."""
    if isinstance(error, KithError):
        from kith.cli.hints import with_hint  # here: it takes time that most commands need not

        return _fail(with_hint(error), exit_code(error))
    if error.filename:
        return _fail(f"{error.filename}: {error.strerror}", ERROR)
    _drop_output()  # most likely it could not be written
    return _fail(str(error), ERROR)


def _of_typer(error: Exception) -> int:
    import typer

    if isinstance(error, typer.Abort):
        return _interrupted()
    if not hasattr(error, "show"):  # typer keeps the class of those that show how to use it private
        return _of_ours(error)
    error.show()
    return ERROR


def _of_ours(error: Exception) -> int:
    """Tell of a mistake in Kith, with what it takes to find it."""
    show_traceback(error)
    return _fail(
        "this is a mistake in Kith, not yours: please report it with the lines above, but without names "
        "and paths that are private",
        MISTAKE,
    )


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
