"""The networks that can be trained, and how a face is brought to each."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from kith.catalogue.installed import find_embedder
from kith.catalogue.preprocessing import (
    DLIB_CROP,
    DLIB_PIXELS,
    CropRule,
    FixedScaling,
    PixelRule,
    SimilarityCrop,
    resize_template,
)
from kith.errors import TrainingError

_SIGNED_PIXELS = FixedScaling(mean=(127.5, 127.5, 127.5), divisor=128.0)


@dataclass(frozen=True, slots=True)
class Recipe:
    """A network with its preprocessing.

    Attributes:
        network: The function in `kith.networks`.
        crop: How a face is cut out; the crop is shown whole, shrunk to the input's size.
        pixels: How its pixels are scaled.
        input_size: Side of what the network sees, in pixels.
        least: The smallest input it can be built for; 0 if it has one size only.
    """

    network: str
    crop: CropRule
    pixels: PixelRule
    input_size: int
    least: int = 0


RECIPES: Mapping[str, Recipe] = {
    "slim-resnet29": Recipe("slim_resnet29", DLIB_CROP, DLIB_PIXELS, 150, least=104),
    "resnet29": Recipe("resnet29", DLIB_CROP, DLIB_PIXELS, 150, least=104),
    "inception-resnet-v1": Recipe(
        "inception_resnet_v1", resize_template(DLIB_CROP, 160), _SIGNED_PIXELS, 160, least=80
    ),
    "nn4-small2": Recipe("nn4_small2", resize_template(DLIB_CROP, 96), _SIGNED_PIXELS, 96),
}


def find_recipe(name: str, input_size: int = 0) -> Recipe:
    """The recipe of this name, perhaps for inputs of another size.

    Raises:
        TrainingError: There is none.
    """
    if name not in RECIPES:
        raise TrainingError(f"unknown network {name!r}; known networks: {', '.join(RECIPES)}")
    recipe = RECIPES[name]
    if input_size in (0, recipe.input_size):
        return recipe
    if input_size < recipe.least or not recipe.least:
        smallest = f"it needs {recipe.least}" if recipe.least else f"it is made for {recipe.input_size}"
        raise TrainingError(f"{name} cannot see {input_size} pixels; {smallest}")
    if not isinstance(recipe.crop, SimilarityCrop):
        raise TypeError(f"the crop of {name} is not a similarity crop")
    factor = input_size / recipe.input_size
    crop = resize_template(recipe.crop, round(recipe.crop.size * factor))
    return replace(recipe, crop=crop, input_size=input_size)


def recipe_of(model_id: str) -> Recipe:
    """The recipe of a model that is here."""
    spec = find_embedder(model_id)
    return Recipe(spec.weights.network, spec.crop, spec.pixels, spec.input_size)
