"""What `kith detect` and `kith identify` share: the faces of each photo, told as soon as they are found."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.cells import cell_len

from kith.cli.answers import Answers, Form
from kith.cli.console import printable
from kith.cli.exit_codes import ERROR, SUCCESS
from kith.cli.interruption import interruptible
from kith.cli.load import Listing, read_photos
from kith.errors import ImageError
from kith.images.reading import Photo
from kith.presentation.annotate import Label, annotate_photo, annotated_paths
from kith.records import Face

_WIDEST_PHOTO = 60  # cells; a longer path moves the rest of its row


@dataclass(frozen=True, slots=True)
class FaceAnswer:
    """What is said of a face: to programs, to people in a row, and in the picture."""

    json: dict[str, Any]
    cells: tuple[str, ...]
    label: Label


@dataclass(frozen=True, slots=True)
class Table:
    """The columns behind those of the photo, and how wide they are on a terminal."""

    columns: tuple[str, ...]
    widths: tuple[int, ...]


def answer_photos(
    listing: Listing,
    look: Callable[[Photo], Sequence[FaceAnswer]],
    *,
    what: str,
    table: Table,
    form: Form,
    annotate: Path | None,
) -> int:
    """Look at each photo and tell its faces at once; a photo that cannot be read does not stop the rest.

    Args:
        listing: The photos, and what else is to be told.
        look: Finds the faces of a photo.
        what: Is being done, such as "detecting".
        table: For people.
        form: How the answers are written.
        annotate: Where pictures with the faces drawn in go, if anywhere.

    Returns:
        The exit code.
    """
    annotated = annotated_paths(annotate, listing.photos)
    widest = max((cell_len(printable(str(file))) for file in listing.photos), default=0)
    answers = Answers(form, ("photo", *table.columns), (min(widest, _WIDEST_PHOTO), *table.widths))
    failed = bool(listing.unusable)
    with interruptible(lambda: "the answers for the photos looked at until then have been written"), answers:
        for problem in _besides(listing):
            answers.add(problem, [])
        for file, photo in read_photos(listing.photos, what, bar=not answers.on_terminal):
            if isinstance(photo, ImageError):
                answers.add(unreadable_json(file, photo), [])
                failed = True
            else:
                found = look(photo)
                if annotate is not None:
                    annotate_photo(photo.image, [face.label for face in found], annotated[file])
                answers.add(_json(file, photo, found), _rows(file, found, len(table.columns)))
    return ERROR if failed else SUCCESS


def unreadable_json(file: Path, error: ImageError) -> dict[str, Any]:
    """What programs are told of a photo, or a folder, that could not be read."""
    return {"image": str(file), "error": str(error), "faces": []}


def box_text(face: Face, scale: float = 1.0) -> str:
    """A box for people: width x height at its corner, in pixels of the photo."""
    left, top = (round(float(value) * scale) for value in face.box[:2])
    turned = f", turned {face.turned}°" if face.turned else ""
    return f"{face.width * scale:.0f}x{face.height * scale:.0f} at {left},{top}{turned}"


def _besides(listing: Listing) -> Iterator[dict[str, Any]]:
    """What programs are told of what lay beside the photos."""
    for path, error in listing.unusable:
        yield unreadable_json(path, error)
    for folder, found in listing.left_out.items():
        yield {"image": str(folder), "left_out": dict(found.left_out), "faces": []}


def _json(file: Path, photo: Photo, found: Sequence[FaceAnswer]) -> dict[str, Any]:
    flaw = {"flaw": photo.flaw} if photo.flaw else {}
    return {"image": str(file), **flaw, "faces": [face.json for face in found]}


def _rows(file: Path, found: Sequence[FaceAnswer], columns: int) -> list[list[str]]:
    if not found:
        return [[str(file), "no face", *[""] * (columns - 1)]]
    return [[str(file), *face.cells] for face in found]
