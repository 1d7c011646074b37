"""What goes on inside, for whoever looks for a mistake: what is logged, and where an error came from."""

import logging
import os
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

DEBUG_OPTION = "--debug"
DEBUG_VARIABLE = "KITH_DEBUG"


def is_wanted(arguments: Sequence[str]) -> bool:
    """Whether all that goes on is to be told: by an option, wherever it stands, or by the environment."""
    return DEBUG_OPTION in arguments or os.environ.get(DEBUG_VARIABLE, "") not in ("", "0")


@contextmanager
def log_told(*, debug: bool) -> Iterator[None]:
    """Tell what the library logs, in lines of our own: warnings, or all of it."""
    logger, handler = logging.getLogger("kith"), _Teller()
    before = logger.level
    logger.addHandler(handler)
    if debug:
        logger.setLevel(logging.DEBUG)
    else:
        handler.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


class _Teller(logging.Handler):
    """Tells what is logged."""

    def emit(self, record: logging.LogRecord) -> None:
        from kith.cli.console import note, warn

        tell = warn if record.levelno >= logging.WARNING else note
        tell(record.getMessage().removeprefix("kith: "))


def show_traceback(error: BaseException) -> None:
    """Tell where an error came from, line by line: what is in it must not steer the terminal."""
    from kith.cli.console import note

    for line in "".join(traceback.format_exception(error)).splitlines():
        note(line)
