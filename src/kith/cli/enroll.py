"""`kith enroll`: add people to a gallery."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from kith.cli.console import complain, note, print_json, print_line, track, warn
from kith.cli.exit_codes import ERROR, SUCCESS, UNDETERMINED, exit_code
from kith.cli.load import expand, load_recognizer
from kith.cli.options import (
    DEFAULT_GALLERY,
    DEFAULT_MODEL,
    GalleryPath,
    Json,
    ModelId,
    PrecisionName,
)
from kith.errors import AcquisitionError, DuplicateReference, ImageError, KithError
from kith.gallery import Gallery
from kith.images import content_hash, find_images, load_image
from kith.recognizer import Recognizer
from kith.runtime.prepare import Precision


@dataclass
class Report:
    """What became of the photos of one run."""

    enrolled: int = 0
    already: int = 0
    failed: list[tuple[Path, KithError]] = field(default_factory=list)

    @property
    def code(self) -> int:
        """A photo without a usable face is only an error where no photo had one."""
        unreadable = any(not isinstance(error, AcquisitionError) for _, error in self.failed)
        if unreadable:
            return ERROR
        return UNDETERMINED if self.failed and not self.enrolled + self.already else SUCCESS


def enroll(
    photos: Annotated[
        list[Path], typer.Argument(help="A folder with one folder per person; or, with --name, photos.")
    ],
    name: Annotated[str | None, typer.Option("--name", "-n", help="The person on the photos.")] = None,
    gallery: GalleryPath = DEFAULT_GALLERY,
    model: ModelId = DEFAULT_MODEL,
    precision: PrecisionName = Precision.AUTO,
    as_json: Json = False,
) -> int:
    """Enroll people from photos of one face each.

    Every photo is safely on the disk before the next is begun: an interrupted run is continued by
    running it again, and photos that are enrolled already are passed over.

    Exit code 2 if a photo could not be read, 3 if no photo had a usable face.
    """
    jobs = _jobs_of_person(name, photos) if name is not None else _jobs_of_folders(photos)
    recognizer = load_recognizer(model, precision)
    report = Report()
    gallery.parent.mkdir(parents=True, exist_ok=True)
    with Gallery.open(gallery, model_id=recognizer.model_id) as opened:
        for person, file in track(jobs, "enrolling"):
            _enroll_photo(recognizer, opened, person, file, report)
        people = len(opened.subjects())
    if as_json:
        print_json(_report_json(report, gallery, recognizer.model_id, people))
    else:
        already = f", {report.already} already there" if report.already else ""
        failed = f", {len(report.failed)} left out" if report.failed else ""
        print_line(f"{report.enrolled} photos enrolled{already}{failed}; {people} people in {gallery}")
    return report.code


def _enroll_photo(recognizer: Recognizer, gallery: Gallery, person: str, file: Path, report: Report) -> None:
    try:
        image = load_image(file)
        owner = gallery.owner(content_hash(image))
        if owner is not None and owner.name == person:
            report.already += 1
            return
        if owner is not None:
            raise DuplicateReference(f"this photo is enrolled already, as {owner.name}")
        recognizer.enroll(person, image, gallery, source=str(file.absolute()))
        report.enrolled += 1
    except AcquisitionError as error:
        report.failed.append((file, error))
        warn(f"{file}: {error}; left out")
    except ImageError as error:
        report.failed.append((file, error))
        complain(str(error))
    except DuplicateReference as error:
        report.failed.append((file, error))
        complain(f"{file}: {error}")


def _jobs_of_person(name: str, paths: list[Path]) -> list[tuple[str, Path]]:
    person = " ".join(name.split())
    return [(person, file) for file in expand(paths)]


def _jobs_of_folders(paths: list[Path]) -> list[tuple[str, Path]]:
    jobs: list[tuple[str, Path]] = []
    for root in paths:
        if root.is_file():
            raise ImageError(f"{root}: is a photo; say whose it is with --name NAME")
        if not root.is_dir():
            raise ImageError(f"{root}: no such folder")
        folders = sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
        found = [(" ".join(folder.name.split()), file) for folder in folders for file in find_images(folder)]
        if not found:
            raise ImageError(
                f"{root}: no photos in it; expected one folder of photos per person, such as {root}/Ada/"
            )
        loose = [path for path in find_images(root) if path.parent == root]
        if loose:
            note(f"{root}: {len(loose)} photos are in no person's folder and are passed over")
        jobs += found
    return jobs


def _report_json(report: Report, gallery: Path, model_id: str, people: int) -> dict[str, Any]:
    return {
        "gallery": str(gallery),
        "model": model_id,
        "people": people,
        "enrolled": report.enrolled,
        "already": report.already,
        "failed": [
            {"image": str(file), "reason": str(error), "exit_code": exit_code(error)}
            for file, error in report.failed
        ],
    }
