"""A gallery changes its model, from the photos it was enrolled from."""

import shutil
from pathlib import Path

import pytest
from command_line import kith
from recipes import openface
from witness import Witness
from write_torch7 import write_openface

from kith.assembly import RecognizerSettings
from kith.errors import GalleryError, ModelMismatch
from kith.gallery import Gallery
from kith.gallery.reembedding import Reembedding
from kith.recognizer import Recognizer
from kith.sample_people import PEOPLE
from kith.workflows.importing import import_file
from kith.workflows.reembedding import reembed


@pytest.fixture(scope="module")
def other(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    """A second model: OpenFace's network with the recipe's weights."""
    folder = tmp_path_factory.mktemp("other")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KITH_MODELS", str(folder / "models"))
        path = folder / "openface.t7"
        path.write_bytes(write_openface(openface(shared)))
        return Recognizer.from_settings(RecognizerSettings(import_file(path)))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Three people with two photos each."""
    for person in sorted(PEOPLE.iterdir())[:3]:
        folder = tmp_path / "photos" / person.name
        folder.mkdir(parents=True)
        for photo in sorted(person.glob("*.jpg"))[:2]:
            shutil.copy(photo, folder)
    return tmp_path / "photos"


@pytest.fixture
def enrolled(photos: Path, gallery_path: Path) -> Path:
    answer = kith("enroll", photos, "--gallery", gallery_path, "--precision", "float32")
    assert answer.code == 0
    return gallery_path


def test_everyone_is_embedded_again(enrolled: Path, recognizer: Recognizer, other: Recognizer) -> None:
    with Gallery.open(enrolled) as gallery:
        before = gallery.references()
        assert reembed(gallery, other) == []
        after = gallery.references()
        assert gallery.model_id == other.model_id
        assert after.revision > before.revision
        assert (after.subject_ids == before.subject_ids).all()
        assert after.embeddings.shape == (6, 128)
        assert abs((after.embeddings * before.embeddings).sum(axis=1)).max() < 0.9
    with pytest.raises(ModelMismatch, match="holds templates of openface"):
        Gallery.open(enrolled, model_id=recognizer.model_id)


def test_a_photo_is_gone_and_nothing_changes(enrolled: Path, photos: Path, other: Recognizer) -> None:
    gone = sorted(photos.rglob("*.jpg"))[0]
    moved = photos.parent / "elsewhere"
    moved.mkdir()
    gone.rename(moved / "renamed.jpg")
    with Gallery.open(enrolled) as gallery:
        before = gallery.references()
        (left,) = reembed(gallery, other)
        assert (left.name, left.source) == (gone.parent.name, str(gone))
        assert "not there any more" in left.reason
        assert gallery.model_id == "dlib-resnet29"
        assert (gallery.references().embeddings == before.embeddings).all()
        # the other five were kept, and the sixth is found by its content
        assert len(Reembedding(gallery, other.model_id).pending()) == 1
        assert reembed(gallery, other, photos=moved) == []
        assert gallery.model_id == other.model_id
        assert len(gallery.references()) == 6


def test_those_without_a_photo_can_be_given_up(enrolled: Path, photos: Path, other: Recognizer) -> None:
    person = sorted(photos.iterdir())[0]
    shutil.rmtree(person)
    with Gallery.open(enrolled) as gallery:
        assert len(reembed(gallery, other, without_missing=True)) == 2
        assert len(gallery.references()) == 4
        assert person.name not in [summary.subject.name for summary in gallery.subjects()]


def test_a_changed_photo_is_not_taken(enrolled: Path, photos: Path, other: Recognizer) -> None:
    first, *_, last = sorted(photos.rglob("*.jpg"))
    shutil.copy(last, first)
    with Gallery.open(enrolled) as gallery:
        (left,) = reembed(gallery, other)
        assert left.source == str(first)


def test_a_break_costs_nothing(enrolled: Path, other: Recognizer) -> None:
    class Impatient(Witness):
        def advance(self, count: int = 1, how: str = "") -> None:
            super().advance(count, how)
            if self.done == 2:
                raise KeyboardInterrupt

    with Gallery.open(enrolled) as gallery:
        with pytest.raises(KeyboardInterrupt):
            reembed(gallery, other, progress=Impatient())
        rest = Witness()
        reembed(gallery, other, progress=rest)
        assert rest.begun == [("embedding again", 4)]
        assert gallery.model_id == other.model_id


def test_a_handle_opened_before_is_told(enrolled: Path, other: Recognizer, recognizer: Recognizer) -> None:
    with Gallery.open(enrolled) as early, Gallery.open(enrolled) as gallery:
        reembed(gallery, other)
        with pytest.raises(ModelMismatch, match="was reembedded with openface meanwhile"):
            early.references()


def test_who_is_enrolled_meanwhile_is_not_lost(
    enrolled: Path, other: Recognizer, face, make_template
) -> None:
    with Gallery.open(enrolled) as gallery:
        reembedding = Reembedding(gallery, other.model_id)
        with pytest.raises(GalleryError, match="run it again"):
            reembedding.finish()
        assert gallery.model_id == "dlib-resnet29"
        with pytest.raises(GalleryError, match="holds dlib-resnet29's templates already"):
            Reembedding(gallery, "dlib-resnet29")


def test_the_command(enrolled: Path, photos: Path, monkeypatch: pytest.MonkeyPatch, shared: Path) -> None:
    monkeypatch.setenv("KITH_MODELS", str(enrolled.parent / "models"))
    weights = enrolled.parent / "openface.t7"
    weights.write_bytes(write_openface(openface(shared)))
    assert kith("models", "import", weights).code == 0
    gone = sorted(photos.rglob("*.jpg"))[0]
    gone.unlink()
    answer = kith("gallery", "reembed", "--model", "openface", "--gallery", enrolled)
    assert answer.code == 2
    assert str(gone) in answer.err
    assert "--without-missing" in answer.out
    answer = kith("gallery", "reembed", "--model", "openface", "--gallery", enrolled, "--without-missing")
    assert answer.code == 0
    assert "5 references moved from dlib-resnet29 to openface" in answer.out
    assert "model openface" in kith("gallery", "show", "--gallery", enrolled).out
