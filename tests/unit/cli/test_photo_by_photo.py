"""What joins a listing of photos, a look at each, and the answers."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from command_line import kith

from kith.cli.answers import Form
from kith.cli.load import Listing
from kith.cli.photo_by_photo import FaceAnswer, Table, answer_photos
from kith.errors import ImageError
from kith.images.photo_files import FoundPhotos
from kith.images.reading import Photo, read_photo
from kith.presentation.annotate import Label
from kith.records import Face, Image
from kith.sample_people import photos as sample_photos
from kith.workflows.pipeline import Analyzed, detect_photos

ADA = sample_photos()[0]


class Always:
    """Finds one face in every image."""

    recipe = "always"

    def __init__(self, face: Face) -> None:
        self._face = face

    def detect(self, image: Image) -> list[Face]:
        return [self._face]


def answer(listing: Listing, face: Face, form: Form = Form.JSON) -> int:
    def said(looked: Analyzed[Photo]) -> list[FaceAnswer]:
        label = Label(looked.faces[0], "a face", known=True)
        return [FaceAnswer({"seen": looked.read.image.shape[0]}, ("a face",), label)]

    outcomes = detect_photos(Always(face), listing.photos, read_photo)
    table = Table(("what",), (5,))
    return answer_photos(listing, outcomes, said, what="looking", table=table, form=form, annotate=None)


def test_all_is_answered_and_what_is_amiss_is_an_error(
    face: Face, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert answer(Listing([ADA]), face) == 0
    capsys.readouterr()
    locked, missing = tmp_path / "locked", tmp_path / "missing.jpg"
    left_out = {tmp_path: FoundPhotos((), {".MOV": 3}, ())}
    assert answer(Listing([ADA], [(locked, ImageError("locked: no"))], left_out), face) == 2
    folder, besides, photo = json.loads(capsys.readouterr().out)
    assert (folder["image"], folder["error"], folder["faces"]) == (str(locked), "locked: no", [])
    assert (besides["image"], besides["left_out"]) == (str(tmp_path), {".MOV": 3})
    assert photo["faces"] == [{"seen": 288}]
    assert answer(Listing([missing, ADA]), face) == 2, "one that cannot be read"
    assert [len(each["faces"]) for each in json.loads(capsys.readouterr().out)] == [0, 1]


@pytest.fixture
def made_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every photo is read as if it were three times as large as what was decoded."""
    for verb in ("detect", "identify", "embed"):
        monkeypatch.setattr(f"kith.cli.{verb}.read_photo", lambda path: replace(read_photo(path), scale=3.0))


def test_boxes_are_in_the_photos_own_pixels(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    gallery = tmp_path / "g.db"
    assert kith("enroll", "--name", "Ada", ADA, "-g", gallery).code == 0

    def boxes() -> list[np.ndarray]:
        (found,) = kith("detect", ADA, "--json").json()[0]["faces"]
        (named,) = kith("identify", ADA, "-g", gallery, "--json").json()[0]["faces"]
        assert kith("embed", ADA, "-o", tmp_path / "faces.npz").code == 0
        with np.load(tmp_path / "faces.npz") as arrays:
            return [np.array(found["box"]), np.array(named["box"]), arrays["boxes"][0]]

    before = boxes()
    request.getfixturevalue("made_smaller")
    for large, small in zip(boxes(), before, strict=True):
        np.testing.assert_allclose(large, 3 * small, atol=0.3)


@pytest.mark.parametrize(
    "verb", [["detect"], ["identify"], ["embed", "-o", "out.npz"], ["enroll", "--name", "Ada"], ["cluster"]]
)
def test_a_photo_without_its_end_is_told_once_and_used(
    verb: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    kith("enroll", "--name", "Grace", sample_photos()[8])
    (tmp_path / "cut.jpg").write_bytes(ADA.read_bytes()[:-300])
    answer = kith(verb[0], "cut.jpg", *verb[1:], "--json")
    assert answer.code == 0, answer.err
    told = [line for line in answer.err.splitlines() if "cut.jpg" in line]
    assert len(told) == 1
    assert told[0].startswith("warning: ")
    if verb[0] in ("detect", "identify"):
        (photo,) = answer.json()
        assert photo["flaw"] in told[0]
        assert len(photo["faces"]) == 1
