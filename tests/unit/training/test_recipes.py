import pytest

from kith import networks
from kith.catalogue.builtin import EMBEDDERS
from kith.errors import TrainingError
from kith.training.recipes import RECIPES, find_recipe, recipe_of


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_builds_its_network(name: str) -> None:
    recipe = find_recipe(name)
    model = getattr(networks, recipe.network)(
        crop_size=recipe.input_size, embedding_size=64, initializer="zeros"
    )
    assert model.input.shape[1:] == (recipe.input_size, recipe.input_size, 3)
    assert model.output.shape[1:] == (64,)


@pytest.mark.parametrize("name", [name for name, recipe in RECIPES.items() if recipe.least])
def test_the_smallest_size_is_large_enough(name: str) -> None:
    recipe = find_recipe(name, RECIPES[name].least)
    model = getattr(networks, recipe.network)(crop_size=recipe.input_size, initializer="zeros")
    assert model.input.shape[1] == recipe.least


def test_at_another_size_the_same_part_of_the_face_is_shown() -> None:
    whole, half = find_recipe("slim-resnet29"), find_recipe("slim-resnet29", 125)
    assert (half.input_size, half.crop.size) == (125, 130)
    for (x, y), (u, v) in zip(whole.crop.template, half.crop.template, strict=True):
        assert ((x + 0.5) / 156, (y + 0.5) / 156) == pytest.approx(((u + 0.5) / 130, (v + 0.5) / 130))


@pytest.mark.parametrize(
    ("name", "size", "said"),
    [
        ("resnet", 0, "unknown network"),
        ("nn4-small2", 80, "cannot see 80"),
        ("resnet29", 32, "cannot see 32"),
    ],
)
def test_what_cannot_be_built_is_told(name: str, size: int, said: str) -> None:
    with pytest.raises(TrainingError, match=said):
        find_recipe(name, size)


def test_a_model_brings_its_recipe() -> None:
    spec = EMBEDDERS["dlib-resnet29"]
    recipe = recipe_of("dlib-resnet29")
    assert (recipe.network, recipe.crop, recipe.pixels, recipe.input_size) == (
        "resnet29", spec.crop, spec.pixels, spec.input_size,
    )  # fmt: skip
