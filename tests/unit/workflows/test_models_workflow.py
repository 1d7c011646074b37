"""Which models there are, whether they are whole, and deleting one."""

import pytest

from kith.catalogue.builtin import DEFAULT_DETECTOR, DEFAULT_EMBEDDER, DETECTORS, EMBEDDERS
from kith.catalogue.installed import CARD, models_folder
from kith.catalogue.published import PUBLISHED, PUBLISHED_DETECTORS
from kith.errors import ChecksumMismatch, UnknownModel, WeightsError
from kith.presentation.models import model_json
from kith.workflows import models
from kith.workflows.models import check_weights, find_model, list_models, remove_model


def damage(model_id: str) -> None:
    (models_folder() / model_id).mkdir(parents=True)
    (models_folder() / model_id / CARD).write_text("{")


def test_all_models_are_listed() -> None:
    listed = list_models()
    assert [model.id for model in listed] == [*EMBEDDERS, *DETECTORS, *PUBLISHED, *PUBLISHED_DETECTORS]
    assert all(model.spec is not None and model.error is None for model in listed)


def test_a_damaged_model_hides_no_other() -> None:
    damage("broken")
    broken = [model for model in list_models() if model.spec is None]
    assert [model.id for model in broken] == ["broken"]
    assert broken[0].error is not None
    assert len(list_models()) == 1 + len([*EMBEDDERS, *DETECTORS, *PUBLISHED, *PUBLISHED_DETECTORS])


def test_a_folder_that_cannot_be_read_hides_nothing_that_came_with_kith() -> None:
    models_folder().parent.mkdir(parents=True, exist_ok=True)
    models_folder().write_text("a file")
    first, *others = list_models()
    assert (first.id, first.spec) == (str(models_folder()), None)
    assert "cannot read the models" in str(first.error)
    assert [model.id for model in others] == [*EMBEDDERS, *DETECTORS, *PUBLISHED, *PUBLISHED_DETECTORS]


def test_every_file_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = EMBEDDERS[DEFAULT_EMBEDDER].weights

    def read(weights: object) -> None:
        if weights == wanted:
            raise ChecksumMismatch("another file than was published")

    monkeypatch.setattr(models, "read_weights", read)
    damage("broken")
    checked = check_weights()
    assert {file.id: str(file.error) for file in checked if file.id == DEFAULT_EMBEDDER} == {
        DEFAULT_EMBEDDER: "another file than was published"
    }
    assert len([file for file in checked if file.id == DEFAULT_DETECTOR]) == 3
    assert [file.error is not None for file in checked if file.id == "broken"] == [True]
    assert not {file.id for file in checked} & {*PUBLISHED, *PUBLISHED_DETECTORS}, "they are not here"


def test_what_came_with_kith_stays() -> None:
    for model_id in (DEFAULT_EMBEDDER, DEFAULT_DETECTOR):
        with pytest.raises(WeightsError, match="came with Kith"):
            remove_model(model_id)


def test_a_damaged_model_can_be_removed() -> None:
    damage("broken")
    assert remove_model("broken") > 0
    assert "broken" not in {model.id for model in list_models()}


@pytest.mark.parametrize("model_id", [DEFAULT_EMBEDDER, DEFAULT_DETECTOR, *PUBLISHED, *PUBLISHED_DETECTORS])
def test_every_kind_has_a_card(model_id: str) -> None:
    card = model_json(find_model(model_id))
    assert card["id"] == model_id
    assert {"kind", "state", "summary", "use", "license", "training_data", "size"} <= set(card)


def test_nobody_is_no_model() -> None:
    with pytest.raises(UnknownModel):
        find_model("nobody")
