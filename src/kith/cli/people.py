"""`kith people`: who is enrolled."""

import sys
from typing import Annotated, Any

import typer

from kith.cli.console import count, note, print_json, print_line, print_table
from kith.cli.exit_codes import ERROR, SUCCESS
from kith.cli.options import DEFAULT_GALLERY, GalleryPath, Json
from kith.gallery import Album, Gallery, name_cluster

app = typer.Typer(help="Look at and change who is enrolled.", no_args_is_help=True, rich_markup_mode=None)

Name = Annotated[str, typer.Argument(help="A person's name.")]


@app.command(name="list")
def list_people(gallery: GalleryPath = DEFAULT_GALLERY, as_json: Json = False) -> None:
    """List everyone enrolled."""
    with Gallery.open(gallery, create=False) as opened:
        people = opened.subjects()
        model_id = opened.model_id
    if as_json:
        rows = [
            {"id": person.subject.id, "name": person.subject.name, "references": person.references}
            for person in people
        ]
        print_json({"gallery": str(gallery), "model": model_id, "people": rows})
    elif people:
        print_table(
            ("name", "references"), [[person.subject.name, str(person.references)] for person in people]
        )
    else:
        print_line("no one is enrolled")


@app.command()
def show(name: Name, gallery: GalleryPath = DEFAULT_GALLERY, as_json: Json = False) -> None:
    """Show a person's references."""
    with Gallery.open(gallery, create=False) as opened:
        references = opened.references_of(name)
    rows: list[dict[str, Any]] = [
        {
            "id": reference.id,
            "source": reference.source,
            "enrolled": reference.created.isoformat(timespec="seconds") + "Z",
            "detection_score": round(reference.detection_score, 4),
        }
        for reference in references
    ]
    if as_json:
        print_json({"name": name, "references": rows})
    else:
        print_table(
            ("id", "source", "enrolled", "detection score"),
            [[str(cell) for cell in row.values()] for row in rows],
        )


@app.command()
def rename(
    name: Name,
    new_name: Annotated[str, typer.Argument(help="The new name.")],
    gallery: GalleryPath = DEFAULT_GALLERY,
    as_json: Json = False,
) -> None:
    """Give a person another name."""
    with Gallery.open(gallery, create=False) as opened:
        subject = opened.rename(name, new_name)
    if as_json:
        print_json({"id": subject.id, "name": subject.name})
    else:
        print_line(f"{name} is now {subject.name}")


@app.command()
def merge(
    name: Name,
    into: Annotated[str, typer.Argument(help="The person who keeps the name.")],
    gallery: GalleryPath = DEFAULT_GALLERY,
    as_json: Json = False,
) -> None:
    """Make two people one."""
    with Gallery.open(gallery, create=False) as opened:
        subject = opened.merge(name, into)
    if as_json:
        print_json({"id": subject.id, "name": subject.name})
    else:
        print_line(f"{name} is now part of {subject.name}")


@app.command(name="name")
def name_(
    cluster: Annotated[int, typer.Argument(help="A cluster of `kith cluster`.")],
    name: Name,
    gallery: GalleryPath = DEFAULT_GALLERY,
    as_json: Json = False,
) -> None:
    """Give a cluster a name: its faces become references of the person, who may be enrolled already.

    Faces that are not good enough to enroll are left out, and stay in the cluster.
    """
    with Gallery.open(gallery, create=False) as opened:
        named = name_cluster(Album(opened), cluster, name)
    if as_json:
        print_json(
            {
                "cluster": cluster,
                "id": named.subject.id,
                "name": named.subject.name,
                "enrolled": named.enrolled,
                "already": named.already,
                "unfit": named.unfit,
            }
        )
    else:
        already = f", {named.already} already there" if named.already else ""
        unfit = f", {named.unfit} not good enough" if named.unfit else ""
        print_line(
            f"cluster {cluster} is {named.subject.name}: "
            f"{count(named.enrolled, 'face')} enrolled{already}{unfit}"
        )


@app.command()
def delete(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    gallery: GalleryPath = DEFAULT_GALLERY,
    as_json: Json = False,
) -> int:
    """Forget a person, all references and the faces of named clusters; asks first on a terminal."""
    with Gallery.open(gallery, create=False) as opened:
        references = len(opened.references_of(name))
        question = f"Forget {name} and {count(references, 'reference')}?"
        if not yes and sys.stdin.isatty() and not typer.confirm(question, err=True):
            note("nothing was deleted")
            return ERROR
        references = opened.delete(name)
    if as_json:
        print_json({"name": name, "references": references})
    else:
        print_line(f"{name} and {count(references, 'reference')} are gone from {gallery}")
    return SUCCESS
