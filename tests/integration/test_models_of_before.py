"""A model that the version before imported works as it did."""

import shutil
from pathlib import Path

import pytest
from command_line import kith

from kith.images.reading import load_image
from kith.recognizer import Recognizer
from kith.sample_people import PEOPLE

BEFORE = Path(__file__).parents[1] / "data" / "of-version-1" / "tiny"
# what the version before printed of the sample people's first photo
EMBEDDING = [-0.06799, -0.27442, -0.22097, 0.05674, 0.03999, 0.47721, 0.23077, -0.39055, 0.23621, 0.39335, -0.10555, -0.01556, -0.0542, 0.17722, -0.39818, -0.1346]  # fmt: skip


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(BEFORE, tmp_path / "models" / "tiny")
    monkeypatch.setenv("KITH_MODELS", str(tmp_path / "models"))


def test_it_embeds_as_it_did() -> None:
    recognizer = Recognizer.from_pretrained("tiny")
    image = load_image(PEOPLE / "Ada" / "1.jpg")
    (sample,) = recognizer.analyze(image, recognizer.detect(image)[:1])
    assert sample.template.embedding.tolist() == pytest.approx(EMBEDDING, abs=2e-3)
    policy = recognizer.calibration.verification_policy()
    assert (policy.threshold, policy.rate) == (pytest.approx(0.9997), 0.01)


def test_it_is_listed_and_used(tmp_path: Path) -> None:
    assert "tiny" in kith("models", "list").out
    assert kith("models", "show", "tiny", "--json").json()["id"] == "tiny"
    assert kith("models", "verify").code == 0
    ada = PEOPLE / "Ada" / "1.jpg"
    assert kith("verify", ada, ada, "--model", "tiny").code == 0
    assert kith("models", "remove", "tiny").code == 0
