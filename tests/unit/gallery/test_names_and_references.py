"""Names that people had before, and references that are someone else's."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from command_line import kith

from kith.cli.hints import with_hint
from kith.errors import (
    DuplicateReference,
    DuplicateSubject,
    ModelMismatch,
    UnknownReference,
    UnknownSubject,
)
from kith.gallery import Album, Gallery, NewFace, NewReference, PhotoFile, name_cluster
from kith.records import Face, Template

NewReferences = Callable[..., list[NewReference]]


@pytest.fixture
def new(make_template: Callable[[int], Template], face: Face) -> NewReferences:
    def make(*photos: int) -> list[NewReference]:
        return [NewReference(make_template(photo), face, f"{photo}.jpg", f"hash {photo}") for photo in photos]

    return make


def names(gallery: Gallery) -> dict[str, int]:
    return {summary.subject.name: summary.references for summary in gallery.subjects()}


def on_disk(gallery: Gallery) -> bytes:
    return b"".join(path.read_bytes() for path in gallery.path.parent.glob(f"{gallery.path.name}*"))


# former names


def test_a_former_name_leads_to_who_had_it(gallery: Gallery, new: NewReferences) -> None:
    wei = gallery.enroll("Wei", new(1))
    renamed = gallery.rename("Wei", "Wei Li")
    assert gallery.subject_for(" Wei ") == renamed
    assert gallery.enroll("Wei", new(2)) == renamed
    assert (renamed.id, names(gallery)) == (wei.id, {"Wei Li": 2})
    assert gallery.former_names_of("Wei Li") == ["Wei"]
    with pytest.raises(UnknownSubject, match="no person named 'Wei' in the gallery; Wei Li was called so"):
        gallery.references_of("Wei")


def test_one_name_in_every_spelling(gallery: Gallery, new: NewReferences) -> None:
    gallery.enroll("Jos\u00e9", new(1))
    gallery.rename("Jose\u0301", "Pep")
    assert gallery.enroll("Jose\u0301", new(2)).name == "Pep"
    assert gallery.subject_for("jos\u00e9") is None, "another name, as for people of today"


def test_merged_names_lead_to_who_is_left(gallery: Gallery, new: NewReferences) -> None:
    for photo, name in enumerate(("A", "B", "C")):
        gallery.enroll(name, new(photo))
    gallery.rename("A", "AA")
    gallery.merge("AA", "B")
    gallery.merge("B", "C")
    gallery.rename("C", "D")
    assert gallery.former_names_of("D") == ["A", "AA", "B", "C"]
    for photo, name in enumerate(("A", "AA", "B", "C"), 10):
        assert gallery.enroll(name, new(photo)).name == "D"
    assert names(gallery) == {"D": 7}


def test_a_name_of_today_is_no_former_one(gallery: Gallery, new: NewReferences) -> None:
    gallery.enroll("Wei", new(1))
    gallery.rename("Wei", "Wei Li")
    gallery.rename("Wei Li", "Wei")  # back
    assert gallery.former_names_of("Wei") == ["Wei Li"]
    gallery.rename("Wei", "Wei")
    assert gallery.former_names_of("Wei") == ["Wei Li"]
    other = gallery.enroll("Other", new(2))
    gallery.rename("Other", "Wei Li")  # who says so means it
    assert gallery.former_names_of("Wei") == []
    assert gallery.subject_for("Wei Li").id == other.id
    assert gallery.subject_for("Other").id == other.id
    with pytest.raises(DuplicateSubject):
        gallery.rename("Wei", "Wei Li")


def test_someone_new_can_have_a_former_name(gallery: Gallery, new: NewReferences) -> None:
    gallery.enroll("Wei", new(1))
    gallery.rename("Wei", "Wei Li")
    assert gallery.delete_former_name("Wei").name == "Wei Li"
    assert gallery.enroll("Wei", new(2)).name == "Wei"
    for unknown in ("Wei", "Wei Li", "Anyone"):
        with pytest.raises(UnknownSubject, match=f"no person formerly named '{unknown}'"):
            gallery.delete_former_name(unknown)


def test_a_deleted_former_name_is_on_no_disk(gallery: Gallery, new: NewReferences) -> None:
    for number, gone in enumerate(("Countess", "Enchantress")):
        gallery.enroll(gone, new(number))
        gallery.rename(gone, f"Person {number}")
        assert gone.encode() in on_disk(gallery)
    gallery.delete_former_name("Countess")
    assert b"Countess" not in on_disk(gallery)
    gallery.delete("Person 1")
    assert b"Enchantress" not in on_disk(gallery)
    assert gallery.subject_for("Enchantress") is None


def test_a_cluster_gets_a_former_name(
    gallery: Gallery, new: NewReferences, make_template: Callable[[int], Template], face: Face
) -> None:
    gallery.enroll("Wei", new(1))
    gallery.rename("Wei", "Wei Li")
    album = Album(gallery)
    album.add(PhotoFile("a.jpg", 1, 1), "hash a", [NewFace(face, make_template(1), "", b"")])
    faces = album.faces()
    album.save(faces, np.zeros(1, np.int64), np.zeros(1, np.int64), np.full(1, 0.5))
    assert name_cluster(album, 1, "Wei").subject.name == "Wei Li"


# references


def test_move(gallery: Gallery, new: NewReferences) -> None:
    ada, grace = gallery.enroll("Ada", new(1, 2)), gallery.enroll("Grace", new(3))
    before = gallery.references().revision
    changed = gallery.move_references([2, 2, 3], "Grace")
    assert [(reference.id, reference.subject) for reference in changed.references] == [(2, ada)]
    assert changed.gone == ()
    assert names(gallery) == {"Ada": 1, "Grace": 2}
    assert gallery.references().revision > before
    assert gallery.references().subject_ids.tolist() == [ada.id, grace.id, grace.id]
    assert gallery.move_references([1], "Someone new").gone == (ada,)
    assert names(gallery) == {"Grace": 2, "Someone new": 1}
    assert gallery.enroll("Ada", new(9)).id > grace.id, "the name is free"


def test_remove(gallery: Gallery, new: NewReferences) -> None:
    ada = gallery.enroll("Ada", new(1, 2))
    gallery.enroll("Grace", new(3, 4))
    gallery.save_classifier("svm", gallery.references().revision, {"weights": np.zeros(1)})
    changed = gallery.delete_references([4])
    assert ([reference.source for reference in changed.references], changed.gone) == (["4.jpg"], ())
    assert gallery.load_classifier("svm", gallery.references().revision) is None
    assert gallery.delete_references([1, 2]).gone == (ada,)
    assert names(gallery) == {"Grace": 1}
    gallery.enroll("Grace", new(4))


def test_all_of_a_call_or_none(gallery: Gallery, new: NewReferences, face: Face) -> None:
    gallery.enroll("Ada", new(1, 2))
    for ids in ([1, 99], [1, 0], [1, -1], [1, 1 << 70]):
        with pytest.raises(UnknownReference, match=f"no reference {ids[1]} in the gallery"):
            gallery.delete_references(ids)
        with pytest.raises(UnknownReference):
            gallery.move_references(ids, "Grace")
    elsewhere = Face(face.box + 500, face.landmarks + 500, 0.9)
    (same_photo,) = new(2)
    gallery.enroll("Grace", [NewReference(new(5)[0].template, elsewhere, "2.jpg", same_photo.pixels_hash)])
    with pytest.raises(DuplicateReference, match=r"2\.jpg is enrolled already, as Grace"):
        gallery.move_references([1, 2], "Grace")
    assert names(gallery) == {"Ada": 2, "Grace": 1}


def test_nothing_of_a_removed_reference_is_left_on_the_disk(gallery: Gallery, new: NewReferences) -> None:
    gallery.enroll("Other people", new(*range(100, 140)))
    gallery.enroll("Ada", new(1, 2))
    secret = new(1)[0].template.embedding.tobytes()
    assert secret in on_disk(gallery), "else this test cannot fail"
    gallery.delete_references([41])
    assert secret not in on_disk(gallery)
    assert new(2)[0].template.embedding.tobytes() in on_disk(gallery)


def test_a_cluster_of_who_is_gone_by_moving_has_no_name(
    gallery: Gallery, make_template: Callable[[int], Template], face: Face
) -> None:
    album = Album(gallery)
    album.add(PhotoFile("a.jpg", 1, 1), "hash a", [NewFace(face, make_template(1), "", b"")])
    album.save(album.faces(), np.zeros(1, np.int64), np.zeros(1, np.int64), np.full(1, 0.5))
    name_cluster(album, 1, "Ada")
    assert [subject.name for subject in gallery.move_references([1], "Grace").gone] == ["Ada"]
    assert [(summary.subject, summary.faces) for summary in album.clusters()] == [(None, 1)]


# what is refused


def test_nobody_without_references(gallery: Gallery) -> None:
    with pytest.raises(ValueError, match="nothing to enroll Ada with"):
        gallery.enroll("Ada", [])
    assert names(gallery) == {}


def test_an_empty_gallery_takes_its_models_size_only(
    gallery_path: Path, make_template: Callable[[int], Template], face: Face
) -> None:
    template = make_template(1, "dlib-resnet29")  # of 16 numbers, that model's have 128
    with Gallery.open(gallery_path, model_id="dlib-resnet29") as gallery:
        with pytest.raises(ModelMismatch, match="16 numbers, but dlib-resnet29's have 128"):
            gallery.enroll("Ada", [NewReference(template, face, "", "hash")])
        with pytest.raises(ModelMismatch):
            Album(gallery).add(PhotoFile("a.jpg", 1, 1), "hash", [NewFace(face, template, "", b"")])
        assert names(gallery) == {}


def test_a_face_that_is_nowhere_is_not_stored(gallery: Gallery, new: NewReferences) -> None:
    (good,) = new(1)
    nowhere = Face(np.full(4, np.nan, np.float32), good.face.landmarks, 0.9)
    for reference in (
        NewReference(good.template, nowhere, "", "hash"),
        NewReference(good.template, good.face, "x" * 9000, "hash"),
    ):
        with pytest.raises(ValueError, match="a value of a gallery must"):
            gallery.enroll("Ada", [reference])
    assert names(gallery) == {}


# the command line


def test_a_duplicate_says_what_helps(
    gallery: Gallery, new: NewReferences, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery.enroll("Ada", new(1))
    with pytest.raises(DuplicateReference) as caught:
        gallery.enroll("Grace H", new(1))
    error = caught.value
    assert (error.source, error.reference_id, error.owner, error.wanted) == ("1.jpg", 1, "Ada", "Grace H")
    helps = "1.jpg is enrolled already, as Ada; if that is wrong: kith people move 1 'Grace H'"
    assert with_hint(error, gallery.path) == f"{helps} --gallery {gallery.path}"
    monkeypatch.setenv("KITH_GALLERY", str(gallery.path))
    assert with_hint(error, gallery.path) == helps
    assert with_hint(UnknownReference(3), gallery.path) == "no reference 3 in the gallery"


def test_the_verbs(
    gallery: Gallery, make_template: Callable[[int], Template], face: Face, tmp_path: Path
) -> None:
    there, gone = tmp_path / "there.jpg", tmp_path / "gone.jpg"
    there.touch()
    for photo, source in enumerate((there, gone, there)):
        gallery.enroll("Ada", [NewReference(make_template(photo), face, str(source), f"hash {photo}")])
    gallery.enroll("Ada", [NewReference(make_template(3), face, "", "hash 3")])
    option = ("-g", gallery.path)
    shown = kith("people", "show", "Ada", *option, "--json").json()
    assert [reference["photo"] for reference in shown["references"]] == [
        "replaced",
        "gone",
        "there",
        "unknown",
    ]
    assert shown["former_names"] == []

    assert (
        kith("people", "move", "1", "Grace", *option).out == f"reference 1 of Ada is Grace's now: {there}\n"
    )
    assert kith("people", "move", "2", "3", "Grace", *option, "--json").json() == {
        "name": "Grace",
        "references": [
            {"id": 2, "name": "Ada", "source": str(gone)},
            {"id": 3, "name": "Ada", "source": str(there)},
        ],
        "gone": [],
    }
    assert kith("people", "move", "1", "Grace", *option).out == "nothing to move: Grace has them already\n"
    answer = kith("people", "delete-references", "2", "--yes", *option)
    assert answer.out == f"reference 2 of Grace is deleted: {gone}\n"
    answer = kith("people", "delete-references", "4", "--yes", *option)
    assert answer.out.splitlines()[1] == "Ada has no other reference, and is deleted"
    answer = kith("people", "delete-references", "3", "99", "--yes", *option)
    assert (answer.code, answer.err) == (2, "error: no reference 99 in the gallery\n")
    assert kith("people", "delete-references", "3", "--yes", "--json", *option).json() == {
        "references": [{"id": 3, "name": "Grace", "source": str(there)}],
        "gone": [],
    }

    kith("people", "rename", "Grace", "Grace H", *option)
    answer = kith("people", "show", "Grace H", *option)
    assert answer.err == "formerly Grace: whoever is enrolled under such a name is Grace H\n"
    assert kith("people", "show", "Grace H", "--json", *option).json()["former_names"] == ["Grace"]
    answer = kith("people", "delete-name", "Grace", *option)
    assert (answer.code, answer.out) == (0, "Grace is no name of Grace H any more\n")
    assert kith("people", "delete-name", "Grace", *option).code == 2


@pytest.mark.parametrize(("reply", "left"), [(True, {"Ada": 1}), (False, {"Ada": 2})])
def test_remove_asks_on_a_terminal(
    gallery: Gallery, new: NewReferences, monkeypatch: pytest.MonkeyPatch, reply: bool, left: dict[str, int]
) -> None:
    gallery.enroll("Ada", new(1, 2))
    asked: list[str] = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.confirm", lambda question, **_: asked.append(question) or reply)
    answer = kith("people", "delete-references", "1", "-g", gallery.path)
    assert answer.code == (0 if reply else 2)
    assert asked == ["Delete 1 reference?"]
    assert names(gallery) == left


def test_a_verb_answers_to_its_former_name(gallery: Gallery, new: NewReferences) -> None:
    gallery.enroll("Ada", new(1, 2))
    answer = kith("people", "remove", "1", "--yes", "-g", gallery.path)
    assert (answer.code, answer.out) == (0, "reference 1 of Ada is deleted: 1.jpg\n")
    assert answer.err == "'remove' is called otherwise now: kith people delete-references\n"
    assert " remove" not in kith("people", "--help").out
    answer = kith("gallery", "migrate", "--model", "TYPO", "-g", gallery.path)
    assert answer.err.splitlines()[0] == "'migrate' is called otherwise now: kith gallery reembed"
    assert " migrate" not in kith("gallery", "--help").out
