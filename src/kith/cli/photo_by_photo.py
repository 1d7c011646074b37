"""What `kith detect` and `kith identify` share: the faces of each photo, told as soon as they are found."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.cells import cell_len

from kith.cli.answers import Answers, Form
from kith.cli.console import printable
from kith.cli.exit_codes import ERROR, SUCCESS
from kith.cli.interruption import interruptible
from kith.cli.load import Listing, tell_photos
from kith.errors import ImageError
from kith.images.reading import Photo
from kith.presentation.annotate import Label, annotate_photo, annotated_paths
from kith.records import Face
from kith.workflows.pipeline import Analyzed
from kith.workflows.side_by_side import Outcome

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
    outcomes: Iterable[Outcome[Path, Analyzed[Photo]]],
    answer: Callable[[Analyzed[Photo]], Sequence[FaceAnswer]],
    *,
    what: str,
    table: Table,
    form: Form,
    annotate: Path | None,
) -> int:
    """Tell the faces of each photo as soon as they are known; one that cannot be read does not stop the rest.

    Args:
        listing: The photos, and what else is to be told.
        outcomes: What is found in each of them, or why it could not be read.
        answer: Says what is to be said of the faces of a photo.
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
        total, bar = len(listing.photos), not answers.on_terminal
        for file, looked in tell_photos(outcomes, total, what, bar=bar):
            if isinstance(looked, ImageError):
                answers.add(unreadable_json(file, looked), [])
                failed = True
            else:
                found = answer(looked)
                if annotate is not None:
                    annotate_photo(looked.read.image, [face.label for face in found], annotated[file])
                answers.add(_json(file, looked.read, found), _rows(file, found, len(table.columns)))
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
