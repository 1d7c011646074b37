"""Ctrl-C, and the signals that a system ends programs with: what they leave, said truly."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_ENDING = ("SIGTERM", "SIGHUP")  # the second is not everywhere

_received = signal.SIGINT


class Interrupted(Exception):
    """A verb was interrupted; its text says what became of its work."""


@contextmanager
def interruptible(leaves: Callable[[], str]) -> Iterator[None]:
    """Where work can be interrupted.

    Args:
        leaves: Says what an interruption leaves, at the time it happens.

    Raises:
        Interrupted: It was.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(leaves()) from None


@contextmanager
def undisturbed() -> Iterator[None]:
    """Where work is done whole: a signal that ends programs is heeded at its end."""
    came: list[int] = []
    numbers = [signal.SIGINT, *filter(None, (getattr(signal, name, None) for name in _ENDING))]
    handlers = {number: signal.getsignal(number) for number in numbers}
    heeded = {number: handler for number, handler in handlers.items() if callable(handler)}
    for number in heeded:
        signal.signal(number, lambda number, _: came.append(number))
    try:
        yield
    finally:
        for number, handler in heeded.items():
            signal.signal(number, handler)
    if came:
        signal.raise_signal(came[0])


def heed_signals() -> None:
    """Take the signals that end programs as Ctrl-C is taken, unless whoever started this ignores them."""
    for name in _ENDING:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _stop)


def exit_code_of_signal() -> int:
    """What a shell expects of a program that was ended by the signal that came."""
    return 128 + _received


def _stop(number: int, _frame: FrameType | None) -> None:
    global _received
    _received = signal.Signals(number)
    raise KeyboardInterrupt
