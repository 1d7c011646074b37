"""The names of pairs of an embedder and a detector."""

from dataclasses import replace
from pathlib import Path

import pytest

from kith.catalogue.builtin import DEFAULT_DETECTOR, DEFAULT_EMBEDDER, DETECTORS, EMBEDDERS
from kith.catalogue.installed import (
    find_detector,
    find_embedder,
    install_detector,
    installed_detectors,
    models_folder,
    read_card,
    remove,
    write_card,
)
from kith.catalogue.pair import embedder_of, find_pair
from kith.catalogue.spec import ONNX, DetectorKind, DetectorSpec, InstalledFile, WeightsSpec
from kith.errors import UnknownModel, UnsupportedFile, WeightsError
from kith.workflows.models import find_model, list_models, remove_model

OTHER = DetectorSpec(
    id="other",
    summary="a detector of the tests",
    kind=DetectorKind.YUNET,
    weights={"network": WeightsSpec(ONNX, ONNX, InstalledFile(Path()), sha256="0" * 64, size=4)},
    license="none",
    training_data="none",
)


@pytest.fixture(autouse=True)
def other(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> DetectorSpec:
    """A detector that was brought here."""
    monkeypatch.setenv("KITH_MODELS", str(tmp_path))
    spec = install_detector(OTHER, {"network": b"onnx"})
    write_card(spec)
    return spec


def test_an_installed_detector_is_found_as_it_was_written(other: DetectorSpec) -> None:
    assert find_detector("other") == read_card("other") == find_model("other") == other
    assert (models_folder() / "other/network.onnx").read_bytes() == b"onnx"
    assert installed_detectors() == ["other"]
    assert {model.id for model in list_models()} >= {"other", *DETECTORS, *EMBEDDERS}


@pytest.mark.parametrize(
    ("model", "detector", "name"),
    [
        ("dlib-resnet29", "", "dlib-resnet29"),
        ("dlib-resnet29", "mtcnn", "dlib-resnet29"),
        ("dlib-resnet29+mtcnn", "", "dlib-resnet29"),
        ("dlib-resnet29", "other", "dlib-resnet29+other"),
        ("dlib-resnet29+other", "", "dlib-resnet29+other"),
        ("dlib-resnet29+other", "other", "dlib-resnet29+other"),
    ],
)
def test_a_pair_has_one_name_however_it_is_asked_for(model: str, detector: str, name: str) -> None:
    pair = find_pair(model, detector)
    assert pair.id == pair.spec.id == name
    assert pair.embedder == EMBEDDERS["dlib-resnet29"]
    assert embedder_of(name) == "dlib-resnet29"
    assert find_pair(name) == pair
    assert find_pair(pair.spec).spec == pair.spec, "an embedder that is told for a detector stays so"


def test_the_usual_detector_is_the_embedders_own() -> None:
    embedder = replace(EMBEDDERS[DEFAULT_EMBEDDER], id="imported", detector="other")
    assert find_pair(embedder).id == "imported"
    assert find_pair(embedder, DEFAULT_DETECTOR).id == "imported+mtcnn"


def test_two_detectors_for_one_pair() -> None:
    for given in ("dlib-resnet29+other", find_pair("dlib-resnet29+other").spec):
        with pytest.raises(WeightsError, match="names the detector other, but mtcnn is asked for too"):
            find_pair(given, "mtcnn")


@pytest.mark.parametrize(
    ("model", "detector", "unknown"),
    [
        ("dlib-resnet29+", "", ""),
        ("+other", "", ""),
        ("dlib-resnet29", "yunet", "yunet"),
        ("dlib+other", "", "dlib"),
        ("dlib-resnet29+other+other", "", "other+other"),
    ],
)
def test_a_name_of_which_a_half_is_unknown(model: str, detector: str, unknown: str) -> None:
    with pytest.raises(UnknownModel, match=f"unknown model '{unknown}'".replace("+", r"\+")):
        find_pair(model, detector)


@pytest.mark.parametrize("name", ["mtcnn", "other"])
def test_a_detector_for_an_embedder(name: str) -> None:
    with pytest.raises(WeightsError, match=f"{name} is a detector, and an embedder is needed here"):
        find_embedder(name)


def test_an_embedder_for_a_detector() -> None:
    with pytest.raises(WeightsError, match="kith-mini is an embedder, and a detector is needed here"):
        find_pair("dlib-resnet29", "kith-mini")


def test_a_damaged_card_of_a_detector() -> None:
    card = models_folder() / "other/model.json"
    card.write_text(card.read_text().replace('"yunet"', '"yunot"'))
    with pytest.raises(UnsupportedFile, match="damaged"):
        find_detector("other")
    assert installed_detectors() == []


def test_a_detector_is_removed_with_what_was_measured_of_its_pairs() -> None:
    for name in ("dlib-resnet29+other", "dlib-resnet29+another"):
        (models_folder() / name).mkdir()
        (models_folder() / name / "own-calibration.json").write_text("{}")
    assert remove_model("other") > 4
    assert [path.name for path in models_folder().iterdir()] == ["dlib-resnet29+another"]
    with pytest.raises(UnknownModel):
        remove("other")
