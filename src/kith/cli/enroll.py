"""`kith enroll`: add people to a gallery."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from kith.catalogue.pair import find_pair
from kith.cli.answers import Form, form_of
from kith.cli.console import complain, count, note, print_json, print_line, warn
from kith.cli.exit_codes import ERROR, SUCCESS, UNDETERMINED, exit_code
from kith.cli.hints import with_hint
from kith.cli.interruption import interruptible, undisturbed
from kith.cli.load import Listing, expand, load_recognizer
from kith.cli.options import (
    DEFAULT_GALLERY,
    DEFAULT_MODEL,
    DetectorId,
    DeviceName,
    GalleryPath,
    Json,
    JsonLines,
    ModelId,
    PrecisionName,
)
from kith.cli.progress import telling
from kith.errors import AcquisitionError, GalleryError, NoPeopleFound
from kith.gallery import Gallery, clean_name
from kith.images.photo_files import require_not_whole_disk
from kith.presentation.enrollments import enrolled_photo_json, enrolled_photos_json
from kith.records import Enrollment
from kith.runtime.device import Device
from kith.runtime.prepare import Precision
from kith.search.lookalikes import lookalikes
from kith.workflows.enrolling import EnrolledPhoto, EnrolledPhotos, look_at_photos
from kith.workflows.people_folders import PersonPhoto, find_people


@dataclass
class Report:
    """What became of the photos of one run, and how it is told."""

    listing: Listing
    form: Form
    gallery: Path
    outcome: EnrolledPhotos = field(default_factory=EnrolledPhotos)
    former: set[str] = field(default_factory=set)

    @property
    def code(self) -> int:
        """A photo without a usable face is only an error where no photo had one."""
        failed = self.outcome.failed
        if self.listing.unusable or any(not isinstance(error, AcquisitionError) for _, error in failed):
            return ERROR
        return UNDETERMINED if failed and len(failed) == len(self.outcome.photos) else SUCCESS

    def add(self, one: EnrolledPhoto) -> None:
        """Take down what became of a photo, and tell what is amiss."""
        self.outcome.photos.append(one)
        answer = enrolled_photo_json(one)
        if one.error is not None:
            answer["exit_code"] = exit_code(one.error)
            if isinstance(one.error, AcquisitionError):
                warn(f"{one.photo.path}: {one.error}; left out")
            else:
                complain(with_hint(one.error, self.gallery))
        elif one.enrollment is not None:
            self._tell_of_enrollment(one.photo, one.enrollment)
        if self.form is Form.JSONL:
            print_json(answer, indent=None)

    def _tell_of_enrollment(self, photo: PersonPhoto, enrollment: Enrollment) -> None:
        name = enrollment.subject.name
        if name != photo.person and photo.person not in self.former:
            self.former.add(photo.person)
            note(
                f"photos of {photo.person} are {name}'s, who was called so; "
                f"if this is someone new, first: kith people delete-name {shlex.quote(photo.person)}"
            )
        if enrollment.turned:
            note(f"{photo.path}: lies turned {enrollment.turned}° clockwise; enrolled upright")
        if enrollment.weakness:
            warn(f"{photo.path}: enrolled, but {enrollment.weakness}")


def enroll(
    photos: Annotated[
        list[Path],
        typer.Argument(help="A folder with one folder per person; or, with --name, photos.", readable=False),
    ],
    name: Annotated[str | None, typer.Option("--name", "-n", help="The person on the photos.")] = None,
    gallery: GalleryPath = DEFAULT_GALLERY,
    model: ModelId = DEFAULT_MODEL,
    detector: DetectorId = "",
    precision: PrecisionName = Precision.AUTO,
    device: DeviceName = Device.AUTO,
    as_json: Json = False,
    as_jsonl: JsonLines = False,
) -> int:
    """Enroll people from photos of one face each.

    Every photo is safely on the disk before the next is begun: an interrupted run is continued by
    running it again, and photos that are enrolled already are passed over.

    Exit code 2 if a photo could not be read, 3 if no photo had a usable face.
    """
    form = form_of(as_json, as_jsonl)
    listing, people = _of_folders(photos) if name is None else _of_person(name, photos)
    recognizer = load_recognizer(find_pair(model, detector).id, precision, device=device)
    report = Report(listing, form, gallery)
    make_folder_of(gallery)
    with (
        Gallery.open(gallery, model_id=recognizer.model_id) as opened,
        interruptible(lambda: "what was enrolled stays; run it again to go on"),
        _summed_up(report, opened),
    ):
        with telling() as progress:
            for enroll_one in look_at_photos(people, opened, recognizer, progress=progress):
                with undisturbed():  # else a photo could be enrolled and not be told of
                    report.add(enroll_one())
        outcome = report.outcome
        outcome.lookalikes = lookalikes(opened, recognizer.calibration, outcome.subjects)
        for pair in outcome.lookalikes:
            warn(
                f"{pair.subject.name} looks like {pair.other.name}, who is enrolled too "
                f"(score {pair.score:.3f}); if they are one person, use: kith people merge"
            )
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
    outcome = report.outcome
    if report.form is Form.TEXT:
        already = f", {outcome.already} already there" if outcome.already else ""
        failed = f", {len(outcome.failed)} left out" if outcome.failed else ""
        people = count(len(gallery.subjects()), "person", "people")
        print_line(
            f"{count(len(outcome.enrolled), 'photo')} enrolled{already}{failed}; {people} in {gallery.path}"
        )
        return
    print_json(_json(report, gallery), indent=None if report.form is Form.JSONL else 2)


def _json(report: Report, gallery: Gallery) -> dict[str, Any]:
    """The answer that a server would give too, with what only a command line has."""
    failed = (*report.listing.unusable, *report.outcome.failed)
    return enrolled_photos_json(report.outcome, gallery) | {
        "failed": [
            {"image": str(file), "reason": str(error), "exit_code": exit_code(error)}
            for file, error in failed
        ],
        "left_out": report.listing.suffixes,
    }


def make_folder_of(gallery: Path) -> None:
    """Make the folder a gallery is to lie in; GalleryError where that is refused."""
    try:
        gallery.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GalleryError(
            f"{gallery}: its folder cannot be made ({error.strerror}); "
            "name another gallery with --gallery or KITH_GALLERY"
        ) from None


def _of_person(name: str, paths: list[Path]) -> tuple[Listing, list[PersonPhoto]]:
    person = clean_name(name)
    for path in paths:
        require_not_whole_disk(path)
    listing = expand(paths)
    return listing, [PersonPhoto(person, file) for file in listing.photos]


def _of_folders(roots: list[Path]) -> tuple[Listing, list[PersonPhoto]]:
    listing, photos = Listing(), list[PersonPhoto]()
    for root in roots:
        try:
            people = find_people(root)
        except NoPeopleFound as error:
            raise NoPeopleFound(f"{error}; or say who is on the photos with --name NAME") from None
        for path, reason in people.refused:
            listing.refuse(path, reason)
        listing.left_out[root] = people.found
        for line in people.notes():
            warn(line)
        photos += people.photos
    for _, unusable in listing.unusable:
        complain(str(unusable))
    return listing, photos
