"""How far long work is: a bar on a terminal; without one, a line every minute."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from kith.cli import console

if TYPE_CHECKING:
    from kith.runtime.prepare import Notify

Item = TypeVar("Item")

HEARTBEAT = 60.0
"""Seconds between two lines where there is no terminal."""


def track(items: Sequence[Item], what: str, *, bar: bool = True) -> Iterator[Item]:
    """Go through items and show how far it is.

    Args:
        items: To go through.
        what: Is being done, such as "enrolling".
        bar: Whether a bar may be shown; not where answers appear on the terminal meanwhile.
    """
    if console.stderr.is_terminal:
        if bar and len(items) > 1:
            with bars(MofNCompleteColumn(), TimeRemainingColumn()) as progress:
                yield from progress.track(items, description=what)
        else:
            yield from items
        return
    done, started = 0, time.monotonic()

    def describe() -> str:
        return f"{what}: {done:,} of {len(items):,}{_left(done, len(items), time.monotonic() - started)}"

    with heartbeat(describe):
        for item in items:
            yield item
            done += 1


@contextmanager
def heartbeat(describe: Callable[[], str]) -> Iterator[None]:
    """Tell every minute what is going on, also while one step takes long."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(HEARTBEAT):
            console.note(describe())

    thread = threading.Thread(target=beat, daemon=True, name="kith-heartbeat")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _left(done: int, total: int, seconds: float) -> str:
    """How long the rest will take, as far as what was done can tell."""
    if not done:
        return ""
    minutes = round(seconds / done * (total - done) / 60)
    return f", about {console.count(minutes, 'minute')} left" if minutes else ", less than a minute left"


@contextmanager
def preparing() -> Iterator["Notify"]:
    """Show what is being prepared: a spinner on a terminal, else a line where it takes long."""
    if console.stderr.is_terminal:
        with console.stderr.status("loading models") as status:
            yield lambda message: status.update(f"first run: {message}")
        return
    doing = "loading models"

    def notify(message: str) -> None:
        nonlocal doing
        doing = f"first run: {message}"

    with heartbeat(lambda: doing):
        yield notify


@contextmanager
def downloading(name: str) -> Iterator[Callable[[int, int], None]]:
    """Show how far a download is."""
    if console.stderr.is_terminal:
        with bars(DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()) as progress:
            task = progress.add_task(f"fetching {name}", total=None)
            yield lambda done, total: progress.update(task, completed=done, total=total or None)
        return
    fetched = 0

    def show(done: int, total: int) -> None:
        nonlocal fetched
        fetched = done

    with heartbeat(lambda: f"fetching {name}: {fetched / 1e6:,.0f} MB"):
        yield show


def bars(
    *columns: MofNCompleteColumn | DownloadColumn | TransferSpeedColumn | TimeRemainingColumn,
) -> Progress:
    """A bar on standard error, with these columns at its right."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        *columns,
        console=console.stderr,
        transient=True,
        redirect_stdout=False,  # rich would write answers that go into a file to the terminal
    )
