"""`kith gallery`: the gallery as a whole."""

from pathlib import Path
from typing import Annotated

import typer

from kith.cli.console import complain, count, print_json, print_line
from kith.cli.exit_codes import ERROR, SUCCESS
from kith.cli.load import load_recognizer
from kith.cli.options import DEFAULT_GALLERY, GalleryPath, Json
from kith.cli.progress import track
from kith.gallery import Gallery
from kith.migration import migrate as migrate_gallery
from kith.runtime.prepare import Precision

app = typer.Typer(help="Look at and change the gallery itself.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def show(gallery: GalleryPath = DEFAULT_GALLERY, as_json: Json = False) -> None:
    """Show which model a gallery is bound to, and how much it holds."""
    with Gallery.open(gallery, create=False) as opened:
        people, model_id = opened.subjects(), opened.model_id
    references = sum(person.references for person in people)
    if as_json:
        print_json(
            {"gallery": str(gallery), "model": model_id, "people": len(people), "references": references}
        )
    else:
        print_line(
            f"{gallery}: {count(len(people), 'person', 'people')}, {count(references, 'reference')}, "
            f"model {model_id}"
        )


@app.command()
def migrate(
    model: Annotated[str, typer.Option("--model", "-m", help="The new model, of `kith models list`.")],
    gallery: GalleryPath = DEFAULT_GALLERY,
    photos: Annotated[
        Path | None,
        typer.Option(help="A folder with the photos, if they moved; they are told by their content."),
    ] = None,
    without_missing: Annotated[
        bool, typer.Option(help="Go on, and delete those whose photo is gone.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Embed everyone again with another model, from the photos they were enrolled from.

    All or nothing: exit code 2, and the gallery as it was, if a photo is gone. Run again, it goes on.
    """
    with Gallery.open(gallery, create=False) as opened:
        recognizer = load_recognizer(model, Precision.AUTO)
        old = opened.model_id
        left = migrate_gallery(
            opened,
            recognizer,
            photos=photos,
            without_missing=without_missing,
            track=lambda migrants: track(migrants, "embedding again"),
        )
        migrated = opened.model_id == model
        references = sum(person.references for person in opened.subjects())
    if as_json:
        print_json(
            {
                "gallery": str(gallery),
                "from": old,
                "to": model,
                "migrated": migrated,
                "references": references,
                "left_behind": [
                    {"name": each.name, "source": each.source, "reason": each.reason} for each in left
                ],
            }
        )
    else:
        for each in left:
            complain(f"{each.name}: {each.source or 'a photo without a name'}: {each.reason}")
        if migrated:
            print_line(f"{gallery}: {count(references, 'reference')} moved from {old} to {model}")
        else:
            print_line(
                f"{gallery} stays with {old}: {count(len(left), 'face')} cannot be embedded again; name the "
                "folder of the photos with --photos, or give these faces up with --without-missing"
            )
    return SUCCESS if migrated else ERROR
