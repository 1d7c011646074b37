"""Photos that were looked through, and whose file is not there any more.

A file that is missing from its folder is gone. A folder that is missing, or is empty, may be on a disk that
is not plugged in: what lies there is away, and is not taken for gone.
"""

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

_ESCAPED = re.compile(r"\\udc([89a-f][0-9a-f])")  # a byte of a file's name that is no UTF-8


@dataclass(frozen=True, slots=True)
class Gone:
    """Photos without a file.

    Attributes:
        photos: Where those were whose folder is there.
        folders: Folders that are missing or empty, and how many photos lay in each or below it.
    """

    photos: tuple[str, ...]
    folders: Mapping[str, int]


def find_gone(sources: Iterable[str]) -> Gone:
    """Which of these files are gone; each folder is read once, for there may be millions of files."""
    by_folder = defaultdict(list)
    for source in sources:
        by_folder[str(Path(source).parent)].append(source)
    photos: list[str] = []
    folders: dict[str, int] = defaultdict(int)
    for folder, files in by_folder.items():
        names = _names_in(folder)
        missing = [file for file in files if Path(file).name not in names and not is_there(file)]
        if not missing:
            continue
        if names:
            photos += missing
        else:
            folders[_missing_part(folder)] += len(missing)
    return Gone(tuple(sorted(photos)), dict(sorted(folders.items())))


def is_there(source: str) -> bool:
    """Whether a file is there, or at least not known to be missing."""
    return any(not _is_missing(path) for path in {source, on_disk(source)})


def on_disk(source: str) -> str:
    """A path as the system spells it: the bytes that are no UTF-8 are stored in words."""
    return _ESCAPED.sub(lambda match: chr(0xDC00 + int(match[1], 16)), source)


def _is_missing(path: str) -> bool:
    try:
        os.stat(path)  # noqa: PTH116 (the path may be no UTF-8)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:  # as where a folder may not be entered
        return False
    return False


def _names_in(folder: str) -> frozenset[str]:
    """Names in a folder; of one that is missing or cannot be read, none."""
    try:
        return frozenset(os.listdir(on_disk(folder)))  # noqa: PTH208 (names, not paths)
    except OSError:
        return frozenset()


def _missing_part(folder: str) -> str:
    """The highest folder on the way that is missing; or the folder itself, if it is there."""
    path = Path(on_disk(folder))
    for part in (*reversed(path.parents), path):
        if _is_missing(str(part)):
            return str(part)
    return folder
