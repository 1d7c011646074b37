"""How far long work is: a bar on a terminal; without one, a line every minute."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TypeVar

from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as Bars

from kith.cli import console
from kith.progress import BYTES, Progress, each

Item = TypeVar("Item")

HEARTBEAT = 60.0
"""Seconds between two lines where there is no terminal."""


@contextmanager
def telling(
    what: str = "", *, bar: bool = True, say: Callable[[str], None] = console.warn
) -> Iterator[Progress]:
    """Show how far the work within is.

    Args:
        what: Is being done at first, if that may take long.
        bar: Whether a bar may be shown; not where answers appear on the terminal meanwhile.
        say: Tells what the work has to say.
    """
    told = _OnTerminal(say, bar=bar) if console.stderr.is_terminal else _InPipe(say)
    if what:
        told.begin(what)
    with told.shown():
        yield told


def track(items: Sequence[Item], what: str, *, bar: bool = True) -> Iterator[Item]:
    """Go through items and show how far it is."""
    with telling(bar=bar) as progress:
        yield from each(items, what, progress)


class _OnTerminal:
    """A bar; a spinner where nothing is counted."""

    def __init__(self, say: Callable[[str], None], *, bar: bool) -> None:
        self.say = say
        self._bar = bar
        self._what = ""
        self._bars: Bars | None = None
        self._task = TaskID(0)
        self._screen = ExitStack()

    @contextmanager
    def shown(self) -> Iterator[None]:
        """While this lasts; afterwards the screen is as it was."""
        try:
            yield
        finally:
            self._screen.close()

    def begin(self, what: str, total: int = 0, *, done: int = 0, unit: str = "") -> None:
        self._screen.close()
        self._what, self._bars = what, None
        if not self._bar or (total == 1 and not unit):
            return
        if total or unit:
            self._bars = self._screen.enter_context(_bars(unit))
            self._task = self._bars.add_task(what, total=total or None, completed=done)
        else:
            self._screen.enter_context(console.stderr.status(console.printable(what)))

    def advance(self, count: int = 1, how: str = "") -> None:
        if self._bars is not None:
            self._bars.update(self._task, advance=count, description=how or self._what)


class _InPipe:
    """A line every minute, also while one step takes long."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self._what, self._how, self._unit = "", "", ""
        self._before = self._done = self._total = 0
        self._started = time.monotonic()

    def begin(self, what: str, total: int = 0, *, done: int = 0, unit: str = "") -> None:
        self._what, self._how, self._unit = what, "", unit
        self._before, self._done, self._total = done, done, total
        self._started = time.monotonic()

    def advance(self, count: int = 1, how: str = "") -> None:
        self._done += count
        self._how = how

    @contextmanager
    def shown(self) -> Iterator[None]:
        """While this lasts."""
        over = threading.Event()

        def beat() -> None:
            while not over.wait(HEARTBEAT):
                if self._what:
                    console.note(self._describe())

        thread = threading.Thread(target=beat, daemon=True, name="kith-heartbeat")
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _describe(self) -> str:
        if self._unit == BYTES:
            return f"{self._what}: {self._done / 1e6:,.0f} MB"
        if not self._total:
            return self._what
        seconds = time.monotonic() - self._started
        left = _left(self._done - self._before, self._total - self._before, seconds)
        how = f", {self._how}" if self._how else ""
        return f"{self._what}: {self._done:,} of {self._total:,}{left}{how}"


def _left(done: int, total: int, seconds: float) -> str:
    """How long the rest will take, as far as what was done can tell."""
    if not done:
        return ""
    minutes = round(seconds / done * (total - done) / 60)
    return f", about {console.count(minutes, 'minute')} left" if minutes else ", less than a minute left"


def _bars(unit: str) -> Bars:
    """A bar on standard error, with columns for such a unit at its right."""
    speed: list[ProgressColumn] = [DownloadColumn(), TransferSpeedColumn()]
    return Bars(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        *(speed if unit == BYTES else [MofNCompleteColumn()]),
        TimeRemainingColumn(),
        console=console.stderr,
        transient=True,
        redirect_stdout=False,  # rich would write answers that go into a file to the terminal
    )
