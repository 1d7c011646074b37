"""One folder, one truth: what a folder with one folder per person holds, for every verb that is given one."""

import unicodedata
from pathlib import Path

import pytest
from command_line import kith
from witness import Witness

from kith.errors import EvaluationError, ImageError, NoPeopleFound
from kith.sample_people import photos_of_people
from kith.training.photos import find_photos as find_training_photos
from kith.workflows.people_folders import PersonPhoto, find_people, read_people

ZOE_COMPOSED, ZOE_DECOMPOSED = (unicodedata.normalize(form, "Zoë") for form in ("NFC", "NFD"))


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


@pytest.fixture
def nasty(tmp_path: Path) -> Path:
    """Real photos of Ada and Grace in every way that was read differently by someone.

    Ada is there plainly and as " Ada  "; the other is Zoë, spelled in both forms. Beside them lie a loose
    photo, a folder that is called as no person can be, one without photos, and files that are no photos.
    """
    root = tmp_path / "people"
    people = list(photos_of_people().values())
    places = {
        "Ada": people[0][:2],
        " Ada  ": people[0][2:3],
        ZOE_COMPOSED: people[1][:1],
        f"{ZOE_DECOMPOSED}/2019": people[1][1:2],
        "bad\x07name": people[2][:1],
        "": people[3][:1],
    }
    for folder, photos in places.items():
        for photo in photos:
            (root / folder).mkdir(parents=True, exist_ok=True)
            (root / folder / photo.name).write_bytes(photo.read_bytes())
    touch(root, "Nobody/notes.txt", ".hidden/1.jpg", "@eaDir/1.jpg")
    (root / "Ada" / "party.MOV").write_bytes(b"\0\0\0\x14ftypqt  ")
    return root


def truth(root: Path) -> set[tuple[str, str]]:
    """Whom each photo shows, by its path in the folder."""
    ada, zoe = (photos for photos in list(photos_of_people().values())[:2])
    return {
        ("Ada", f"Ada/{ada[0].name}"),
        ("Ada", f"Ada/{ada[1].name}"),
        ("Ada", f" Ada  /{ada[2].name}"),
        (ZOE_COMPOSED, f"{ZOE_COMPOSED}/{zoe[0].name}"),
        (ZOE_COMPOSED, f"{ZOE_DECOMPOSED}/2019/{zoe[1].name}"),
    }


def seen(root: Path, photos: list[PersonPhoto]) -> set[tuple[str, str]]:
    return {(photo.person, photo.path.relative_to(root).as_posix()) for photo in photos}


def test_every_verb_sees_the_same_people_and_photos(nasty: Path, tmp_path: Path) -> None:
    gallery = tmp_path / "gallery.db"
    enrolled = kith("enroll", nasty, "-g", gallery, "--json", "--precision", "float32")
    assert enrolled.code == 2, "a folder is called as no person can be"
    people = kith("people", "list", "-g", gallery, "--json").json()["people"]
    assert {(one["name"], one["references"]) for one in people} == {("Ada", 3), (ZOE_COMPOSED, 2)}
    assert seen(nasty, list(find_people(nasty).photos)) == truth(nasty)
    assert seen(nasty, find_training_photos(nasty)) == truth(nasty), "train and distill"
    measured = read_people(nasty)
    named = [
        PersonPhoto(measured.names[subject], photo)
        for photo, subject in zip(measured.photos, measured.subjects, strict=True)
    ]
    assert seen(nasty, named) == truth(nasty), "evaluate and calibrate"
    answer = kith("evaluate", "clusters", nasty, "--json", "--precision", "float32")
    assert (answer.json()["people"], answer.json()["faces"]) == (2, 5)
    # what is left out is told alike
    told = [
        "bad\\x07name",
        "must be printable",
        "1 .MOV",
        "Nobody: no photos in it",
        "1 photo in no person's",
    ]
    for output in (enrolled.err, answer.err):
        assert all(words in output for words in told)
        assert "hidden" not in output
        assert "eaDir" not in output


def test_what_is_beside_is_told(nasty: Path) -> None:
    told = Witness()
    read_people(nasty, progress=told)
    assert told.said == [
        f"{nasty}/bad\x07name: a person's name must be printable, got 'bad\\x07name'; rename the folder; "
        "left out",
        f"{nasty}: 1 .MOV left out",
        f"{nasty}/Nobody: no photos in it; left out",
        f"{nasty}: 1 photo in no person's folder; left out",
    ]


def test_a_link_to_nothing_is_told(tmp_path: Path) -> None:
    touch(tmp_path, "Ada/1.jpg")
    (tmp_path / "Ada" / "gone.jpg").symlink_to(tmp_path / "nothing")
    found = find_people(tmp_path)
    assert found.refused == ((tmp_path / "Ada" / "gone.jpg", "cannot be read (a link to nothing)"),)


def test_photos_are_in_the_order_of_their_paths(tmp_path: Path) -> None:
    touch(tmp_path, "Grace/1.jpg", "Ada/2.jpg", "Ada/1.jpg")
    people = read_people(tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in people.photos] == [
        "Ada/1.jpg",
        "Ada/2.jpg",
        "Grace/1.jpg",
    ]
    assert (people.names, people.subjects.tolist()) == (("Ada", "Grace"), [0, 0, 1])


def test_a_folder_without_people_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="no such folder"):
        find_people(tmp_path / "nowhere")
    with pytest.raises(NoPeopleFound, match="no photos in it; expected one folder per person"):
        find_people(tmp_path)
    touch(tmp_path, "1.jpg", "2.jpg")
    with pytest.raises(NoPeopleFound, match="2 photos, but in no person's folder"):
        find_people(tmp_path)
    with pytest.raises(NoPeopleFound, match="is a file"):
        find_people(tmp_path / "1.jpg")
    with pytest.raises(ImageError, match="whole disk"):
        find_people("/")


def test_one_person_is_too_few_to_measure(tmp_path: Path) -> None:
    touch(tmp_path, "Ada/1.jpg")
    with pytest.raises(EvaluationError, match="holds photos of Ada only"):
        read_people(tmp_path)
