"""What verbs begin with: a recognizer, and the photos."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kith import detection
from kith.catalogue.builtin import DEFAULT_DETECTOR
from kith.cli.console import complain, warn
from kith.cli.progress import telling
from kith.detection import DetectionSettings, Detector
from kith.errors import ImageError
from kith.images.photo_files import FoundPhotos, describe_left_out, find_photos
from kith.images.reading import Photo
from kith.progress import counted
from kith.recognizer import Recognizer
from kith.runtime.device import Device
from kith.runtime.prepare import Precision
from kith.workflows.pipeline import Analyzed
from kith.workflows.side_by_side import Outcome


def load_recognizer(
    model_id: str,
    precision: Precision,
    settings: DetectionSettings | None = None,
    *,
    device: Device = Device.AUTO,
) -> Recognizer:
    """A recognizer, with a word on the terminal where it takes a while."""
    with telling("loading models") as progress:
        return Recognizer.from_pretrained(
            model_id, precision=precision, detection=settings, device=device, progress=progress
        )


def load_detector(detector_id: str, settings: DetectionSettings, *, threads: int, device: Device) -> Detector:
    """A detector, with a word on the terminal where it takes a while."""
    with telling("loading models") as progress:
        return detection.load_detector(
            detector_id or DEFAULT_DETECTOR, settings, threads=threads, device=device, progress=progress
        )


@dataclass
class Listing:
    """The photos of a run, and what lay beside them.

    Attributes:
        photos: To be read.
        unusable: Folders that could not be looked into, or hold no photo, and why.
        left_out: By folder, what was found in it besides photos.
    """

    photos: list[Path] = field(default_factory=list)
    unusable: list[tuple[Path, ImageError]] = field(default_factory=list)
    left_out: dict[Path, FoundPhotos] = field(default_factory=dict)

    def search(self, folder: Path) -> FoundPhotos:
        """Look through a folder, and remember what is in it besides photos."""
        try:
            found = find_photos(folder)
        except ImageError as error:
            self.unusable.append((folder, error))
            return FoundPhotos((), {}, ((folder, str(error)),))
        for path, reason in found.unreadable:
            self.refuse(path, reason)
        if found.left_out:
            self.left_out[folder] = found
        return found

    def refuse(self, path: Path, reason: str) -> None:
        """Remember that a folder cannot be used."""
        self.unusable.append((path, ImageError(f"{path}: {reason}")))

    def tell(self) -> None:
        """Tell what is not read.

        Raises:
            ImageError: No photo is left, and the only reason for that has not been told.
        """
        for folder, found in self.left_out.items():
            warn(f"{folder}: {describe_left_out(found)}")
        if not self.photos and len(self.unusable) == 1:
            raise self.unusable[0][1]
        for _, error in self.unusable:
            complain(str(error))
        if not self.photos:
            raise ImageError("no photo is left to read")

    @property
    def suffixes(self) -> dict[str, int]:
        """How many files of each suffix were left out of all folders."""
        return dict(sum((Counter(found.left_out) for found in self.left_out.values()), Counter()))


def expand(paths: Sequence[Path]) -> Listing:
    """Photos as they are, folders as all photos in them; what is in the way is told, and the rest is done.

    Raises:
        ImageError: There is no photo at all.
    """
    listing = Listing()
    for path in paths:
        if not path.is_dir():
            listing.photos.append(path)
            continue
        found = listing.search(path)
        if not found.photos and not found.unreadable:
            listing.refuse(path, "no photos in this folder")
        listing.photos += found.photos
    listing.tell()
    return listing


def tell_photos(
    outcomes: Iterable[Outcome[Path, Analyzed[Photo]]], total: int, what: str, *, bar: bool = True
) -> Iterator[tuple[Path, Analyzed[Photo] | ImageError]]:
    """Each photo that was looked at; or, where it could not be read, what was told of it."""
    with telling(bar=bar) as progress:
        for outcome in counted(outcomes, total, what, progress):
            try:
                looked = outcome.get()
            except ImageError as error:
                complain(str(error))
                yield outcome.item, error
            else:
                if looked.read.flaw:
                    warn(f"{outcome.item}: {looked.read.flaw}")
                yield outcome.item, looked


def detection_settings(min_face_size: int, longest_side: int, min_score: float | None) -> DetectionSettings:
    """The detector's settings from a verb's options."""
    return DetectionSettings(
        min_face_size=min_face_size, longest_side=longest_side or None, min_score=min_score
    )
