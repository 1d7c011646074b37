"""`kith cluster` and `kith people name`, on the sample people."""

import shutil
import signal
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from command_line import PROGRAM, Answer, finish, kith, start
from PIL import Image
from small_disk import small_disk

from kith.catalogue.builtin import DEFAULT_DETECTOR, DEFAULT_EMBEDDER
from kith.gallery import Album, Gallery
from kith.quality import limits_of
from kith.sample_people import GROUP_PHOTO, PEOPLE

FLOAT32 = ("--precision", "float32")


@pytest.fixture(scope="session")
def clustered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sample people's photos under other names, and a gallery of their clusters."""
    folder = tmp_path_factory.mktemp("clustered")
    (folder / "photos").mkdir()
    for photo in PEOPLE.glob("*/*.jpg"):
        shutil.copy(photo, folder / "photos" / f"{photo.parent.name}-{photo.name}")
    shutil.copy(GROUP_PHOTO, folder / "photos" / "zz group.jpg")
    answer = kith("cluster", folder / "photos", "-g", folder / "gallery.db", *FLOAT32)
    assert answer.code == 0, answer
    return folder


@pytest.fixture
def work(clustered: Path, tmp_path: Path) -> Path:
    """A copy to change."""
    shutil.copy(clustered / "gallery.db", tmp_path)
    (tmp_path / "photos").symlink_to(clustered / "photos")
    return tmp_path


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """Four photos of two people."""
    folder = tmp_path / "few"
    folder.mkdir()
    for name in ("Ada/1", "Ada/2", "Omar/1", "Omar/2"):
        shutil.copy(PEOPLE / f"{name}.jpg", folder / f"{name.replace('/', '-')}.jpg")
    return folder


def require_one_line(answer: Answer, code: int, *parts: str | Path) -> None:
    assert len(answer.err.splitlines()) == 1, answer.err
    assert answer.err.startswith("error: ")
    for part in parts:
        assert str(part) in answer.err
    assert (answer.code, answer.out) == (code, "")


def photos_in(gallery: Path) -> set[str]:
    with closing(sqlite3.connect(gallery)) as connection:
        return {Path(source).name for (source,) in connection.execute("SELECT source FROM photos")}


def people_of(entry: dict[str, object]) -> set[str]:
    return {Path(face["image"]).name.partition("-")[0] for face in entry["faces"]}


def test_each_person_is_one_cluster(work: Path) -> None:
    entries = kith("cluster", "-g", work / "gallery.db", *FLOAT32, "--json").json()
    assert (entries["photos"], entries["new_photos"], entries["faces"]) == (49, 0, 58)
    large = [entry for entry in entries["clusters"] if len(entry["faces"]) > 1]
    assert len(large) == 8
    for entry in large:
        assert len(entry["faces"]) == 7
        assert len(people_of(entry) - {"zz group.jpg"}) == 1
    assert {name for entry in large for name in people_of(entry)} == {
        *(folder.name for folder in PEOPLE.iterdir()),
        "zz group.jpg",
    }
    assert entries["clusters"][0].keys() == {"cluster", "subject", "looks_like", "faces"}


def test_photos_are_looked_through_once(work: Path) -> None:
    answer = kith("cluster", work / "photos", "-g", work / "gallery.db", *FLOAT32)
    assert "0 new photos; 58 faces of 49 photos" in answer.err
    assert [line.split("\t")[1] for line in answer.out.splitlines()] == ["7"] * 8
    everyone = kith("cluster", "--all", "-g", work / "gallery.db", *FLOAT32)
    assert [line.split("\t")[1] for line in everyone.out.splitlines()] == ["7"] * 8 + ["1"] * 2


def test_a_named_cluster_is_identified(work: Path) -> None:
    gallery = work / "gallery.db"
    entries = kith("cluster", "-g", gallery, *FLOAT32, "--json").json()["clusters"]
    (ada,) = [entry["cluster"] for entry in entries if "Ada" in people_of(entry)]
    answer = kith("people", "name", str(ada), "Ada", "-g", gallery)
    assert (answer.code, answer.out) == (0, f"cluster {ada} is Ada: 7 faces enrolled\n")
    again = kith("people", "name", str(ada), "Ada", "-g", gallery, "--json").json()
    assert (again["name"], again["enrolled"], again["already"]) == ("Ada", 0, 7)
    found = kith(
        "identify", PEOPLE / "Ada" / "3.jpg", PEOPLE / "Omar" / "1.jpg", "-g", gallery, "--json"
    ).json()
    assert [face["subject"] for entry in found for face in entry["faces"]] == ["Ada", None]
    assert f"{ada}\t7\t7\tAda\n" in kith("cluster", "-g", gallery, *FLOAT32).out


def test_a_photo_in_a_cluster_can_be_enrolled_under_its_other_person(work: Path) -> None:
    gallery = work / "gallery.db"
    for number in (1, 2):
        assert kith("people", "name", str(number), f"Person {number}", "-g", gallery).code == 0
    with Gallery.open(gallery) as opened:
        (group,) = [r.pixels_hash for r in opened.references_of("Person 1") if r.source.endswith("group.jpg")]
        assert [owner.name for owner in opened.owners(group)] == ["Person 1", "Person 2"]


def test_people_who_are_enrolled_are_recognized_in_clusters(few: Path, tmp_path: Path) -> None:
    gallery = tmp_path / "gallery.db"
    kith("enroll", PEOPLE / "Ada" / "5.jpg", "--name", "Ada", "-g", gallery, *FLOAT32)
    answer = kith("cluster", few, "-g", gallery, *FLOAT32)
    assert answer.out == "1\t2\t2\tlooks like Ada\n2\t2\t2\t\n"


def test_added_photos_keep_the_numbers(few: Path, tmp_path: Path) -> None:
    gallery = tmp_path / "gallery.db"
    before = kith("cluster", few, "-g", gallery, *FLOAT32, "--json").json()["clusters"]
    shutil.copy(PEOPLE / "Wei" / "1.jpg", few / "aaa.jpg")
    shutil.copy(PEOPLE / "Omar" / "3.jpg", few / "bbb.jpg")
    after = kith("cluster", few, "-g", gallery, *FLOAT32, "--json").json()
    assert after["new_photos"] == 2
    by_number = {entry["cluster"]: entry["faces"] for entry in after["clusters"]}
    assert by_number[1] == before[0]["faces"]
    assert by_number[2][:2] == before[1]["faces"]
    assert [Path(face["image"]).name for face in by_number[2][2:]] == ["bbb.jpg"]
    assert [Path(face["image"]).name for face in by_number[3]] == ["aaa.jpg"]


def test_links_put_clusters_right(few: Path, tmp_path: Path) -> None:
    gallery = tmp_path / "gallery.db"
    kith("cluster", few, "-g", gallery, *FLOAT32)
    apart = kith("cluster", "-g", gallery, "--cannot", "1,2", "--all", *FLOAT32)
    assert sorted(line.split("\t")[1] for line in apart.out.splitlines()) == ["1", "1", "2"]
    together = kith("cluster", "-g", gallery, "--must", "1,2", *FLOAT32)
    assert sorted(line.split("\t")[1] for line in together.out.splitlines()) == ["2", "2"]


def test_the_contact_sheet_shows_every_face(work: Path) -> None:
    sheet = work / "sheet.html"
    assert kith("cluster", "-g", work / "gallery.db", "--sheet", sheet, *FLOAT32).code == 0
    text = sheet.read_text(encoding="utf-8")
    assert text.count("<img ") == 58
    with Gallery.open(work / "gallery.db") as gallery:
        album = Album(gallery)
        pictures = list(album.thumbnails([face.id for face in album.members()]).values())
    for number, picture in enumerate(pictures):
        file = work / f"{number}.jpg"
        file.write_bytes(picture)
        with Image.open(file) as opened:
            assert (opened.format, opened.size) == ("JPEG", (96, 96))


# bad input


def test_a_folder_without_photos(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    gallery = tmp_path / "gallery.db"
    require_one_line(kith("cluster", tmp_path / "empty", "-g", gallery), 2, "empty: no photos in this folder")
    require_one_line(kith("cluster", tmp_path / "none", "-g", gallery), 2, "none: no such file")
    assert not gallery.exists()


def test_nothing_looked_through_yet(tmp_path: Path) -> None:
    require_one_line(kith("cluster", "-g", tmp_path / "gallery.db"), 2, "no gallery at")


def test_unreadable_photos_do_not_keep_the_others_out(few: Path, tmp_path: Path) -> None:
    (few / "broken.jpg").write_bytes(b"no picture")
    (few / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    Image.new("RGB", (80, 80), "gray").save(few / "no face.png")
    answer = kith("cluster", few, "-g", tmp_path / "gallery.db", *FLOAT32, "--json")
    assert answer.code == 2
    assert len(answer.err.splitlines()) == 2
    assert {Path(each["image"]).name for each in answer.json()["failed"]} == {"broken.jpg", "gone.jpg"}
    assert len(answer.json()["clusters"]) == 2
    assert answer.json()["photos"] == 5


def test_no_face_at_all(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (80, 80), "gray").save(tmp_path / "photos" / "gray.png")
    answer = kith("cluster", tmp_path / "photos", "-g", tmp_path / "gallery.db", *FLOAT32)
    assert (answer.code, answer.out) == (3, "")
    assert "0 faces of 1 photo" in answer.err


def test_a_photo_that_is_gone_stays_in_its_cluster_and_is_told(few: Path, tmp_path: Path) -> None:
    gallery = tmp_path / "gallery.db"
    before = kith("cluster", few, "-g", gallery, *FLOAT32, "--json").json()
    assert (before["gone"], before["missing_folders"]) == ([], [])
    (few / "Ada-1.jpg").unlink()
    sheet = tmp_path / "sheet.html"
    answer = kith("cluster", few, "-g", gallery, "--sheet", sheet, *FLOAT32, "--json")
    assert (answer.code, answer.err) == (0, "")
    assert answer.json()["clusters"] == before["clusters"]
    assert answer.json()["gone"] == [str(few / "Ada-1.jpg")]
    assert sheet.read_text().count("<img ") == 4
    told = kith("cluster", few, "-g", gallery, *FLOAT32)
    assert "1 photo gone from the disk; to delete them here too: kith gallery prune --gone" in told.err
    few.rename(tmp_path / "moved")
    assert f"{few} is missing or empty, with 4 photos" in kith("cluster", "-g", gallery, *FLOAT32).err


def test_photos_that_are_gone_are_pruned(few: Path, tmp_path: Path) -> None:
    gallery = tmp_path / "gallery.db"
    kith("cluster", few, "-g", gallery, *FLOAT32)
    (few / "Omar-1.jpg").unlink()
    (few / "Omar-2.jpg").rename(few / "renamed.jpg")
    (few / "holiday").mkdir()
    (few / "Ada-1.jpg").rename(few / "holiday" / "Ada.jpg")
    shown = kith("gallery", "show", "-g", gallery)
    assert "0 people, 0 references, 4 photos looked through, 4 faces in 2 clusters, model" in shown.out
    assert "1 photo gone" in shown.err
    answer = kith("gallery", "prune", "--gone", "--yes", "-g", gallery)
    assert (answer.code, answer.out) == (0, f"1 photo and 1 face are gone from {gallery}\n")
    holds = kith("gallery", "show", "-g", gallery, "--json").json()
    assert (holds["photos"], holds["faces"], holds["clusters"], holds["gone"]) == (3, 3, 2, [])
    again = kith("cluster", few, "-g", gallery, *FLOAT32, "--json").json()
    assert (again["new_photos"], again["faces"]) == (0, 3)


def test_a_photo_replaced_by_another_is_not_shown_any_more(few: Path, tmp_path: Path) -> None:
    gallery = tmp_path / "gallery.db"
    kith("cluster", few, "-g", gallery, *FLOAT32)
    shutil.copy(PEOPLE / "Wei" / "1.jpg", few / "Omar-1.jpg")
    replaced = kith("cluster", few, "-g", gallery, *FLOAT32, "--json").json()
    assert (replaced["photos"], replaced["faces"], replaced["gone"]) == (4, 4, [])
    assert sorted(len(entry["faces"]) for entry in replaced["clusters"]) == [1, 1, 2]


def test_every_cluster_of_a_collage_can_be_named(few: Path, tmp_path: Path) -> None:
    gallery = tmp_path / "gallery.db"
    collage = Image.new("RGB", (576, 288))
    for place in (1, 2):
        with Image.open(few / f"Ada-{place}.jpg") as photo:
            collage.paste(photo.resize((288, 288)), (288 * (place - 1), 0))
    collage.save(few / "collage.jpg", quality=95)
    for photo in few.glob("Omar-*"):
        photo.unlink()
    entries = kith("cluster", few, "-g", gallery, *FLOAT32, "--json").json()["clusters"]
    assert len(entries) == 2
    answers = [
        kith("people", "name", str(entry["cluster"]), "Ada", "-g", gallery, "--json") for entry in entries
    ]
    assert [answer.code for answer in answers] == [0, 0]
    assert [answer.json()["twice"] for answer in answers] == [0, 1]
    later = kith("cluster", few, "-g", gallery, *FLOAT32, "--json").json()["clusters"]
    assert [entry["subject"] for entry in later] == ["Ada", "Ada"]


def test_a_gallery_of_another_model(few: Path, tmp_path: Path) -> None:
    gallery = tmp_path / "gallery.db"
    Gallery.open(gallery, model_id="another").close()
    require_one_line(kith("cluster", few, "-g", gallery, *FLOAT32), 2, gallery, "templates of another")


def test_what_cannot_be_looked_into_is_an_error_and_the_rest_is_done(few: Path, tmp_path: Path) -> None:
    (few / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    answer = kith("cluster", few, "-g", tmp_path / "gallery.db", *FLOAT32, "--json")
    assert answer.code == 2
    assert answer.json()["photos"] == 4


def test_faces_too_poor_to_decide_on_are_told(
    few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = limits_of(DEFAULT_EMBEDDER, DEFAULT_DETECTOR)
    strict = limits._replace(identify=replace(limits.identify, min_eye_distance=1e4))
    monkeypatch.setattr("kith.recognizer.limits_of", lambda *pair: strict)
    answer = kith("cluster", few, "-g", tmp_path / "gallery.db", *FLOAT32)
    assert answer.code == 3
    assert "4 faces of new photos left out: 4 times the face is too small\n" in answer.err
    answer = kith("cluster", few, "-g", tmp_path / "another.db", *FLOAT32, "--json")
    assert {Path(each["image"]) for each in answer.json()["poor_faces"]} == set(few.iterdir())


def test_clusters_and_names_that_are_not_there(work: Path) -> None:
    gallery = work / "gallery.db"
    require_one_line(kith("people", "name", "999", "Ada", "-g", gallery), 2, "no cluster 999")
    assert kith("people", "name", "1", "Ada", "-g", gallery).code == 0
    require_one_line(kith("people", "name", "1", "Eve", "-g", gallery), 2, "cluster 1 is Ada already")
    require_one_line(kith("cluster", "-g", gallery, "--must", "1,999", *FLOAT32), 2, "no face 999")
    for text in ("1", "1,2,3", "one,two", " "):
        require_one_line(kith("cluster", "-g", gallery, "--must", text, *FLOAT32), 2, "two faces are wanted")


def test_a_sheet_that_is_no_page_overwrites_nothing(few: Path, tmp_path: Path) -> None:
    photo = few / "Ada-1.jpg"
    before = photo.read_bytes()
    require_one_line(kith("cluster", few, "--sheet", photo), 2, "name a file that ends in .html")
    assert photo.read_bytes() == before


# interruptions


ADD_AND_TELL = f"""
import time
from kith.gallery import Album

add = Album.add

def add_and_tell(self, file, source_hash, faces):
    add(self, file, source_hash, faces)
    print(file.source.rpartition("/")[2], flush=True)
    time.sleep(0.1)

Album.add = add_and_tell
{PROGRAM}
"""
"""`kith`, telling each photo that was acknowledged."""


@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGINT])
def test_a_break_loses_nothing_acknowledged(few: Path, tmp_path: Path, signal_number: signal.Signals) -> None:
    gallery = tmp_path / "gallery.db"
    process = start("cluster", few, "-g", gallery, *FLOAT32, program=ADD_AND_TELL)
    assert process.stdout is not None
    told = [process.stdout.readline().strip() for _ in range(2)]
    process.send_signal(signal_number)
    broken = finish(process)
    told += broken.out.split()
    assert set(told) <= photos_in(gallery)
    if signal_number is signal.SIGINT:
        require_one_line(
            Answer(broken.code, "", broken.err), 130, "interrupted; the photos looked through so far are kept"
        )
    with closing(sqlite3.connect(gallery)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    before = photos_in(gallery)
    answer = kith("cluster", few, "-g", gallery, *FLOAT32, "--json")
    assert answer.code == 0
    assert answer.json()["new_photos"] == 4 - len(before)
    assert [len(entry["faces"]) for entry in answer.json()["clusters"]] == [2, 2]


def test_two_processes_at_once(few: Path, tmp_path: Path) -> None:
    gallery = tmp_path / "gallery.db"
    processes = [start("cluster", few, "-g", gallery, *FLOAT32, "--json") for _ in range(2)]
    answers = [finish(process) for process in processes]
    assert [(answer.code, answer.err) for answer in answers] == [(0, "")] * 2
    last = kith("cluster", few, "-g", gallery, *FLOAT32, "--json").json()
    assert (last["photos"], last["new_photos"]) == (4, 0)
    assert [len(entry["faces"]) for entry in last["clusters"]] == [2, 2]


def test_a_full_disk(few: Path, tmp_path: Path) -> None:
    disk, saved, prefix = small_disk(tmp_path, "220k")
    for number in range(40):  # different pixels: different photos
        with Image.open(PEOPLE / "Ada" / "1.jpg") as photo:
            photo.putpixel((0, 0), (number, 0, 0))
            photo.save(few / f"x{number}.png")
    answer = finish(start("cluster", few, "-g", disk / "gallery.db", *FLOAT32, prefix=prefix))
    require_one_line(answer, 2, disk / "gallery.db", "disk")
    assert 0 < len(photos_in(saved / "gallery.db")) < 44
