"""`kith people`: who is enrolled."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from kith.cli.console import count, note, print_json, print_line, print_table
from kith.cli.exit_codes import ERROR, SUCCESS
from kith.cli.former_verbs import former_verb
from kith.cli.gone import NOT_CLEANED
from kith.cli.options import DEFAULT_GALLERY, GalleryPath, Json
from kith.gallery import Album, Deletion, Gallery, MayBelong, Reference, name_cluster
from kith.records import Subject

app = typer.Typer(help="Look at and change who is enrolled.", no_args_is_help=True, rich_markup_mode=None)

Name = Annotated[str, typer.Argument(help="A person's name.")]
References = Annotated[list[int], typer.Argument(help="Numbers of references, as `kith people show` tells.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


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
    """Show a person's references, where their photos are, and names the person had before."""
    with Gallery.open(gallery, create=False) as opened:
        references = opened.references_of(name)
        former_names = opened.former_names_of(name)
    rows: list[dict[str, Any]] = [
        {
            "id": reference.id,
            "source": reference.source,
            "photo": _state_of_photo(reference, references),
            "enrolled": reference.created.isoformat(timespec="seconds") + "Z",
            "detection_score": round(reference.detection_score, 4),
        }
        for reference in references
    ]
    if as_json:
        print_json({"name": name, "former_names": former_names, "references": rows})
        return
    print_table(
        ("id", "source", "photo", "enrolled", "detection score"),
        [[str(cell) for cell in row.values()] for row in rows],
    )
    if former_names:
        note(f"formerly {', '.join(former_names)}: whoever is enrolled under such a name is {name}")


def _state_of_photo(reference: Reference, references: Sequence[Reference]) -> str:
    """Whether a reference's photo is there, gone, or replaced by one that was enrolled later; or unknown."""
    if not reference.source or "\\udc" in reference.source:  # stored so where the name is no UTF-8
        return "unknown"
    if any(other.source == reference.source and other.id > reference.id for other in references):
        return "replaced"
    try:
        Path(reference.source).lstat()
    except FileNotFoundError:
        return "gone"
    except (OSError, ValueError):
        return "unknown"
    return "there"


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

    Faces that are not good enough to enroll are left out, and so are second faces of the person in one
    photo, as in a collage; they stay in the cluster.
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
                "twice": named.twice,
                "unfit": named.unfit,
            }
        )
    else:
        already = f", {named.already} already there" if named.already else ""
        twice = f", {named.twice} of photos that show {named.subject.name} already" if named.twice else ""
        unfit = f", {named.unfit} not good enough" if named.unfit else ""
        print_line(
            f"cluster {cluster} is {named.subject.name}: "
            f"{count(named.enrolled, 'face')} enrolled{already}{twice}{unfit}"
        )


@app.command()
def delete_references(
    references: References,
    yes: Yes = False,
    gallery: GalleryPath = DEFAULT_GALLERY,
    as_json: Json = False,
) -> int:
    """Delete references, such as of photos of someone else; asks first on a terminal.

    A person without any other reference is deleted too.
    """
    with Gallery.open(gallery, create=False) as opened:
        question = f"Delete {count(len(references), 'reference')}?"
        if not yes and sys.stdin.isatty() and not typer.confirm(question, err=True):
            note("nothing was deleted")
            return ERROR
        changed = opened.delete_references(references)
    if as_json:
        print_json({"references": _references_json(changed.references), "gone": _names(changed.gone)})
    else:
        for reference in changed.references:
            print_line(f"reference {reference.id} of {reference.subject.name} is deleted: {reference.source}")
        _tell_gone(changed.gone)
    return SUCCESS


former_verb(app, "remove", "kith people delete-references", delete_references)


@app.command()
def move(
    references: References,
    name: Annotated[str, typer.Argument(help="The person they are of, new or known.")],
    gallery: GalleryPath = DEFAULT_GALLERY,
    as_json: Json = False,
) -> None:
    """Give references to another person.

    A person without any other reference is deleted.
    """
    with Gallery.open(gallery, create=False) as opened:
        changed = opened.move_references(references, name)
        subject = opened.subject_for(name)
    owner = subject.name if subject else name
    if as_json:
        moved = _references_json(changed.references)
        print_json({"name": owner, "references": moved, "gone": _names(changed.gone)})
    else:
        for reference in changed.references:
            print_line(
                f"reference {reference.id} of {reference.subject.name} is {owner}'s now: {reference.source}"
            )
        if not changed.references:
            print_line(f"nothing to move: {owner} has them already")
        _tell_gone(changed.gone)


@app.command()
def delete_name(
    name: Annotated[str, typer.Argument(help="A name that someone had before.")],
    gallery: GalleryPath = DEFAULT_GALLERY,
    as_json: Json = False,
) -> None:
    """Delete a person's former name: whoever is enrolled under it next is someone new."""
    with Gallery.open(gallery, create=False) as opened:
        subject = opened.delete_former_name(name)
    if as_json:
        print_json({"id": subject.id, "name": subject.name, "former_name": name})
    else:
        print_line(f"{name} is no name of {subject.name} any more")


def _references_json(references: Sequence[Reference]) -> list[dict[str, Any]]:
    return [
        {"id": reference.id, "name": reference.subject.name, "source": reference.source}
        for reference in references
    ]


def _names(subjects: Sequence[Subject]) -> list[str]:
    return [subject.name for subject in subjects]


def _tell_gone(subjects: Sequence[Subject]) -> None:
    for subject in subjects:
        print_line(f"{subject.name} has no other reference, and is deleted")


@app.command()
def delete(
    name: Name,
    yes: Yes = False,
    gallery: GalleryPath = DEFAULT_GALLERY,
    as_json: Json = False,
) -> int:
    """Delete a person and everything of that person; asks first on a terminal.

    That is: the references, the faces of clusters of that name, and the same faces where their cluster has
    no name. Faces without a name that only may be the person's are left, and listed.
    """
    with Gallery.open(gallery, create=False) as opened:
        references = len(opened.references_of(name))
        question = f"Delete {name} and {count(references, 'reference')}?"
        if not yes and sys.stdin.isatty() and not typer.confirm(question, err=True):
            note("nothing was deleted")
            return ERROR
        deletion = opened.delete(name)
    if as_json:
        print_json(_deletion_json(deletion))
        return SUCCESS
    faces = f", and {count(deletion.faces, 'face')} of its photos" if deletion.faces else ""
    print_line(f"{name} and {count(deletion.references, 'reference')} are gone from {gallery}{faces}")
    if deletion.places:
        one, many = "path of photos with others", "paths of photos with others"
        note(f"{count(deletion.places, one, many)} held the name, and {_is(deletion.places)} gone too")
    if deletion.may_belong:
        _note_may_belong(name, deletion.may_belong)
    if not deletion.cleaned:
        note(NOT_CLEANED)
    return SUCCESS


def _note_may_belong(name: str, faces: Sequence[MayBelong]) -> None:
    faces_are = f"{count(len(faces), 'face')} without a name may be {name}, and {_is(len(faces))}"
    note(f"{faces_are} still there:")
    for face in faces:
        where = f"face {face.face} of cluster {face.cluster}" if face.cluster else f"face {face.face}"
        note(f"  {where}, {face.source or 'a photo without a path'}, score {face.score:.3f}")
    note("look at them: kith cluster --sheet FILE.html; delete them: kith gallery prune --face N")


def _is(number: int) -> str:
    return "is" if number == 1 else "are"


def _deletion_json(deletion: Deletion) -> dict[str, Any]:
    return {
        "name": deletion.subject.name,
        "references": deletion.references,
        "faces": deletion.faces,
        "photos": deletion.photos,
        "paths": deletion.places,
        "may_belong": [
            {"face": face.face, "cluster": face.cluster, "image": face.source, "score": round(face.score, 4)}
            for face in deletion.may_belong
        ],
        "cleaned": deletion.cleaned,
    }
