"""Models that were pulled or imported: a folder each, with the weights and a card.

    MODELS/ID/model.json           everything that must be known of the model: its `EmbedderSpec`
    MODELS/ID/weights.safetensors  its variables by their names in Keras; or weights.onnx

A model appears when its card does, which is written last.
"""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from kith.errors import DownloadFailed, UnknownModel, UnsupportedFile, WeightsError
from kith.files import write_atomically
from kith.folders import data_folder
from kith.weights.catalogue import EMBEDDERS, EmbedderSpec, InstalledFile, WeightsSpec
from kith.weights.preprocessing import (
    AffineCrop,
    CropRule,
    FixedScaling,
    MarginCrop,
    MarginUnit,
    PixelRule,
    SimilarityCrop,
    Whitening,
)
from kith.weights.published import PUBLISHED

MODELS_VARIABLE = "KITH_MODELS"
CARD = "model.json"
_VERSION = 3
_CROPS: Final = {rule.__name__: rule for rule in (SimilarityCrop, AffineCrop, MarginCrop)}
_PIXELS: Final = {rule.__name__: rule for rule in (FixedScaling, Whitening)}


def models_folder() -> Path:
    """Where models are kept: `KITH_MODELS` where it is set, else in the user's data directory."""
    chosen = os.environ.get(MODELS_VARIABLE)
    return Path(chosen) if chosen else data_folder() / "models"


def find_embedder(model_id: str) -> EmbedderSpec:
    """The embedder of this name: one that works at once, or one that was pulled or imported.

    Raises:
        DownloadFailed: It is published, but not on this machine.
        UnknownModel: There is none.
        UnsupportedFile: Its card is damaged.
    """
    if model_id in EMBEDDERS:
        return EMBEDDERS[model_id]
    if (models_folder() / model_id / CARD).is_file() and is_id(model_id):
        return read_card(model_id)
    if model_id in PUBLISHED:
        raise DownloadFailed(
            f"model {model_id} is not on this machine; get it with: kith models pull {model_id}"
        )
    raise UnknownModel(model_id, (*EMBEDDERS, *installed_ids(), *PUBLISHED))


def installed_ids() -> list[str]:
    """The names of all models that were pulled or imported."""
    return sorted(path.parent.name for path in models_folder().glob(f"*/{CARD}"))


def is_id(text: str) -> bool:
    """Whether a text can be a model's name: letters, digits and hyphens, so that it can name a folder."""
    return 0 < len(text) <= 64 and text.replace("-", "").isalnum() and text.isascii() and text[0] != "-"


def install(spec: EmbedderSpec, weights: bytes, file_name: str) -> EmbedderSpec:
    """Keep a model's weights; the model appears when `write_card` follows.

    Args:
        spec: The model; where its weights are is filled in.
        weights: The content of the weights file.
        file_name: Of the weights file.

    Raises:
        WeightsError: The folder cannot be written or the disk is full; nothing of the model is left.
    """
    folder = models_folder() / spec.id
    path = folder / file_name
    try:
        write_atomically(path, weights)
    except OSError as error:
        discard(spec.id)
        raise WeightsError(
            f"cannot write {path}: {error.strerror or error}; set {MODELS_VARIABLE} to a folder with room"
        ) from None
    return replace(spec, weights=replace(spec.weights, file=InstalledFile(path)))


def discard(model_id: str) -> None:
    """Delete what there is of a model that never appeared."""
    folder = models_folder() / model_id
    if not (folder / CARD).exists():
        shutil.rmtree(folder, ignore_errors=True)


def write_card(spec: EmbedderSpec) -> None:
    """Write a model's card.

    Raises:
        OSError: It cannot be written; what was there before stays.
    """
    content = json.dumps(_to_json(spec), indent=2, ensure_ascii=False) + "\n"
    write_atomically(models_folder() / spec.id / CARD, content.encode())


def read_card(model_id: str) -> EmbedderSpec:
    """Read a model's card.

    Raises:
        UnsupportedFile: It is damaged or of a later version of Kith.
    """
    path = models_folder() / model_id / CARD
    try:
        content = json.loads(path.read_bytes())
        if content["version"] != _VERSION:
            raise UnsupportedFile(f"{path}: made by another version of Kith; import the model again")
        return _from_json(content, path.parent)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise UnsupportedFile(f"{path}: damaged; remove the model and import it again") from None


def remove(model_id: str) -> int:
    """Delete a model and return how many bytes its files had.

    Raises:
        UnknownModel: No model of this name was pulled or imported.
        WeightsError: A file cannot be deleted.
    """
    folder = models_folder() / model_id
    if not is_id(model_id) or not (folder / CARD).is_file():
        raise UnknownModel(model_id, installed_ids())
    size = sum(path.stat().st_size for path in folder.iterdir())
    try:
        (folder / CARD).unlink()  # first: without it there is no model
        shutil.rmtree(folder)
    except OSError as error:
        raise WeightsError(f"cannot delete {folder}: {error.strerror or error}") from None
    return size


def _to_json(spec: EmbedderSpec) -> dict[str, Any]:
    file = spec.weights.file
    if not isinstance(file, InstalledFile):
        raise TypeError(f"{spec.id} is not an installed model")
    content = asdict(spec)
    content["weights"]["file"] = file.path.name
    content["crop"]["rule"] = type(spec.crop).__name__
    content["pixels"]["rule"] = type(spec.pixels).__name__
    return {"version": _VERSION, **content}


def _from_json(content: Mapping[str, Any], folder: Path) -> EmbedderSpec:
    fields = {key: value for key, value in content.items() if key != "version"}
    weights = dict(content["weights"])
    weights["file"] = InstalledFile(folder / Path(weights["file"]).name)
    return EmbedderSpec(
        **fields
        | {
            "weights": WeightsSpec(**weights),
            "crop": _crop_from_json(content["crop"]),
            "pixels": _pixels_from_json(content["pixels"]),
        }
    )


def _crop_from_json(content: Mapping[str, Any]) -> CropRule:
    fields = {key: value for key, value in content.items() if key != "rule"}
    if "template" in fields:
        fields["template"] = tuple((float(x), float(y)) for x, y in fields["template"])
    if "unit" in fields:
        fields["unit"] = MarginUnit(fields["unit"])
    rule: CropRule = _CROPS[content["rule"]](**fields)
    return rule


def _pixels_from_json(content: Mapping[str, Any]) -> PixelRule:
    fields = {key: value for key, value in content.items() if key != "rule"}
    if "mean" in fields:
        fields["mean"] = tuple(map(float, fields["mean"]))
    rule: PixelRule = _PIXELS[content["rule"]](**fields)
    return rule
