"""Which files of a folder are photos; what is none is counted, never passed over in silence.

A photo is told by its content, so that it may be called `scan.jfif`, `IMG_2041` or `a.jpg.bak`. Two kinds
of entries are not meant to be looked at and are not counted either: what is hidden or a system's own (names
that begin with a dot, the thumbnails of a NAS, a recycle bin), and notes beside photos (`.xmp`, `.json`).
"""

import os
import re
import stat
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from kith.errors import ImageError
from kith.images.formats import HEAD, HEIF, SUFFIXES, SUFFIXES_READ, formats_read, picture_format

NO_SUFFIX = "no suffix"
NO_FILE = "no regular file"  # a pipe, a socket, a device

_SYSTEM = frozenset(
    ("@eaDir", "#recycle", "$RECYCLE.BIN", "System Volume Information", "Thumbs.db", "desktop.ini")
)
_NOTES = frozenset(
    (".aae", ".csv", ".db", ".db-shm", ".db-wal", ".htm", ".html", ".ini", ".json", ".md", ".pp3")
    + (".txt", ".xml", ".xmp", ".yaml", ".yml")
)
_SUFFIX = re.compile(r"\.[A-Za-z0-9_+~-]{1,12}\Z")


@dataclass(frozen=True, slots=True)
class FoundPhotos:
    """What is under a folder.

    Attributes:
        photos: Files that are pictures, or are called so and will be found damaged; sorted.
        left_out: How many files are none that can be read here, by suffix, as in {".MOV": 3}.
        unreadable: Folders and files that cannot be looked into, each with the reason; sorted.
    """

    photos: tuple[Path, ...]
    left_out: Mapping[str, int]
    unreadable: tuple[tuple[Path, str], ...]


def find_photos(folder: str | os.PathLike[str]) -> FoundPhotos:
    """All photos under a folder, at any depth; links to folders are followed, each folder is read once.

    Raises:
        ImageError: There is no such folder, or it cannot be read itself.
    """
    if not os.fspath(folder).strip():
        raise ImageError("an empty path names no folder; the one you are in is called: .")
    root = Path(folder)
    try:
        os.scandir(root).close()
    except (OSError, ValueError) as error:  # a name with a NUL is a ValueError
        raise ImageError(f"{root}: the folder cannot be read ({_reason(error)})") from None
    search = _Search()
    search.look_into(root)
    return search.found()


def describe_left_out(found: FoundPhotos) -> str:
    """What was left out, for people: "12 .HEIC, 3 .MOV left out"; empty if nothing was."""
    if not found.left_out:
        return ""
    by_number = sorted(found.left_out.items(), key=lambda item: (-item[1], item[0]))
    text = ", ".join(f"{number} {what}" for what, number in by_number) + " left out"
    missing = any("HEI" in what.upper() for what in found.left_out) and HEIF not in formats_read()
    return f"{text}; HEIC is read after: pip install 'kith[heif]'" if missing else text


def folders_in(folder: Path) -> list[Path]:
    """The folders directly in a folder, less those that are hidden or a system's own; sorted."""
    return sorted(path for path, _ in _entries(folder) if path.is_dir())


def require_not_whole_disk(path: Path) -> None:
    """Refuse the root of a file system: "$PHOTOS/" is that where PHOTOS is not set.

    Raises:
        ImageError: It is.
    """
    if path.is_dir() and path.resolve() == Path(path.resolve().anchor):
        raise ImageError(f"{path}: is the whole disk; name the folder of the photos")


class _Search:
    """One walk over a folder, and what it has met."""

    def __init__(self) -> None:
        self._unreadable: list[tuple[Path, str]] = []
        self._photos: list[Path] = []
        self._left_out: Counter[str] = Counter()
        self._readable = frozenset(formats_read())

    def found(self) -> FoundPhotos:
        """What was met, in order."""
        return FoundPhotos(
            tuple(sorted(self._photos)),
            dict(sorted(self._left_out.items())),
            tuple(sorted(self._unreadable)),
        )

    def look_into(self, root: Path) -> None:
        """Look into a folder and all below it; links last, so that a folder keeps its own path."""
        seen: set[tuple[int, int]] = set()
        folders, links = [root], list[Path]()
        while folders or links:
            folder = folders.pop() if folders else links.pop()
            try:
                status = folder.stat()
                place = (status.st_dev, status.st_ino)
                if status.st_ino and place in seen:  # some file systems know no numbers
                    continue
                seen.add(place)
                entries = list(_entries(folder))
            except OSError as error:
                self._tell(folder, error)
                continue
            for path, is_link in entries:
                if self._is_folder(path):
                    (links if is_link else folders).append(path)

    def _is_folder(self, path: Path) -> bool:
        """Whether it is a folder; a file is looked at."""
        try:
            mode = path.stat().st_mode
            if stat.S_ISDIR(mode):
                return True
            if not stat.S_ISREG(mode):
                self._left_out[NO_FILE] += 1  # opening it could wait for ever
            elif path.suffix.lower() not in _NOTES:
                self._look_at(path)
        except OSError as error:
            self._tell(path, error)
        return False

    def _look_at(self, path: Path) -> None:
        with path.open("rb", buffering=0) as file:
            kind = picture_format(file.read(HEAD))
        suffix = path.suffix.lower()
        if not kind and suffix in SUFFIXES:
            self._photos.append(path)  # empty or damaged: whoever reads it will say so
        elif kind not in self._readable or (kind == "TIFF" and suffix and suffix not in SUFFIXES):
            self._left_out[_kind_of_file(path, kind)] += 1  # the latter is a camera's own, such as .NEF
        else:
            self._photos.append(path)

    def _tell(self, path: Path, error: OSError) -> None:
        if isinstance(error, FileNotFoundError) and not path.is_symlink():
            return  # it has just been deleted
        gone = isinstance(error, FileNotFoundError)
        self._unreadable.append((path, "a link to nothing" if gone else _reason(error)))


def _entries(folder: Path) -> Iterator[tuple[Path, bool]]:
    """The paths in a folder, and whether each is a link."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.startswith(".") and entry.name not in _SYSTEM:
                yield folder / entry.name, entry.is_symlink()


def _kind_of_file(path: Path, kind: str) -> str:
    """What to call files like this: by suffix, and by what is in it where the suffix says another thing."""
    match = _SUFFIX.search(path.name)
    if match is None:
        return NO_SUFFIX
    misnamed = kind and match[0].lower() in SUFFIXES_READ
    return f"{match[0]} ({kind})" if misnamed else match[0]


def _reason(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or str(error)
