"""`kith enroll`: add people to a gallery."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from kith.classification import ClassifierKind
from kith.cli.console import complain, count, note, print_json, print_line, track, warn
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
from kith.errors import AcquisitionError, DuplicateReference, GalleryError, ImageError, KithError
from kith.gallery import Gallery, clean_name
from kith.images import FORMATS, content_hash, find_images, is_image_name, load_image
from kith.recognizer import Recognizer
from kith.records import Enrollment
from kith.runtime.prepare import Precision
from kith.search import Lookalike, lookalikes


@dataclass
class Report:
    """What became of the photos of one run."""

    enrolled: int = 0
    already: int = 0
    failed: list[tuple[Path, KithError]] = field(default_factory=list)
    weak: list[tuple[Path, str]] = field(default_factory=list)
    turned: list[tuple[Path, int]] = field(default_factory=list)
    subjects: set[int] = field(default_factory=set)
    lookalikes: list[Lookalike] = field(default_factory=list)

    @property
    def code(self) -> int:
        """A photo without a usable face is only an error where no photo had one."""
        unreadable = any(not isinstance(error, AcquisitionError) for _, error in self.failed)
        if unreadable:
            return ERROR
        return UNDETERMINED if self.failed and not self.enrolled + self.already else SUCCESS


def enroll(
    photos: Annotated[
        list[Path],
        typer.Argument(help="A folder with one folder per person; or, with --name, photos.", readable=False),
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
    jobs = _jobs_of_folders(photos) if name is None else _jobs_of_person(name, photos)
    recognizer = load_recognizer(model, precision)
    report = Report()
    make_folder_of(gallery)
    with Gallery.open(gallery, model_id=recognizer.model_id) as opened:
        for person, file in track(jobs, "enrolling"):
            _try_photo(recognizer, opened, person, file, report)
        people = len(opened.subjects())
        report.lookalikes = _find_lookalikes(recognizer, opened, report.subjects)
    if as_json:
        print_json(_report_json(report, gallery, recognizer.model_id, people))
    else:
        already = f", {report.already} already there" if report.already else ""
        failed = f", {len(report.failed)} left out" if report.failed else ""
        enrolled = count(report.enrolled, "photo")
        print_line(f"{enrolled} enrolled{already}{failed}; {count(people, 'person', 'people')} in {gallery}")
    return report.code


def _try_photo(recognizer: Recognizer, gallery: Gallery, person: str, file: Path, report: Report) -> None:
    try:
        enrollment = _enroll_photo(recognizer, gallery, person, file)
        if enrollment is None:
            report.already += 1
            return
        report.enrolled += 1
        report.subjects.add(enrollment.subject.id)
        if enrollment.turned:
            report.turned.append((file, enrollment.turned))
            note(f"{file}: lies turned {enrollment.turned}° clockwise; enrolled upright")
        if enrollment.weakness:
            report.weak.append((file, enrollment.weakness))
            warn(f"{file}: enrolled, but {enrollment.weakness}")
    except AcquisitionError as error:
        report.failed.append((file, error))
        warn(f"{file}: {error}; left out")
    except ImageError as error:
        report.failed.append((file, error))
        complain(str(error))
    except DuplicateReference as error:
        report.failed.append((file, error))
        complain(str(error))


def _enroll_photo(recognizer: Recognizer, gallery: Gallery, person: str, file: Path) -> Enrollment | None:
    """Enroll a photo; None if it is enrolled already.

    Raises:
        ImageError, AcquisitionError: It cannot be used.
        DuplicateReference: It is enrolled as someone else.
    """
    image = load_image(file)
    photo = content_hash(image)
    if _is_enrolled(gallery, photo, person):
        return None
    try:
        return recognizer.enroll(person, image, gallery, source=str(file.absolute()))
    except DuplicateReference:
        if _is_enrolled(gallery, photo, person):  # another process was faster
            return None
        raise


def _find_lookalikes(recognizer: Recognizer, gallery: Gallery, subjects: set[int]) -> list[Lookalike]:
    """Newly enrolled people who may be someone else who is enrolled; told, but enrolled all the same."""
    policy = recognizer.identification_policy(gallery, ClassifierKind.CENTROID)
    found = lookalikes(gallery, subjects, policy.threshold)
    for one in found:
        warn(
            f"{one.subject.name} looks like {one.other.name}, who is enrolled too (score {one.score:.3f}); "
            "if they are one person, use: kith people merge"
        )
    return found


def _is_enrolled(gallery: Gallery, photo: str, person: str) -> bool:
    return any(owner.name == person for owner in gallery.owners(photo))


def make_folder_of(gallery: Path) -> None:
    """Make the folder a gallery is to lie in; GalleryError where that is refused."""
    try:
        gallery.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GalleryError(f"{gallery}: its folder cannot be made ({error.strerror})") from None


def _jobs_of_person(name: str, paths: list[Path]) -> list[tuple[str, Path]]:
    person = clean_name(name)
    return [(person, file) for file in expand(paths)]


def _jobs_of_folders(roots: list[Path]) -> list[tuple[str, Path]]:
    return [job for root in roots for job in _jobs_of_folder(root)]


def _jobs_of_folder(root: Path) -> list[tuple[str, Path]]:
    if root.is_file():
        raise ImageError(f"{root}: is a file; say who is on it with --name NAME")
    if not root.is_dir():
        raise ImageError(f"{root}: no such folder")
    entries = sorted(path for path in root.iterdir() if not path.name.startswith("."))
    jobs: list[tuple[str, Path]] = []
    for folder in entries:
        if folder.is_dir():
            person, found = _person_of(folder), find_images(folder)
            if not found:
                warn(f"{folder}: no photos in it ({', '.join(FORMATS)}); left out")
            jobs += [(person, file) for file in found]
    loose = sum(is_image_name(path.name) for path in entries if path.is_file())
    if not jobs:
        what = f"{count(loose, 'photo')}, but in no person's folder" if loose else "no photos in it"
        raise ImageError(
            f"{root}: {what}; expected one folder per person, such as {root}/Ada/, or --name NAME"
        )
    if loose:
        note(f"{root}: {count(loose, 'photo')} in no person's folder; left out")
    return jobs


def _person_of(folder: Path) -> str:
    try:
        return clean_name(folder.name)
    except ValueError as error:
        raise ImageError(f"{folder}: {error}; rename the folder") from None


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
        "weak": [{"image": str(file), "reason": reason} for file, reason in report.weak],
        "turned": [{"image": str(file), "degrees": degrees} for file, degrees in report.turned],
        "lookalikes": [
            {"name": one.subject.name, "looks_like": one.other.name, "score": round(one.score, 4)}
            for one in report.lookalikes
        ],
    }
