"""Photos -> faces -> clusters -> names, with a fake recognizer."""

from pathlib import Path

import pytest
from fakes import MODEL, fake_recognizer, paint
from made_up_calibration import calibration_of
from witness import Witness

from kith.decisions.tail import Tail
from kith.errors import ImageError
from kith.gallery import Album, Gallery, name_cluster
from kith.presentation.albums import album_json
from kith.presentation.sheets import write_contact_sheet
from kith.workflows import albums
from kith.workflows.albums import cluster_photos, suggest
from kith.workflows.enrolling import enroll_folder

ADA, GRACE, OMAR = 1, 2, 3


@pytest.fixture
def gallery(tmp_path: Path) -> Gallery:
    with Gallery.open(tmp_path / "gallery.db", model_id=MODEL) as opened:
        yield opened


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Ada is on three photos, Grace on two, Omar on one."""
    folder = tmp_path / "photos"
    paint(folder / "1.png", ADA, GRACE)
    paint(folder / "2.png", ADA, GRACE, photo=2)
    paint(folder / "3.png", ADA, OMAR)
    return folder


def test_faces_of_one_person_are_put_together(photos: Path, gallery: Gallery) -> None:
    progress = Witness()
    clustered = cluster_photos(photos, gallery, fake_recognizer(), progress=progress)
    assert [(cluster.faces, cluster.photos) for cluster in clustered.clusters] == [(3, 3), (2, 2), (1, 1)]
    assert (clustered.looked.new, clustered.looked.failed, clustered.looks_like) == (3, [], {})
    assert progress.begun == [("looking through", 3)]


def test_again_nothing_is_looked_at(photos: Path, gallery: Gallery) -> None:
    before = cluster_photos(photos, gallery, fake_recognizer())
    again = fake_recognizer()
    after = cluster_photos(photos, gallery, again)
    assert again.detector.looked_at == 0
    assert after.clusters == before.clusters
    assert after.looked.new == 0


def test_photos_that_cannot_be_read_do_not_stop_the_rest(photos: Path, gallery: Gallery) -> None:
    (photos / "0.png").write_bytes(b"no picture")
    progress = Witness()
    clustered = cluster_photos(photos, gallery, fake_recognizer(), progress=progress)
    assert [(path.name, type(error)) for path, error in clustered.looked.failed] == [("0.png", ImageError)]
    assert clustered.looked.new == 3
    assert len(progress.said) == 1


def test_faces_too_poor_to_decide_on_are_left_out_and_told(photos: Path, gallery: Gallery) -> None:
    clustered = cluster_photos(photos, gallery, fake_recognizer(0.99, 0.7))
    assert [cluster.faces for cluster in clustered.clusters] == [3]
    assert len(clustered.looked.left_out) == 3
    assert "detection score" in clustered.looked.left_out[0][1]


def test_faces_fit_to_decide_on_may_be_too_weak_for_references(photos: Path, gallery: Gallery) -> None:
    """Weakness is judged by the limits of enrolling, not by the lax ones of identifying."""
    clustered = cluster_photos(photos, gallery, fake_recognizer(0.99, 0.82))
    ada, grace, *_ = clustered.clusters
    assert name_cluster(Album(gallery), ada.id, "Ada").unfit == 0
    enroll = gallery.path.parent / "people"
    paint(enroll / "Grace/1.png", GRACE, photo=9)
    enroll_folder(enroll, gallery, fake_recognizer())
    named = name_cluster(Album(gallery), grace.id, "Grace")
    assert (named.enrolled, named.unfit) == (0, 2)


def test_a_cluster_that_is_named_keeps_its_name_as_it_grows(photos: Path, gallery: Gallery) -> None:
    first = cluster_photos(photos, gallery, fake_recognizer())
    name_cluster(Album(gallery), first.clusters[0].id, "Ada")
    paint(photos / "4.png", ADA, photo=4)
    second = cluster_photos(photos, gallery, fake_recognizer())
    assert (second.clusters[0].faces, second.who(second.clusters[0])) == (4, "Ada")


def test_a_cluster_looks_like_whom_most_of_its_faces_are_identified_as(
    photos: Path, gallery: Gallery, tmp_path: Path
) -> None:
    for name, person in (("Grace", GRACE), ("Somebody", 9)):
        for photo in range(6):
            paint(tmp_path / "people" / name / f"{photo}.png", person, photo=20 + photo)
    enroll_folder(tmp_path / "people", gallery, fake_recognizer())
    clustered = cluster_photos(photos, gallery, fake_recognizer())
    words = [clustered.who(cluster) for cluster in clustered.clusters]
    assert words == ["", "looks like Grace", ""]


def test_photos_are_no_people_to_the_rule_that_suggests(
    photos: Path, gallery: Gallery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, person in (("Grace", GRACE), ("Somebody", 9)):
        for photo in range(6):
            paint(tmp_path / "people" / name / f"{photo}.png", person, photo=20 + photo)
    enroll_folder(tmp_path / "people", gallery, fake_recognizer())
    recognizer = fake_recognizer()
    cluster_photos(photos, gallery, recognizer)
    asked: list[dict[str, int]] = []
    rule_for = albums.rule_for

    def witnessed(calibration, *arguments, **sizes):
        asked.append(sizes)
        return rule_for(calibration, *arguments, **sizes)

    monkeypatch.setattr(albums, "rule_for", witnessed)
    suggest(Album(gallery), recognizer.calibration)
    (sizes,) = asked
    assert (sizes["people"], sizes["references"]) == (2, 12)


def test_a_photo_that_moved_is_found_again(photos: Path, gallery: Gallery) -> None:
    cluster_photos(photos, gallery, fake_recognizer())
    (photos / "1.png").rename(photos / "renamed.png")
    cluster_photos([], gallery, fake_recognizer())
    assert str(photos / "renamed.png") in {file.source for file in Album(gallery).files()}


def test_without_photos_no_recognizer_is_needed(photos: Path, gallery: Gallery, monkeypatch) -> None:
    cluster_photos(photos, gallery, fake_recognizer())
    monkeypatch.setattr(albums, "find_calibration", lambda model_id: fake_recognizer().calibration)
    assert len(cluster_photos([], gallery).clusters) == 3


def test_what_programs_are_told_and_what_people_see(photos: Path, gallery: Gallery, tmp_path: Path) -> None:
    clustered = cluster_photos(photos, gallery, fake_recognizer())
    album = Album(gallery)
    answer = album_json(album, clustered)
    assert (answer["photos"], answer["faces"], answer["new_photos"]) == (3, 6, 3)
    assert [len(cluster["faces"]) for cluster in answer["clusters"]] == [3, 2, 1]
    assert {face["image"] for face in answer["clusters"][0]["faces"]} == {
        str(photos / f"{number}.png") for number in (1, 2, 3)
    }
    write_contact_sheet(tmp_path / "sheet.html", album, clustered)
    page = (tmp_path / "sheet.html").read_text()
    assert page.count("<img ") == 6
    assert (tmp_path / "sheet.html").stat().st_mode & 0o077 == 0, "it shows people"


def test_another_threshold_makes_other_clusters(photos: Path, gallery: Gallery) -> None:
    """The rule is the calibration's: where no two faces are ever alike enough, everyone stays alone."""
    recognizer = fake_recognizer()
    recognizer.calibration = calibration_of(Tail((0.5, 1e-3), (0.9999, 0.9999)))
    assert [cluster.faces for cluster in cluster_photos(photos, gallery, recognizer).clusters] == [1] * 6
