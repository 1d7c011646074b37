"""Models that were pulled or imported: a folder each, with the weights and a card.

    MODELS/ID/model.json           everything that must be known of the model: its `EmbedderSpec`
    MODELS/ID/weights.safetensors  its variables by their names in Keras; or weights.onnx

A model appears when its card does, which is written last.
"""

import json
import os
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from kith.catalogue.builtin import EMBEDDERS
from kith.catalogue.licenses import Use
from kith.catalogue.preprocessing import (
    AffineCrop,
    CropRule,
    FixedScaling,
    MarginCrop,
    MarginUnit,
    PixelRule,
    Point,
    SimilarityCrop,
    Whitening,
)
from kith.catalogue.published import PUBLISHED
from kith.catalogue.spec import EmbedderSpec, InstalledFile, WeightsSpec
from kith.errors import DownloadFailed, Remedy, UnknownModel, UnsupportedFile, WeightsError
from kith.files import write_atomically
from kith.folders import data_folder

MODELS_VARIABLE = "KITH_MODELS"
CARD = "model.json"
_VERSION = 3
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_LONGEST = 8192  # of an embedding in numbers, of a crop in pixels


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
    if is_here(model_id):
        return read_card(model_id)
    if model_id in PUBLISHED:
        raise DownloadFailed(
            f"model {model_id} is not on this machine", remedy=Remedy.PULL_MODEL, about=[model_id]
        )
    raise UnknownModel(model_id, (*EMBEDDERS, *installed_ids(), *PUBLISHED))


def installed_ids() -> list[str]:
    """The names of all models that were pulled or imported, also of those whose card cannot be read.

    Raises:
        WeightsError: Their folder cannot be read.
    """
    folder = models_folder()
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if is_id(entry.name))
        return [name for name in names if is_here(name)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise WeightsError(f"cannot read the models in {folder}: {error.strerror or error}") from None


def is_here(model_id: str) -> bool:
    """Whether a model of this name was pulled or imported; its card may be damaged all the same."""
    return is_id(model_id) and os.path.lexists(models_folder() / model_id / CARD)


def is_id(text: str) -> bool:
    """Whether a text can be a model's name: it names a folder, and holds no + of a pair's."""
    return _ID.fullmatch(text) is not None and not text.endswith(".")


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
        if content.get("version", _VERSION) > _VERSION:
            raise _unusable(model_id, "made by a later version of Kith")
        return _from_json(content, path.parent)
    except OSError as error:
        raise UnsupportedFile(f"cannot read {path}: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
        raise _unusable(model_id, "damaged") from None


def _unusable(model_id: str, why: str) -> UnsupportedFile:
    text = f"{models_folder() / model_id / CARD}: {why}; remove the model and import it again"
    return UnsupportedFile(text, remedy=Remedy.REMOVE_MODEL, about=[model_id])


def remove(model_id: str) -> int:
    """Delete a model, or what there is of one without a card, and return how many bytes its files had.

    Raises:
        UnknownModel: No model of this name was pulled or imported.
        WeightsError: A file cannot be deleted.
    """
    folder = models_folder() / model_id
    if not (is_id(model_id) and folder.is_dir()):
        raise UnknownModel(model_id, installed_ids())
    try:
        size = sum(path.lstat().st_size for path in folder.iterdir())
        with suppress(FileNotFoundError, IsADirectoryError):
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
    """What must be known of a model, each thing of its own type; what has a default may be missing."""
    weights, crop = content["weights"], _crop_from_json(content["crop"])
    length, input_size = weights.get("embedding_size"), weights.get("input_size")
    return EmbedderSpec(
        id=folder.name,
        summary=str(content.get("summary", "")),
        weights=WeightsSpec(
            network=str(weights["network"]),
            reader=str(weights["reader"]),
            file=InstalledFile(folder / Path(weights["file"]).name),
            sha256=str(weights["sha256"]),
            size=int(weights.get("size", 0)),
            embedding_size=None if length is None else _length(length),
            input_size=None if input_size is None else _length(input_size),
        ),
        embedding_size=_length(content["embedding_size"]),
        crop=crop,
        pixels=_pixels_from_json(content["pixels"]),
        input_size=_length(content.get("input_size", crop.size)),
        mirrored=bool(content.get("mirrored", True)),  # as all were before there was a choice
        license=str(content.get("license", content.get("licence", "unknown"))),
        training_data=str(content.get("training_data", "unknown")),
        lfw=str(content.get("lfw", "not measured")),
        int8=bool(content.get("int8", False)),
        use=Use(content.get("use", Use.UNCLEAR)),
    )


def _length(value: Any) -> int:
    if not 0 < int(value) <= _LONGEST:
        raise ValueError(f"no size of anything: {value}")
    return int(value)


def _point(value: Any) -> Point:
    x, y = value
    return float(x), float(y)


def _crop_from_json(content: Mapping[str, Any]) -> CropRule:
    rule, size = content["rule"], _length(content["size"])
    if rule == SimilarityCrop.__name__:
        return SimilarityCrop(size, tuple(map(_point, content["template"])))
    if rule == AffineCrop.__name__:
        eye, other_eye, nose = map(_point, content["template"])
        return AffineCrop(size, (eye, other_eye, nose))
    if rule == MarginCrop.__name__:
        return MarginCrop(size, int(content["margin"]), MarginUnit(content["unit"]))
    raise ValueError(f"unknown crop {rule}")


def _pixels_from_json(content: Mapping[str, Any]) -> PixelRule:
    rule = content["rule"]
    if rule == Whitening.__name__:
        return Whitening()
    if rule == FixedScaling.__name__:
        red, green, blue = map(float, content["mean"])
        return FixedScaling((red, green, blue), float(content["divisor"]))
    raise ValueError(f"unknown scaling of pixels {rule}")
