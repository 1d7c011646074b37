"""`kith cluster`: who appears together, before anyone has a name."""

from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from kith.catalogue.calibrations import find_calibration
from kith.catalogue.pair import find_pair
from kith.cli.console import complain, count, note, print_json, print_table
from kith.cli.enroll import make_folder_of
from kith.cli.exit_codes import ERROR, SUCCESS, UNDETERMINED
from kith.cli.gone import gone_json, note_gone
from kith.cli.hints import NEXT_TO_A_SHEET
from kith.cli.interruption import interruptible
from kith.cli.load import Listing, expand, load_recognizer
from kith.cli.options import (
    DEFAULT_GALLERY,
    DEFAULT_MODEL,
    DetectorId,
    DeviceName,
    GalleryPath,
    Json,
    ModelId,
    PrecisionName,
)
from kith.cli.progress import telling
from kith.errors import GalleryError, ImageError
from kith.gallery import Album, Gallery
from kith.images.photo_files import require_not_whole_disk
from kith.presentation.albums import album_json
from kith.runtime.device import Device
from kith.runtime.prepare import Precision
from kith.workflows.albums import (
    ClusteredAlbum,
    LookedThrough,
    link_faces,
    look_through_all,
    update_clusters,
)


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
    detector: DetectorId = "",
    precision: PrecisionName = Precision.AUTO,
    device: DeviceName = Device.AUTO,
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
    model = find_pair(model, detector).id  # it is known, or told to be, before anything is made for it
    if listing.photos:
        make_folder_of(gallery)
    with (
        Gallery.open(gallery, model_id=model, create=bool(listing.photos)) as opened,
        interruptible(lambda: "the photos looked through so far are kept; run it again to go on"),
    ):
        album = Album(opened)
        looked = LookedThrough()
        if listing.photos:
            recognizer = load_recognizer(model, precision, device=device)
            with telling(say=complain) as progress:
                looked = look_through_all(recognizer, album, listing.photos, progress=progress)
        for links, together in ((must, True), (cannot, False)):
            for first, second in map(_two_faces, links or []):
                link_faces(album, first, second, together=together)
        clustered = update_clusters(album, find_calibration(model), looked)
        if sheet is not None:
            from kith.presentation.sheets import write_contact_sheet  # here: brings Jinja2

            write_contact_sheet(sheet, album, clustered, hint=NEXT_TO_A_SHEET)
        if as_json:
            print_json(_json(album, clustered, listing))
        else:
            _print(album, clustered, everyone=everyone)
    if looked.failed or listing.unusable:
        return ERROR
    return SUCCESS if clustered.clusters else UNDETERMINED


def _two_faces(text: str) -> tuple[int, int]:
    try:
        first, second = (int(word) for word in text.split(","))
    except ValueError:
        raise GalleryError(f"{text!r}: two faces are wanted, by their numbers, such as 12,57") from None
    return first, second


def _print(album: Album, clustered: ClusteredAlbum, *, everyone: bool) -> None:
    clusters, looked = clustered.clusters, clustered.looked
    shown = [cluster for cluster in clusters if everyone or cluster.faces > 1 or cluster.subject]
    print_table(
        ("cluster", "faces", "photos", "who"),
        [
            [str(cluster.id), str(cluster.faces), str(cluster.photos), clustered.who(cluster)]
            for cluster in shown
        ],
    )
    if looked.left_out:
        reasons = Counter(reason.partition(" (")[0] for _, reason in looked.left_out)
        why = ", ".join(f"{number} times {reason}" for reason, number in reasons.most_common())
        note(f"{count(len(looked.left_out), 'face')} of new photos left out: {why}")
    photos, faces = album.sizes()
    alone = len(clusters) - len(shown)
    alone_too = f"; {count(alone, 'face')} alone" if alone else ""
    note(
        f"{count(looked.new, 'new photo')}; {count(faces, 'face')} of {count(photos, 'photo')} "
        f"in {count(len(clusters), 'cluster')}{alone_too}"
    )
    note_gone(album.gone())


def _json(album: Album, clustered: ClusteredAlbum, listing: Listing) -> dict[str, Any]:
    """The answer that a server would give too, with what only a command line has."""
    failed = (*listing.unusable, *clustered.looked.failed)
    return (
        album_json(album, clustered)
        | gone_json(album.gone())
        | {
            "failed": [{"image": str(file), "reason": str(error)} for file, error in failed],
            "left_out": listing.suffixes,
        }
    )
