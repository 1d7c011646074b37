"""What ships with Kith works on a machine that has nothing else."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from kith.cli.demo import demo
from kith.gallery import Gallery
from kith.images.reading import load_image
from kith.recognizer import Recognizer
from kith.records import Outcome
from kith.sample_people import GROUP_PHOTO, PEOPLE, photos


@pytest.fixture(scope="module")
def enrolled(recognizer: Recognizer, tmp_path_factory: pytest.TempPathFactory):
    path = tmp_path_factory.mktemp("people") / "gallery.db"
    with Gallery.open(path, model_id=recognizer.model_id) as gallery:
        for photo in photos():
            recognizer.enroll(photo.parent.name, load_image(photo), gallery)
        yield gallery


def test_eight_people_of_six_photos() -> None:
    assert [len(list(folder.glob("*.jpg"))) for folder in sorted(PEOPLE.iterdir())] == [6] * 8
    total = sum(path.stat().st_size for path in [*photos(), GROUP_PHOTO])
    assert total < 1_800_000


@pytest.mark.parametrize("classifier", ["nearest", "centroid", "svm"])
def test_everyone_is_named_once_and_both_strangers_are_unknown(
    classifier: str, recognizer: Recognizer, enrolled: Gallery
) -> None:
    found = recognizer.identify(load_image(GROUP_PHOTO), enrolled, classifier=classifier)
    names = [decision.subject.name for _, decision in found if decision.subject]
    assert sorted(names) == sorted(folder.name for folder in PEOPLE.iterdir())
    assert [decision.outcome for _, decision in found].count(Outcome.UNKNOWN) == 2
    assert len(found) == 10


def test_people_stand_where_their_boxes_are(recognizer: Recognizer) -> None:
    image = load_image(GROUP_PHOTO)
    for face in recognizer.detect(image):
        inside = (face.landmarks >= face.box[:2]) & (face.landmarks <= face.box[2:])
        assert inside.all()


def test_one_recognizer_serves_many_threads(recognizer: Recognizer, enrolled: Gallery) -> None:
    image = load_image(photos()[0])
    expected = recognizer.identify(image, enrolled)[0][1]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: recognizer.identify(image, enrolled)[0][1], range(12)))
    assert {(result.outcome, result.subject) for result in results} == {(expected.outcome, expected.subject)}


def test_int8_and_float32_templates_compare(recognizer: Recognizer) -> None:
    other = Recognizer.from_pretrained(precision="int8")
    assert other.model_id == recognizer.model_id
    scores = []
    for photo in photos()[::5]:
        image = load_image(photo)
        faces = recognizer.detect(image)[:1]
        crops = recognizer.align(image, faces)
        scores.append(float((recognizer.embed(crops) * other.embed(crops)).sum()))
    assert sum(scores) / len(scores) > 0.999


def test_int8_keeps_embeddings_of_photos_with_more_contrast_than_the_sample_people(
    recognizer: Recognizer,
) -> None:
    other = Recognizer.from_pretrained(precision="int8")
    image = load_image(GROUP_PHOTO)
    crops = recognizer.align(image, recognizer.detect(image)).astype(np.float32)
    crops = np.clip(2 * crops - crops.mean(axis=(1, 2, 3), keepdims=True), 0, 255).astype(np.uint8)
    assert np.sum(recognizer.embed(crops) * other.embed(crops), axis=1).min() > 0.9995


def test_verify(recognizer: Recognizer) -> None:
    first, second, *_ = sorted(PEOPLE.iterdir())
    same = recognizer.verify(load_image(first / "1.jpg"), load_image(first / "2.jpg"))
    other = recognizer.verify(load_image(first / "1.jpg"), load_image(second / "1.jpg"))
    assert same.is_match
    assert not other.is_match


def test_photos_lie_in_the_package() -> None:
    assert Path(GROUP_PHOTO).is_relative_to(Path(__import__("kith").__file__).parent)


def test_the_demo_says_beside_each_name_how_sure_it_is(
    tmp_path: Path, recognizer: Recognizer, capsys: pytest.CaptureFixture[str]
) -> None:
    demo(tmp_path / "demo.jpg")
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines() if "\t" in line]
    assert len(rows) == 10
    for _, who, certainty in rows:
        assert ("nobody we know" in certainty) == (who == "unknown")
        assert ("strangers look so alike" in certainty) == (who != "unknown")
