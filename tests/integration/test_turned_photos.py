"""Photos that lie on their side or head, such as scans: the sample people, turned."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from command_line import kith

from kith.detection import MTCNN, DetectionSettings
from kith.errors import LowQuality
from kith.gallery import Album, Gallery
from kith.images.reading import load_image
from kith.recognizer import Recognizer
from kith.records import Face, Image
from kith.sample_people import GROUP_PHOTO, PEOPLE, photos
from kith.workflows.albums import cluster_album, look_through


def turned(image: Image, quarter_turns: int) -> Image:
    """Clockwise."""
    return np.ascontiguousarray(np.rot90(image, -quarter_turns))


def test_a_turned_photo_gives_the_embedding_of_the_upright_one(recognizer: Recognizer) -> None:
    for number, photo in enumerate(photos()[::4]):
        image, quarter_turns = load_image(photo), number % 3 + 1
        (upright,) = recognizer.analyze(image)
        (lying,) = recognizer.analyze(turned(image, quarter_turns))
        assert lying.face.turned == 90 * quarter_turns, photo
        assert float(upright.template.embedding @ lying.template.embedding) > 0.99, photo


def test_upright_photos_give_what_they_gave(recognizer: Recognizer) -> None:
    as_before = MTCNN.from_pretrained(settings=DetectionSettings(turned=False))
    for photo in [*photos()[::4], GROUP_PHOTO]:
        image = load_image(photo)
        for old, new in zip(as_before.detect(image), recognizer.detect(image), strict=True):
            assert (old.box == new.box).all()
            assert (old.landmarks == new.landmarks).all()
            assert old.detection_score == new.detection_score
            assert old.uprightness == 1 > new.uprightness > 0.99


def test_everyone_on_a_group_photo_that_lies_on_its_head_is_found(recognizer: Recognizer) -> None:
    found = recognizer.detect(turned(load_image(GROUP_PHOTO), 2))
    assert [face.turned for face in found] == [180] * 10


def test_without_looking_at_other_turns_the_original_is_kept(
    recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    lying = turned(load_image(photos()[0]), 1)
    assert recognizer.detect(lying)[0].turned == 90

    def look_again(*_: object) -> None:
        raise AssertionError("looked at in other turns")

    monkeypatch.setattr("kith.detection.mtcnn.turn_upright", look_again)
    with pytest.raises(AssertionError, match="looked at in other turns"):
        recognizer.detect(lying)
    for settings in (DetectionSettings(thorough=False), DetectionSettings(turned=False)):
        assert all(face.uprightness == 1 for face in MTCNN.from_pretrained(settings=settings).detect(lying))


def test_clusters_of_photos_on_their_heads_are_of_one_person_each(
    recognizer: Recognizer, tmp_path: Path
) -> None:
    some = photos()[:24]
    with Gallery.open(tmp_path / "gallery.db", model_id=recognizer.model_id) as gallery:
        album = Album(gallery)
        for photo in some:
            path = tmp_path / f"{photo.parent.name}-{photo.stem}.png"
            cv2.imwrite(str(path), turned(load_image(photo), 2)[:, :, ::-1])
            look_through(recognizer, album, path)
        cluster_album(album, recognizer.calibration.verification_policy(1e-4))
        faces = album.faces()
        assert len(faces.ids) == len(some)
        first, second = np.triu_indices(len(some), 1)
        people = np.arange(len(some)) // 6
        together = faces.clusters[first] == faces.clusters[second]
        assert (people[first] == people[second])[together].all()
        assert together.sum() > 30  # of 60 pairs of one person


def test_who_is_enrolled_from_a_photo_on_its_head_is_known_upright(
    recognizer: Recognizer, gallery_path: Path
) -> None:
    first, second = sorted((PEOPLE / "Ada").glob("*.jpg"))[:2]
    with Gallery.open(gallery_path, model_id=recognizer.model_id) as gallery:
        enrollment = recognizer.enroll("Ada", turned(load_image(first), 2), gallery)
        assert enrollment.turned == 180
        ((_, decision),) = recognizer.identify(load_image(second), gallery)
        assert decision.subject == enrollment.subject


def test_the_command_line_says_how_an_enrolled_photo_lies(tmp_path: Path) -> None:
    photo = tmp_path / "scan.png"
    cv2.imwrite(str(photo), turned(load_image(photos()[0]), 1)[:, :, ::-1])
    answer = kith("enroll", "--name", "Ada", photo, "--gallery", tmp_path / "g.db", "--json")
    assert answer.json()["turned"] == [{"image": str(photo), "degrees": 90}]
    assert "lies turned 90° clockwise" in answer.err


def test_a_face_that_may_not_be_upright_is_refused_with_a_word(
    recognizer: Recognizer, gallery_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = load_image(photos()[0])
    (face,) = recognizer.detect(image)
    doubtful = Face(face.box, face.landmarks, face.detection_score, uprightness=0.2)
    monkeypatch.setattr(recognizer, "detect", lambda image: [doubtful])
    with Gallery.open(gallery_path, model_id=recognizer.model_id) as gallery:
        with pytest.raises(LowQuality, match="not upright"):
            recognizer.enroll("Ada", image, gallery)
        ((_, decision),) = recognizer.identify(image, gallery)
        assert "not upright" in decision.reason


def test_embeddings_kept_with_other_detection_are_not_taken(recognizer: Recognizer) -> None:
    others = [DetectionSettings(turned=False), DetectionSettings(min_face_size=40)]
    made = {Recognizer.from_pretrained(precision="float32", detection=each).recipe for each in others}
    assert len({recognizer.recipe, *made}) == 3
