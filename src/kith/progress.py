"""Long work tells how far it is, in one way; whoever called it may look, or not.

    for photo in each(photos, "enrolling", progress):
        ...

What begins ends what was begun before: there is one thing being done at a time.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, TypeVar

Item = TypeVar("Item")

BYTES = "bytes"


class Progress(Protocol):
    """Who is told of long work while it lasts."""

    def begin(self, what: str, total: int = 0, *, done: int = 0, unit: str = "") -> None:
        """Something else is being done from now on.

        Args:
            what: In a few words, such as "enrolling".
            total: How many steps it has; 0 if it has none, or none knows.
            done: How many of them were done at another time.
            unit: `BYTES`, where the steps are that; else they are things.
        """
        ...

    def advance(self, count: int = 1, how: str = "") -> None:
        """So many more steps are done.

        Args:
            count: Of them.
            how: How it goes, where there is something to tell, such as "loss 0.1234".
        """
        ...

    def say(self, text: str) -> None:
        """Something a person should know, in one line."""
        ...


class _Silent:
    """Nobody looks."""

    def begin(self, what: str, total: int = 0, *, done: int = 0, unit: str = "") -> None:
        """Tell no one."""

    def advance(self, count: int = 1, how: str = "") -> None:
        """Tell no one."""

    def say(self, text: str) -> None:
        """Tell no one."""


SILENT: Progress = _Silent()


def each(items: Sequence[Item], what: str, progress: Progress) -> Iterator[Item]:
    """Go through items and tell how far it is; one is done when the next is asked for."""
    return counted(items, len(items), what, progress)


def counted(items: Iterable[Item], total: int, what: str, progress: Progress) -> Iterator[Item]:
    """The same with items of which only the number is known before."""
    progress.begin(what, total)
    for item in items:
        yield item
        progress.advance()
