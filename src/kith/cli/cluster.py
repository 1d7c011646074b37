"""`kith cluster`: who appears together, before anyone has a name."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from kith.catalogue.calibrations import find_calibration
from kith.catalogue.installed import find_embedder
from kith.cli.console import complain, count, note, print_json, print_table
from kith.cli.enroll import make_folder_of
from kith.cli.exit_codes import ERROR, SUCCESS, UNDETERMINED
from kith.cli.gone import gone_json, note_gone
from kith.cli.interruption import interruptible
from kith.cli.load import Listing, expand, load_recognizer
from kith.cli.options import DEFAULT_GALLERY, DEFAULT_MODEL, GalleryPath, Json, ModelId, PrecisionName
from kith.cli.progress import track
from kith.errors import GalleryError, ImageError
from kith.files import write_private
from kith.gallery import Album, ClusterSummary, Gallery
from kith.images.photo_files import require_not_whole_disk
from kith.presentation.sheets import SheetCluster, contact_sheet
from kith.recognizer import Recognizer
from kith.runtime.prepare import Precision
from kith.workflows.albums import Suggestion, cluster_album, find_moved, link_faces, look_through, suggest


@dataclass
class Report:
    """What became of the photos of one run."""

    listing: Listing
    new: int = 0
    failed: list[tuple[Path, ImageError]] = field(default_factory=list)
    poor: list[tuple[Path, str]] = field(default_factory=list)


def cluster(
    photos: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Photos, or folders of photos, to add; none to look at what is there.", readable=False
        ),
    ] = None,
    sheet: Annotated[
        Path | None,
        typer.Option("--sheet", help="Write a contact sheet to look at, a page of its own: FILE.html."),
    ] = None,
    must: Annotated[
        list[str] | None,
        typer.Option("--must", metavar="FACE,FACE", help="Two faces are one person's; may be repeated."),
    ] = None,
    cannot: Annotated[
        list[str] | None,
        typer.Option("--cannot", metavar="FACE,FACE", help="Two faces are two people's; may be repeated."),
    ] = None,
    everyone: Annotated[bool, typer.Option("--all", help="List faces that are alone, too.")] = False,
    gallery: GalleryPath = DEFAULT_GALLERY,
    model: ModelId = DEFAULT_MODEL,
    precision: PrecisionName = Precision.AUTO,
    as_json: Json = False,
) -> int:
    """Put the faces of photos together that are one person's, before anyone has a name.

    Photos are looked through once: run again, only new ones are. A cluster keeps its number, and
    changes only if a new face belongs to it. Give it a name with `kith people name CLUSTER NAME`.

    Exit code 2 if a photo could not be read, 3 if no face was found.
    """
    if sheet is not None and (sheet.suffix.lower() not in (".html", ".htm") or sheet.is_dir()):
        raise ImageError(f"{sheet}: a contact sheet is a page; name a file that ends in .html")
    for path in photos or []:
        if not path.exists():
            raise ImageError(f"{path}: no such file or folder")
        require_not_whole_disk(path)
    listing = expand(photos) if photos else Listing()
    report = Report(listing)
    find_embedder(model)  # it is known, or told to be unknown, before anything is made for it
    if listing.photos:
        make_folder_of(gallery)
    with (
        Gallery.open(gallery, model_id=model, create=bool(listing.photos)) as opened,
        interruptible(lambda: "the photos looked through so far are kept; run it again to go on"),
    ):
        album, calibration = Album(opened), find_calibration(model)
        if listing.photos:
            _look_through(load_recognizer(model, precision), album, report)
        for links, together in ((must, True), (cannot, False)):
            for first, second in map(_two_faces, links or []):
                link_faces(album, first, second, together=together)
        cluster_album(album, calibration.verification_policy())
        find_moved(album)
        clusters = album.clusters()
        looks_like = suggest(album, calibration)
        if sheet is not None:
            write_private(sheet, contact_sheet(_sheet_clusters(album, clusters, looks_like)).encode())
        if as_json:
            print_json(_json(album, clusters, looks_like, report))
        else:
            _print(album, clusters, looks_like, report, everyone=everyone)
    if report.failed or listing.unusable:
        return ERROR
    return SUCCESS if clusters else UNDETERMINED


def _two_faces(text: str) -> tuple[int, int]:
    try:
        first, second = (int(word) for word in text.split(","))
    except ValueError:
        raise GalleryError(f"{text!r}: two faces are wanted, by their numbers, such as 12,57") from None
    return first, second


def _look_through(recognizer: Recognizer, album: Album, report: Report) -> None:
    for file in track(report.listing.photos, "looking through"):
        try:
            looked = look_through(recognizer, album, file)
            report.new += looked.new
            report.poor += [(file, reason) for reason in looked.left_out]
        except ImageError as error:
            report.failed.append((file, error))
            complain(str(error))


def _print(
    album: Album,
    clusters: Sequence[ClusterSummary],
    looks_like: dict[int, Suggestion],
    report: Report,
    *,
    everyone: bool,
) -> None:
    shown = [cluster for cluster in clusters if everyone or cluster.faces > 1 or cluster.subject]
    print_table(
        ("cluster", "faces", "photos", "who"),
        [
            [str(cluster.id), str(cluster.faces), str(cluster.photos), _who(cluster, looks_like)]
            for cluster in shown
        ],
    )
    if report.poor:
        reasons = Counter(reason.partition(" (")[0] for _, reason in report.poor)
        why = ", ".join(f"{number} times {reason}" for reason, number in reasons.most_common())
        note(f"{count(len(report.poor), 'face')} of new photos left out: {why}")
    photos, faces = album.sizes()
    alone = len(clusters) - len(shown)
    alone_too = f"; {count(alone, 'face')} alone" if alone else ""
    note(
        f"{count(report.new, 'new photo')}; {count(faces, 'face')} of {count(photos, 'photo')} "
        f"in {count(len(clusters), 'cluster')}{alone_too}"
    )
    note_gone(album.gone())


def _who(cluster: ClusterSummary, looks_like: dict[int, Suggestion]) -> str:
    if cluster.subject is not None:
        return cluster.subject.name
    suggestion = looks_like.get(cluster.id)
    return f"looks like {suggestion.subject.name}" if suggestion else ""


def _sheet_clusters(
    album: Album, clusters: Sequence[ClusterSummary], looks_like: dict[int, Suggestion]
) -> list[SheetCluster]:
    faces = defaultdict(list)
    for face in album.members(pictures=True):
        faces[face.cluster].append(face)
    return [SheetCluster(cluster.id, _who(cluster, looks_like), faces[cluster.id]) for cluster in clusters]


def _json(
    album: Album, clusters: Sequence[ClusterSummary], looks_like: dict[int, Suggestion], report: Report
) -> dict[str, Any]:
    photos, faces = album.sizes()
    members = defaultdict(list)
    for face in album.members():
        members[face.cluster].append({"face": face.id, "image": face.source})
    return {
        "gallery": str(album.gallery.path),
        "model": album.gallery.model_id,
        "photos": photos,
        "new_photos": report.new,
        "faces": faces,
        **gone_json(album.gone()),
        "failed": [
            {"image": str(file), "reason": str(error)}
            for file, error in (*report.listing.unusable, *report.failed)
        ],
        "left_out": report.listing.suffixes,
        "poor_faces": [{"image": str(file), "reason": reason} for file, reason in report.poor],
        "clusters": [
            {
                "cluster": cluster.id,
                "subject": cluster.subject.name if cluster.subject else None,
                "looks_like": looks_like[cluster.id].subject.name if cluster.id in looks_like else None,
                "faces": members[cluster.id],
            }
            for cluster in clusters
        ],
    }
