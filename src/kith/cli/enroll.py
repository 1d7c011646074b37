"""`kith enroll`: add people to a gallery."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from kith.cli.answers import Form, form_of
from kith.cli.console import complain, count, note, print_json, print_line, warn
from kith.cli.exit_codes import ERROR, SUCCESS, UNDETERMINED, exit_code
from kith.cli.hints import with_hint
from kith.cli.interruption import interruptible
from kith.cli.load import Listing, expand, load_recognizer
from kith.cli.options import (
    DEFAULT_GALLERY,
    DEFAULT_MODEL,
    GalleryPath,
    Json,
    JsonLines,
    ModelId,
    PrecisionName,
)
from kith.cli.progress import track
from kith.errors import (
    AcquisitionError,
    DuplicateReference,
    GalleryError,
    ImageError,
    KithError,
    NoPeopleFound,
)
from kith.gallery import Gallery, clean_name
from kith.images.photo_files import require_not_whole_disk
from kith.images.reading import content_hash, load_image
from kith.recognizer import Recognizer
from kith.records import Enrollment, Subject
from kith.runtime.prepare import Precision
from kith.search.lookalikes import Lookalike, lookalikes
from kith.workflows.people_folders import find_people

Job = tuple[str, Path]
"""A person's name, and a photo of that person."""


@dataclass
class Report:
    """What became of the photos of one run."""

    listing: Listing
    form: Form
    gallery: Path
    enrolled: int = 0
    already: int = 0
    failed: list[tuple[Path, KithError]] = field(default_factory=list)
    weak: list[tuple[Path, str]] = field(default_factory=list)
    turned: list[tuple[Path, int]] = field(default_factory=list)
    subjects: set[int] = field(default_factory=set)
    former: set[str] = field(default_factory=set)
    lookalikes: list[Lookalike] = field(default_factory=list)

    @property
    def code(self) -> int:
        """A photo without a usable face is only an error where no photo had one."""
        unreadable = any(not isinstance(error, AcquisitionError) for _, error in self.failed)
        if unreadable or self.listing.unusable:
            return ERROR
        return UNDETERMINED if self.failed and not self.enrolled + self.already else SUCCESS

    def add(self, person: str, file: Path, outcome: Enrollment | KithError | None) -> None:
        """Take down what became of a photo, None being enrolled already, and tell what is amiss."""
        line: dict[str, Any] = {"image": str(file), "person": person}
        if outcome is None:
            self.already += 1
            line["outcome"] = "already"
        elif isinstance(outcome, KithError):
            self.failed.append((file, outcome))
            line |= {"outcome": "failed", "reason": str(outcome), "exit_code": exit_code(outcome)}
            if isinstance(outcome, AcquisitionError):
                warn(f"{file}: {outcome}; left out")
            else:
                complain(with_hint(outcome, self.gallery))
        else:
            self.enrolled += 1
            self.subjects.add(outcome.subject.id)
            line |= {
                "outcome": "enrolled",
                "person": outcome.subject.name,
                "weakness": outcome.weakness,
                "turned": outcome.turned,
            }
            self._tell_of_name(person, outcome.subject)
            if outcome.turned:
                self.turned.append((file, outcome.turned))
                note(f"{file}: lies turned {outcome.turned}° clockwise; enrolled upright")
            if outcome.weakness:
                self.weak.append((file, outcome.weakness))
                warn(f"{file}: enrolled, but {outcome.weakness}")
        if self.form is Form.JSONL:
            print_json(line, indent=None)

    def _tell_of_name(self, person: str, subject: Subject) -> None:
        """Say once that a folder has the former name of someone."""
        if subject.name != person and person not in self.former:
            self.former.add(person)
            note(
                f"photos of {person} are {subject.name}'s, who was called so; "
                f"if this is someone new, first: kith people delete-name {shlex.quote(person)}"
            )


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
    as_jsonl: JsonLines = False,
) -> int:
    """Enroll people from photos of one face each.

    Every photo is safely on the disk before the next is begun: an interrupted run is continued by
    running it again, and photos that are enrolled already are passed over.

    Exit code 2 if a photo could not be read, 3 if no photo had a usable face.
    """
    form = form_of(as_json, as_jsonl)
    listing, jobs = _jobs_of_folders(photos) if name is None else _jobs_of_person(name, photos)
    recognizer = load_recognizer(model, precision)
    report = Report(listing, form, gallery)
    make_folder_of(gallery)
    with (
        Gallery.open(gallery, model_id=recognizer.model_id) as opened,
        interruptible(lambda: "what was enrolled stays; run it again to go on"),
        _summed_up(report, opened),
    ):
        for person, file in track(jobs, "enrolling"):
            report.add(person, file, _try_photo(recognizer, opened, person, file))
        report.lookalikes = _find_lookalikes(recognizer, opened, report.subjects)
    return report.code


@contextmanager
def _summed_up(report: Report, gallery: Gallery) -> Iterator[None]:
    """Say at the end what was done, also where Ctrl-C brings it early."""
    try:
        yield
    except KeyboardInterrupt:
        _sum_up(report, gallery)
        raise
    _sum_up(report, gallery)


def _sum_up(report: Report, gallery: Gallery) -> None:
    people = len(gallery.subjects())
    if report.form is Form.TEXT:
        already = f", {report.already} already there" if report.already else ""
        failed = f", {len(report.failed)} left out" if report.failed else ""
        enrolled = count(report.enrolled, "photo")
        print_line(
            f"{enrolled} enrolled{already}{failed}; {count(people, 'person', 'people')} in {gallery.path}"
        )
        return
    print_json(_report_json(report, gallery, people), indent=None if report.form is Form.JSONL else 2)


def _try_photo(
    recognizer: Recognizer, gallery: Gallery, person: str, file: Path
) -> Enrollment | KithError | None:
    try:
        return _enroll_photo(recognizer, gallery, person, file)
    except (AcquisitionError, ImageError, DuplicateReference) as error:
        return error


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
    found = lookalikes(gallery, recognizer.calibration, subjects)
    for one in found:
        warn(
            f"{one.subject.name} looks like {one.other.name}, who is enrolled too (score {one.score:.3f}); "
            "if they are one person, use: kith people merge"
        )
    return found


def _is_enrolled(gallery: Gallery, photo: str, person: str) -> bool:
    return gallery.subject_for(person) in gallery.owners(photo)


def make_folder_of(gallery: Path) -> None:
    """Make the folder a gallery is to lie in; GalleryError where that is refused."""
    try:
        gallery.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GalleryError(
            f"{gallery}: its folder cannot be made ({error.strerror}); "
            "name another gallery with --gallery or KITH_GALLERY"
        ) from None


def _jobs_of_person(name: str, paths: list[Path]) -> tuple[Listing, list[Job]]:
    person = clean_name(name)
    for path in paths:
        require_not_whole_disk(path)
    listing = expand(paths)
    return listing, [(person, file) for file in listing.photos]


def _jobs_of_folders(roots: list[Path]) -> tuple[Listing, list[Job]]:
    listing = Listing()
    jobs = [job for root in roots for job in _jobs_of_folder(root, listing)]
    listing.tell()
    return listing, jobs


def _jobs_of_folder(root: Path, listing: Listing) -> list[Job]:
    try:
        people = find_people(root)
    except NoPeopleFound as error:
        raise NoPeopleFound(f"{error}; or say who is on the photos with --name NAME") from None
    for path, reason in people.refused:
        listing.refuse(path, reason)
    if people.found.left_out:
        listing.left_out[root] = people.found
    for folder in people.empty:
        warn(f"{folder}: no photos in it; left out")
    if people.loose:
        note(f"{root}: {count(len(people.loose), 'photo')} in no person's folder; left out")
    listing.photos += [photo.path for photo in people.photos]
    return [(photo.person, photo.path) for photo in people.photos]


def _report_json(report: Report, gallery: Gallery, people: int) -> dict[str, Any]:
    return {
        "gallery": str(gallery.path),
        "model": gallery.model_id,
        "people": people,
        "enrolled": report.enrolled,
        "already": report.already,
        "failed": [
            {"image": str(file), "reason": str(error), "exit_code": exit_code(error)}
            for file, error in (*report.listing.unusable, *report.failed)
        ],
        "left_out": report.listing.suffixes,
        "weak": [{"image": str(file), "reason": reason} for file, reason in report.weak],
        "turned": [{"image": str(file), "degrees": degrees} for file, degrees in report.turned],
        "lookalikes": [
            {"name": one.subject.name, "looks_like": one.other.name, "score": round(one.score, 4)}
            for one in report.lookalikes
        ],
    }
