"""Whether a path holds a person's name, as /photos/people/Ada/1.jpg holds Ada's."""

import os
import re
import unicodedata
from collections.abc import Iterable

_SEPARATORS = re.compile(r"[\s_.+-]+")
_UNLIKE = re.compile(r"[^a-z0-9]+")  # may be spelled otherwise, or mean something in a pattern


class NamesInPaths:
    """Looks for names in paths.

    However it is spelled there: in capitals or not, with _ or - for a space, composed or not. Parts of
    words do not count (Adam is not Ada), nor do the longer names of others (Ada Lovelace), nor the folder
    of the user's account.

    Args:
        names: To look for.
        others: Names of other people.
    """

    def __init__(self, names: Iterable[str], others: Iterable[str] = ()) -> None:
        self._names = [plain for name in names if (plain := _plain(name))]
        longer = (_plain(other) for other in others)
        self._others = [other for other in longer if any(name in other for name in self._names)]
        self._home = os.path.expanduser("~")  # noqa: PTH111 (Path's raises where an account has no home)

    def within(self, path: str) -> bool:
        """Whether one of the names is in a path."""
        text = _plain(path.removeprefix(self._home))
        if not any(name in text for name in self._names):  # as in most
            return False
        for other in self._others:
            text = text.replace(other, "/")
        return any(_holds(text, name) for name in self._names)


def rough_pattern(name: str) -> str:
    """What SQLite's LIKE finds in every text of plain ASCII that holds a name; and in some that do not."""
    return f"%{_UNLIKE.sub('%', _plain(name))}%"


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    return _SEPARATORS.sub(" ", folded).strip()


def _holds(text: str, name: str) -> bool:
    """Whether a name is in a text, and is not a part of a word there."""
    at = text.find(name)
    while at >= 0:
        before, after = text[:at][-1:], text[at + len(name) :][:1]
        if not (_one_word(before, name[:1]) or _one_word(name[-1:], after)):
            return True
        at = text.find(name, at + 1)
    return False


def _one_word(*letters: str) -> bool:
    """Whether two neighbors are of one word; scripts without capitals may write words without spaces."""
    return all(letter.lower() != letter.upper() for letter in letters)
