"""Models that were pulled or imported: a folder each, with the weights and a card.

    MODELS/ID/model.json           everything that must be known of the model: its spec
    MODELS/ID/weights.safetensors  its variables by their names in Keras; or weights.onnx
    MODELS/ID+DETECTOR/            what was measured of an embedder with a detector that is not its usual one

A model appears when its card does, which is written last.
"""

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from kith.catalogue.builtin import DEFAULT_DETECTOR, DETECTORS, EMBEDDERS
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
from kith.catalogue.published import PUBLISHED, PUBLISHED_DETECTORS
from kith.catalogue.spec import DetectorKind, DetectorSpec, EmbedderSpec, InstalledFile, WeightsSpec
from kith.errors import DownloadFailed, Remedy, UnknownModel, UnsupportedFile, WeightsError
from kith.files import write_atomically
from kith.folders import data_folder

MODELS_VARIABLE = "KITH_MODELS"
CARD = "model.json"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_VERSION = 4  # 4: detectors, and the detector of an embedder
_DETECTOR = "detector"
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
        WeightsError: It is a detector.
    """
    if model_id in EMBEDDERS:
        return EMBEDDERS[model_id]
    if model_id in DETECTORS:
        raise _of_other_kind(model_id, "a detector", "an embedder")
    if is_here(model_id):
        spec = read_card(model_id)
        if isinstance(spec, DetectorSpec):
            raise _of_other_kind(model_id, "a detector", "an embedder")
        return spec
    if model_id in PUBLISHED_DETECTORS:
        raise _of_other_kind(model_id, "a detector", "an embedder")
    if model_id in PUBLISHED:
        raise _to_be_pulled(model_id)
    raise UnknownModel(model_id, (*EMBEDDERS, *installed_ids(), *PUBLISHED))


def find_detector(detector_id: str) -> DetectorSpec:
    """The detector of this name: one that works at once, or one that was pulled or imported.

    Raises:
        DownloadFailed: It is published, but not on this machine.
        UnknownModel: There is none.
        UnsupportedFile: Its card is damaged.
        WeightsError: It is an embedder.
    """
    if detector_id in DETECTORS:
        return DETECTORS[detector_id]
    if is_here(detector_id):
        spec = read_card(detector_id)
        if isinstance(spec, DetectorSpec):
            return spec
    if detector_id in EMBEDDERS or detector_id in PUBLISHED or is_here(detector_id):
        raise _of_other_kind(detector_id, "an embedder", "a detector")
    if detector_id in PUBLISHED_DETECTORS:
        raise _to_be_pulled(detector_id)
    raise UnknownModel(detector_id, (*DETECTORS, *installed_detectors(), *PUBLISHED_DETECTORS))


def installed_detectors() -> list[str]:
    """The names of the detectors that were pulled or imported."""
    found = []
    for model_id in installed_ids():
        with suppress(UnsupportedFile):  # told where all models are listed
            found += [model_id] if isinstance(read_card(model_id), DetectorSpec) else []
    return found


def _to_be_pulled(model_id: str) -> DownloadFailed:
    text = f"model {model_id} is not on this machine"
    return DownloadFailed(text, remedy=Remedy.PULL_MODEL, about=[model_id])


def _of_other_kind(model_id: str, kind: str, wanted: str) -> WeightsError:
    return WeightsError(f"{model_id} is {kind}, and {wanted} is needed here")


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
    """Keep an embedder's weights; the model appears when `write_card` follows.

    Args:
        spec: The model; where its weights are is filled in.
        weights: The content of the weights file.
        file_name: Of the weights file.

    Raises:
        WeightsError: The folder cannot be written or the disk is full; nothing of the model is left.
    """
    return replace(spec, weights=_keep(spec.id, spec.weights, weights, file_name))


def install_detector(spec: DetectorSpec, networks: Mapping[str, bytes]) -> DetectorSpec:
    """Keep a detector's networks; it appears when `write_card` follows.

    Args:
        spec: The detector; where its weights are is filled in.
        networks: The ONNX file of each network, by its name.

    Raises:
        WeightsError: The folder cannot be written or the disk is full; nothing of the model is left.
    """
    kept = {
        name: _keep(spec.id, spec.weights[name], content, f"{name}.onnx")
        for name, content in networks.items()
    }
    return replace(spec, weights=kept)


def _keep(model_id: str, spec: WeightsSpec, weights: bytes, file_name: str) -> WeightsSpec:
    """Keep one file of a model.

    Raises:
        WeightsError: The folder cannot be written or the disk is full; nothing of the model is left.
    """
    path = models_folder() / model_id / file_name
    try:
        write_atomically(path, weights)
    except OSError as error:
        discard(model_id)
        raise WeightsError(
            f"cannot write {path}: {error.strerror or error}; set {MODELS_VARIABLE} to a folder with room"
        ) from None
    return replace(spec, file=InstalledFile(path))


def discard(model_id: str) -> None:
    """Delete what there is of a model that never appeared."""
    folder = models_folder() / model_id
    if not (folder / CARD).exists():
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def whole_or_not_at_all(model_id: str) -> Iterator[None]:
    """Take away what there is of a model if it is interrupted or fails before its card is written.

    Raises:
        WeightsError: Something could not be written.
    """
    try:
        yield
    except BaseException as error:
        discard(model_id)
        if isinstance(error, OSError):
            reason = f"{models_folder()}: {error.strerror or error}; nothing was installed"
            raise WeightsError(reason) from None
        raise


def write_card(spec: EmbedderSpec | DetectorSpec) -> None:
    """Write a model's card.

    Raises:
        OSError: It cannot be written; what was there before stays.
    """
    content = json.dumps(_to_json(spec), indent=2, ensure_ascii=False) + "\n"
    write_atomically(models_folder() / spec.id / CARD, content.encode())


def read_card(model_id: str) -> EmbedderSpec | DetectorSpec:
    """Read a model's card.

    Raises:
        UnsupportedFile: It is damaged or of a later version of Kith.
    """
    path = models_folder() / model_id / CARD
    try:
        content = json.loads(path.read_bytes())
        if content.get("version", _VERSION) > _VERSION:
            raise _unusable(model_id, "made by a later version of Kith")
        read = _detector_from_json if content.get("kind") == _DETECTOR else _embedder_from_json
        return read(content, path.parent)
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
        for measured in (*models_folder().glob(f"{model_id}+*"), *models_folder().glob(f"*+{model_id}")):
            shutil.rmtree(measured)
    except OSError as error:
        raise WeightsError(f"cannot delete {folder}: {error.strerror or error}") from None
    return size


def _to_json(spec: EmbedderSpec | DetectorSpec) -> dict[str, Any]:
    content = asdict(spec)
    if isinstance(spec, DetectorSpec):
        content["weights"] = {name: _weights_to_json(weights) for name, weights in spec.weights.items()}
        return {"version": _VERSION, **content, "kind": _DETECTOR, "looks_as": spec.kind.value}
    content["weights"] = _weights_to_json(spec.weights)
    content["crop"]["rule"] = type(spec.crop).__name__
    content["pixels"]["rule"] = type(spec.pixels).__name__
    return {"version": _VERSION, "kind": "embedder", **content}


def _weights_to_json(weights: WeightsSpec) -> dict[str, Any]:
    if not isinstance(weights.file, InstalledFile):
        raise TypeError(f"{weights.file} is not of an installed model")
    return asdict(weights) | {"file": weights.file.path.name}


def _detector_from_json(content: Mapping[str, Any], folder: Path) -> DetectorSpec:
    return DetectorSpec(
        id=folder.name,
        summary=str(content.get("summary", "")),
        kind=DetectorKind(content["looks_as"]),
        weights={
            str(name): _weights_from_json(weights, folder) for name, weights in content["weights"].items()
        },
        license=str(content.get("license", "unknown")),
        training_data=str(content.get("training_data", "unknown")),
        use=Use(content.get("use", Use.UNCLEAR)),
    )


def _weights_from_json(weights: Mapping[str, Any], folder: Path) -> WeightsSpec:
    length, input_size = weights.get("embedding_size"), weights.get("input_size")
    return WeightsSpec(
        network=str(weights["network"]),
        reader=str(weights["reader"]),
        file=InstalledFile(folder / Path(weights["file"]).name),
        sha256=str(weights["sha256"]),
        size=int(weights.get("size", 0)),
        embedding_size=None if length is None else _length(length),
        input_size=None if input_size is None else _length(input_size),
    )


def _embedder_from_json(content: Mapping[str, Any], folder: Path) -> EmbedderSpec:
    """What must be known of an embedder, each thing of its own type; what has a default may be missing."""
    crop = _crop_from_json(content["crop"])
    return EmbedderSpec(
        id=folder.name,
        summary=str(content.get("summary", "")),
        weights=_weights_from_json(content["weights"], folder),
        embedding_size=_length(content["embedding_size"]),
        crop=crop,
        pixels=_pixels_from_json(content["pixels"]),
        input_size=_length(content.get("input_size", crop.size)),
        mirrored=bool(content.get("mirrored", True)),  # as all were before there was a choice
        license=str(content.get("license", content.get("licence", "unknown"))),
        training_data=str(content.get("training_data", "unknown")),
        lfw=str(content.get("lfw", "not measured")),
        int8=bool(content.get("int8", False)),
        detector=str(content.get("detector", DEFAULT_DETECTOR)),
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
        return SimilarityCrop(size, tuple(map(_point, content["template"])), str(content.get("seen_by", "")))
    if rule == AffineCrop.__name__:
        eye, other_eye, nose = map(_point, content["template"])
        return AffineCrop(size, (eye, other_eye, nose), str(content.get("seen_by", "mtcnn")))
    if rule == MarginCrop.__name__:
        left, top, right, bottom = map(float, content.get("frame", (0, 0, 1, 1)))
        frame, seen_by = (left, top, right, bottom), str(content.get("seen_by", "mtcnn"))
        return MarginCrop(size, int(content["margin"]), MarginUnit(content["unit"]), frame, seen_by)
    raise ValueError(f"unknown crop {rule}")


def _pixels_from_json(content: Mapping[str, Any]) -> PixelRule:
    rule = content["rule"]
    if rule == Whitening.__name__:
        return Whitening()
    if rule == FixedScaling.__name__:
        red, green, blue = map(float, content["mean"])
        return FixedScaling((red, green, blue), float(content["divisor"]))
    raise ValueError(f"unknown scaling of pixels {rule}")
