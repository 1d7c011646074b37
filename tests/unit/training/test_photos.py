from pathlib import Path

import numpy as np
import pytest
from witness import Witness

from kith.errors import GalleryError, ImageError, NoPeopleFound, TrainingError
from kith.gallery import Gallery, NewReference
from kith.records import Face
from kith.training.photos import find_photos, read_names
from kith.workflows.people_folders import PersonPhoto


def folder(tmp_path: Path) -> Path:
    for name in ("Grace/1.jpg", "Ada/2.png", "Ada/deeper/1.jpg", "Ada/notes.txt", ".hidden/1.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_a_folder_has_a_folder_for_each_person(tmp_path: Path) -> None:
    found = [
        (photo.person, photo.path.relative_to(tmp_path).as_posix()) for photo in find_photos(folder(tmp_path))
    ]
    assert found == [("Ada", "Ada/2.png"), ("Ada", "Ada/deeper/1.jpg"), ("Grace", "Grace/1.jpg")]


def test_people_can_be_left_out_and_a_wrong_name_is_told(tmp_path: Path) -> None:
    assert {photo.person for photo in find_photos(folder(tmp_path), without=["Ada"])} == {"Grace"}
    with pytest.raises(TrainingError, match="nobody is called 'Adda'"):
        find_photos(tmp_path, without=["Ada", "Adda"])


def test_an_empty_folder_and_a_missing_one_are_told(tmp_path: Path) -> None:
    with pytest.raises(NoPeopleFound, match="no photos in it"):
        find_photos(tmp_path)
    with Gallery.open(tmp_path / "empty.db", model_id="test-model"):
        pass
    with pytest.raises(TrainingError, match="nobody is enrolled in it"):
        find_photos(tmp_path / "empty.db")
    with pytest.raises((ImageError, GalleryError)):
        find_photos(tmp_path / "nowhere")


def test_what_is_left_out_of_a_folder_is_told(tmp_path: Path) -> None:
    folder(tmp_path)
    (tmp_path / "Ada" / "party.MOV").write_bytes(b"\0\0\0\x14ftypqt  ")
    told = Witness()
    found = find_photos(tmp_path, progress=told)
    assert len(found) == len(find_photos(tmp_path))
    assert told.said == [f"{tmp_path}: 1 .MOV left out"]


def test_a_gallery_knows_its_photos(tmp_path: Path, make_template, face: Face) -> None:
    with Gallery.open(tmp_path / "people.db", model_id="test-model") as gallery:
        for seed, (name, source) in enumerate([("Grace", "g.jpg"), ("Ada", "a.jpg"), ("Ada", "b.jpg")]):
            gallery.enroll(name, [NewReference(make_template(seed), face, source, f"hash {seed}")])
    found = find_photos(tmp_path / "people.db", without=["Grace"])
    assert sorted(found, key=str) == [PersonPhoto("Ada", Path("a.jpg")), PersonPhoto("Ada", Path("b.jpg"))]


def test_names_are_read_one_a_line(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("Ada\n\n  Grace Hopper \n", encoding="utf-8")
    assert read_names(tmp_path / "names.txt") == ["Ada", "Grace Hopper"]
    with pytest.raises(TrainingError, match="No such file"):
        read_names(tmp_path / "none.txt")
    (tmp_path / "names.txt").write_bytes(np.arange(256, dtype=np.uint8).tobytes())
    with pytest.raises(TrainingError, match="not a text file"):
        read_names(tmp_path / "names.txt")
