"""`kith gallery`: the gallery as a whole."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from kith.catalogue.pair import find_pair
from kith.cli.console import complain, count, note, print_json, print_line
from kith.cli.exit_codes import ERROR, SUCCESS
from kith.cli.former_verbs import former_verb
from kith.cli.gone import NOT_CLEANED, gone_json, note_gone
from kith.cli.interruption import interruptible
from kith.cli.load import load_recognizer
from kith.cli.options import DEFAULT_GALLERY, DetectorId, DeviceName, GalleryPath, Json
from kith.cli.progress import telling
from kith.errors import GalleryError
from kith.gallery import Album, Gallery, Gone, back_up, select_to_prune
from kith.gallery import prune as prune_album
from kith.runtime.device import Device
from kith.runtime.prepare import Precision
from kith.workflows.albums import find_moved
from kith.workflows.reembedding import reembed as reembed_gallery

app = typer.Typer(help="Look at and change the gallery itself.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def show(gallery: GalleryPath = DEFAULT_GALLERY, as_json: Json = False) -> None:
    """Show which model a gallery is bound to, and how much it holds."""
    with Gallery.open(gallery, create=False) as opened:
        people, model_id = opened.subjects(), opened.model_id
        photos, faces, clusters, gone = _album_of(opened)
    references = sum(person.references for person in people)
    if as_json:
        print_json(
            {
                "gallery": str(gallery),
                "model": model_id,
                "people": len(people),
                "references": references,
                "photos": photos,
                "faces": faces,
                "clusters": clusters,
                **gone_json(gone),
            }
        )
        return
    looked_through = (
        f"{count(photos, 'photo')} looked through, {count(faces, 'face')} in {count(clusters, 'cluster')}, "
        if photos
        else ""
    )
    print_line(
        f"{gallery}: {count(len(people), 'person', 'people')}, {count(references, 'reference')}, "
        f"{looked_through}model {model_id}"
    )
    note_gone(gone)


def _album_of(gallery: Gallery) -> tuple[int, int, int, Gone]:
    """How many photos, faces and clusters there are, and which photos are gone."""
    try:
        album = Album(gallery)
    except GalleryError:  # of an older Kith, and read-only: without an album
        return 0, 0, 0, Gone((), {})
    find_moved(album)
    return *album.sizes(), len(album.clusters()), album.gone()


@app.command()
def prune(
    photos: Annotated[
        list[Path] | None,
        typer.Argument(help="Photos, or folders of photos, whether they are there or not.", readable=False),
    ] = None,
    gone: Annotated[bool, typer.Option("--gone", help="All photos whose file is gone.")] = False,
    clusters: Annotated[
        list[int] | None,
        typer.Option("--cluster", help="A cluster without a name; may be repeated."),
    ] = None,
    faces: Annotated[list[int] | None, typer.Option("--face", help="One face; may be repeated.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    gallery: GalleryPath = DEFAULT_GALLERY,
    as_json: Json = False,
) -> int:
    """Delete photos, clusters or faces of `kith cluster` from the gallery; asks first on a terminal.

    Your files stay as they are, and so do references: `kith people delete` deletes a person. A photo that
    is there and is looked through again is found again; a face is not.
    """
    if not (photos or gone or clusters or faces):
        raise GalleryError("name photos or folders, or use --gone, --cluster or --face")
    with Gallery.open(gallery, create=False) as opened:
        album = Album(opened)
        if gone:
            find_moved(album)
        chosen = select_to_prune(
            album, _full_paths(photos or []), gone=gone, clusters=clusters or [], faces=faces or []
        )
        what = f"{count(len(chosen.photos), 'photo')} and {count(len(chosen.faces), 'face')}"
        if not yes and sys.stdin.isatty() and not typer.confirm(f"Delete {what} from {gallery}?", err=True):
            note("nothing was deleted")
            return ERROR
        pruned = prune_album(album, chosen)
    if as_json:
        print_json(
            {
                "gallery": str(gallery),
                "photos": pruned.photos,
                "faces": pruned.faces,
                "enrolled": list(pruned.enrolled),
                "cleaned": pruned.cleaned,
            }
        )
        return SUCCESS
    print_line(f"{what} are gone from {gallery}")
    if pruned.enrolled:
        note(f"some are references, and are still enrolled, of: {', '.join(pruned.enrolled)}")
    if not pruned.cleaned:
        note(NOT_CLEANED)
    return SUCCESS


@app.command()
def clean(gallery: GalleryPath = DEFAULT_GALLERY, as_json: Json = False) -> int:
    """Overwrite on the disk what was deleted; exit code 2 while another process reads the gallery."""
    with Gallery.open(gallery, create=False) as opened:
        cleaned = opened.clean()
    if as_json:
        print_json({"gallery": str(gallery), "cleaned": cleaned})
    elif cleaned:
        print_line(f"{gallery}: nothing that was deleted is left in it")
    else:
        complain(f"{gallery}: another process uses it; run this again when that has ended")
    return SUCCESS if cleaned else ERROR


def _full_paths(paths: list[Path]) -> list[Path]:
    if Path() in paths:
        raise GalleryError("an empty path, or a dot; name the photo or the folder itself")
    return paths


@app.command()
def reembed(
    model: Annotated[str, typer.Option("--model", "-m", help="The new model, of `kith models list`.")],
    detector: DetectorId = "",
    gallery: GalleryPath = DEFAULT_GALLERY,
    photos: Annotated[
        Path | None,
        typer.Option(help="A folder with the photos, if they moved; they are told by their content."),
    ] = None,
    without_missing: Annotated[
        bool, typer.Option(help="Go on, and delete those whose photo is gone.")
    ] = False,
    device: DeviceName = Device.AUTO,
    as_json: Json = False,
) -> int:
    """Embed everyone again with another model, from the photos they were enrolled from.

    All or nothing: exit code 2, and the gallery as it was, if a photo is gone. Run again, it goes on.
    """
    model = find_pair(model, detector).id
    with Gallery.open(gallery, create=False) as opened:
        recognizer = load_recognizer(model, Precision.AUTO, device=device)
        old = opened.model_id
        with (
            interruptible(lambda: "what was embedded again is kept; run it again to go on"),
            telling() as progress,
        ):
            left = reembed_gallery(
                opened,
                recognizer,
                photos=photos,
                without_missing=without_missing,
                progress=progress,
            )
        reembedded = opened.model_id == model
        references = sum(person.references for person in opened.subjects())
    if as_json:
        print_json(
            {
                "gallery": str(gallery),
                "from": old,
                "to": model,
                "reembedded": reembedded,
                "references": references,
                "left_behind": [
                    {"name": each.name, "source": each.source, "reason": each.reason} for each in left
                ],
            }
        )
    else:
        for each in left:
            complain(f"{each.name}: {each.source or 'a photo without a name'}: {each.reason}")
        if reembedded:
            print_line(f"{gallery}: {count(references, 'reference')} moved from {old} to {model}")
        else:
            print_line(
                f"{gallery} stays with {old}: {count(len(left), 'face')} cannot be embedded again; name the "
                "folder of the photos with --photos, or give these faces up with --without-missing"
            )
    return SUCCESS if reembedded else ERROR


former_verb(app, "migrate", "kith gallery reembed", reembed)


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="The new file.", readable=False)],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    gallery: GalleryPath = DEFAULT_GALLERY,
    as_json: Json = False,
) -> None:
    """Copy a gallery as it is now, also while it is in use; the copy is a gallery too."""
    with Gallery.open(gallery, create=False) as opened:
        back_up(opened, file, overwrite=force)
    if as_json:
        print_json({"gallery": str(gallery), "backup": str(file)})
    else:
        print_line(f"{file} is a copy of {gallery}")
