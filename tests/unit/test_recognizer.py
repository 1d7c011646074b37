"""The joint of all stages, with a detector and an embedder that are made up."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeDetector, FakeEmbedder, fake_recognizer, paint

from kith.catalogue.preprocessing import resize_template
from kith.errors import InvalidArgument, LowQuality, NoFaceFound, SeveralFacesFound
from kith.gallery import Gallery
from kith.images.reading import load_image
from kith.quality import limits_of
from kith.recognizer import Recognizer
from kith.records import Face, Image, Outcome
from kith.runtime.prepare import Precision

LIMITS = limits_of(fake_recognizer().model_id, fake_recognizer().spec.detector)
LAX, STRICT = LIMITS.identify.min_detection_score, LIMITS.enroll.min_detection_score
BETWEEN = (LAX + STRICT) / 2
"""A detection score that is enough to identify, and not to enroll."""


def picture(folder: Path, *people: int, photo: int = 0) -> Image:
    return load_image(paint(folder / "photo.png", *people, photo=photo))


@pytest.fixture
def people(gallery_path: Path) -> Gallery:
    with Gallery.open(gallery_path, model_id=fake_recognizer().model_id) as opened:
        yield opened


def test_a_sample_is_what_the_single_steps_give(tmp_path: Path) -> None:
    recognizer, image = fake_recognizer(), picture(tmp_path, 1, 2, 3)
    faces = recognizer.detect(image)
    embeddings = recognizer.embed(recognizer.align(image, faces))
    samples = recognizer.analyze(image)
    assert len(samples) == 3
    for sample, face, embedding in zip(samples, faces, embeddings, strict=True):
        assert (sample.face.box == face.box).all()
        assert (sample.template.embedding == embedding).all()
        assert sample.template.model_id == recognizer.model_id
        assert sample.quality.eye_distance == pytest.approx(30)
        assert sample.quality.recognizability == recognizer.calibration.recognizability(embedding)


def test_recognizability_is_judged_of_each_face_by_its_own_embedding(tmp_path: Path) -> None:
    recognizer, image = fake_recognizer(), picture(tmp_path, 1, 2)
    (coarse,) = recognizer.analyze(image, recognizer.detect(image)[1:])
    recognizer.calibration = replace(
        recognizer.calibration, unrecognizable=tuple(map(float, coarse.template.embedding))
    )
    first, second = (sample.quality.recognizability for sample in recognizer.analyze(image))
    assert first > 0.5 > abs(second)


def test_a_face_that_the_edge_cuts_is_refused(tmp_path: Path) -> None:
    class AtTheEdge(FakeDetector):
        def detect(self, image: Image) -> list[Face]:
            return [
                replace(face, landmarks=face.landmarks - np.float32([50, 0]))
                for face in super().detect(image)
            ]

    recognizer, image = fake_recognizer(), picture(tmp_path, 1)
    assert recognizer.analyze_main(image).quality.inside == pytest.approx(1)
    recognizer.detector = AtTheEdge()
    (sample,) = recognizer.analyze(image)
    assert sample.quality.inside == pytest.approx(0.5, abs=0.05)
    with pytest.raises(LowQuality, match="edge cuts"):
        recognizer.analyze_main(image)


def test_limits_are_those_of_the_pair() -> None:
    recognizer = fake_recognizer()
    change(recognizer, id="kith-mini+yunet-s", detector="yunet-s")
    assert recognizer.limits == limits_of("kith-mini", "yunet-s") != limits_of("kith-mini", "mtcnn")


def test_only_the_faces_that_are_wanted_are_embedded(tmp_path: Path) -> None:
    class Counting(FakeEmbedder):
        seen = 0

        def embed(self, crops: np.ndarray) -> np.ndarray:
            self.seen += len(crops)
            return super().embed(crops)

    recognizer, image = fake_recognizer(), picture(tmp_path, 1, 2, 3)
    recognizer.embedder = Counting()
    wanted = recognizer.detect(image)[2:0:-1]
    looked = recognizer.detector.looked_at
    samples = recognizer.analyze(image, wanted)
    assert [sample.face for sample in samples] == wanted
    assert recognizer.embedder.seen == 2
    assert recognizer.detector.looked_at == looked


def test_no_face_is_no_sample(tmp_path: Path) -> None:
    assert fake_recognizer().analyze(picture(tmp_path)) == []


def test_the_main_face_must_be_there_alone_and_fit(tmp_path: Path) -> None:
    recognizer = fake_recognizer(BETWEEN)
    assert recognizer.analyze_main(picture(tmp_path, 1)).quality.detection_score == BETWEEN
    with pytest.raises(LowQuality, match="may not be a face"):
        recognizer.analyze_main(picture(tmp_path, 1), LIMITS.enroll)
    with pytest.raises(NoFaceFound):
        recognizer.analyze_main(picture(tmp_path))
    with pytest.raises(SeveralFacesFound):
        recognizer.analyze_main(picture(tmp_path, 1, 2))


def test_a_poor_bystander_stops_neither_enrolling_nor_verifying(tmp_path: Path, people: Gallery) -> None:
    recognizer = fake_recognizer(0.99, LAX - 0.1)
    image = picture(tmp_path, 1, 2)
    recognizer.enroll("Ada", image, people)
    (sample,) = recognizer.analyze(image, recognizer.detect(image)[:1])
    np.testing.assert_array_equal(people.references().embeddings, [sample.template.embedding])
    assert fake_recognizer(LAX - 0.1, 0.99).verify(picture(tmp_path, 2, 1), image, fmr=0.01).score < 0.5
    with pytest.raises(LowQuality, match="may not be a face"):
        fake_recognizer(LAX - 0.1).enroll("Grace", picture(tmp_path, 2, 3), people)


def test_enrolling_asks_more_of_a_face_than_identifying(tmp_path: Path, people: Gallery) -> None:
    with pytest.raises(LowQuality, match="may not be a face"):
        fake_recognizer(BETWEEN).enroll("Ada", picture(tmp_path, 1), people)
    assert people.subjects() == []
    fake_recognizer(STRICT).enroll("Ada", picture(tmp_path, 1), people)
    ((_, decision),) = fake_recognizer(BETWEEN).identify(picture(tmp_path, 1, photo=1), people)
    assert decision.subject.name == "Ada"


def test_a_reference_that_is_weak_or_lies_turned_is_told(tmp_path: Path, people: Gallery) -> None:
    good = fake_recognizer().enroll("Ada", picture(tmp_path, 1), people)
    assert (good.weakness, good.turned) == ("", 0)
    weak = fake_recognizer(STRICT).enroll("Grace", picture(tmp_path, 2), people)
    assert "may not be a face" in weak.weakness

    class Turned(FakeDetector):
        def detect(self, image: Image) -> list[Face]:
            return [
                replace(face, landmarks=np.stack([100 - face.landmarks[:, 1], face.landmarks[:, 0]], axis=1))
                for face in super().detect(image)
            ]

    lying = fake_recognizer()
    lying.detector = Turned()
    assert lying.enroll("Alan", picture(tmp_path, 3), people).turned == 90


def test_what_is_enrolled_is_the_sample(tmp_path: Path, people: Gallery) -> None:
    recognizer, image = fake_recognizer(), picture(tmp_path, 4)
    recognizer.enroll("Ada", image, people, source="a.png")
    (sample,) = recognizer.analyze(image)
    references = people.references()
    np.testing.assert_array_equal(references.embeddings[0], sample.template.embedding)


def test_a_face_is_named_or_unknown_or_of_low_quality(tmp_path: Path, people: Gallery) -> None:
    fake_recognizer().enroll("Ada", picture(tmp_path, 1), people)
    fake_recognizer().enroll("Grace", picture(tmp_path, 2), people)
    found = fake_recognizer(0.99, LAX - 0.1, 0.99).identify(picture(tmp_path, 2, 1, 3, photo=1), people)
    outcomes = [decision.outcome for _, decision in found]
    assert outcomes == [Outcome.MATCH, Outcome.LOW_QUALITY, Outcome.UNKNOWN]
    assert found[0][1].subject.name == "Grace"
    assert "may not be a face" in found[1][1].reason


@pytest.mark.parametrize("classifier", ["normalized", "centroid", "nearest", "svm"])
def test_options_of_identifying_arrive(classifier: str, tmp_path: Path, people: Gallery) -> None:
    recognizer = fake_recognizer()
    for person in (1, 2, 3):
        for photo in range(2):
            recognizer.enroll(f"{person}", picture(tmp_path, person, photo=photo), people)
    ((_, decision),) = recognizer.identify(
        picture(tmp_path, 1, photo=9), people, classifier=classifier, fpir=0.02, limit=2
    )
    assert decision.subject.name == "1"
    assert len(decision.candidates) == 2
    assert decision.policy.rate == 0.02
    with pytest.raises(InvalidArgument, match="limit must be 1 or more"):
        recognizer.identify(picture(tmp_path, 1), people, limit=0)


def test_verifying(tmp_path: Path) -> None:
    recognizer = fake_recognizer()
    first, second, other = (
        picture(tmp_path, person, photo=photo) for person, photo in ((1, 0), (1, 1), (2, 0))
    )
    assert recognizer.verify(first, second, fmr=0.01).is_match
    assert not recognizer.verify(first, other, fmr=0.01).is_match
    with pytest.raises(NoFaceFound, match="second photo"):
        recognizer.verify(first, picture(tmp_path))
    with pytest.raises(LowQuality, match="first photo"):
        fake_recognizer(LAX - 0.1).verify(first, second)


class Other(FakeDetector):
    recipe = "another detector"


SPEC = fake_recognizer().spec
OTHERWISE = {
    "detector": lambda recognizer: setattr(recognizer, "detector", Other()),
    "alignment": lambda recognizer: change(recognizer, crop=resize_template(SPEC.crop, SPEC.crop.size, 1.01)),
    "mirror": lambda recognizer: change(recognizer, mirrored=not SPEC.mirrored),
    "pixels": lambda recognizer: change(recognizer, pixels=replace(SPEC.pixels, divisor=255.0)),
    "input": lambda recognizer: change(recognizer, input_size=SPEC.input_size - 1),
    "weights": lambda recognizer: change(recognizer, weights=replace(SPEC.weights, sha256="0" * 64)),
    "model": lambda recognizer: change(recognizer, id="another"),
    "precision": lambda recognizer: setattr(recognizer, "precision", Precision.INT8),
}


def change(recognizer: Recognizer, **changes: object) -> None:
    recognizer.spec = replace(recognizer.spec, **changes)


@pytest.mark.parametrize("what", OTHERWISE)
def test_another_recipe_has_another_key(what: str) -> None:
    recognizer = fake_recognizer()
    OTHERWISE[what](recognizer)
    assert recognizer.recipe != fake_recognizer().recipe


def test_the_same_recipe_has_the_same_key() -> None:
    moved = fake_recognizer()
    change(moved, weights=replace(SPEC.weights, file=Path("/elsewhere")), summary="other words", lfw="")
    assert moved.recipe == fake_recognizer().recipe


@pytest.mark.parametrize("code", ["detection/mtcnn.py", "alignment.py", "embedding.py", "networks/mtcnn.py"])
def test_other_code_is_another_recipe(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from kith.files import digest_of_code

    before = fake_recognizer().recipe
    source = Path(__file__).parents[2] / "src" / "kith" / code
    read = Path.read_bytes
    monkeypatch.setattr(
        Path, "read_bytes", lambda path: read(path) + b"#" * (path.resolve() == source.resolve())
    )
    digest_of_code.cache_clear()
    after = fake_recognizer().recipe
    digest_of_code.cache_clear()
    assert after != before
