"""A file of weights -> an installed model.

The format and the network show in the file itself, the family in both; what was published is told by
its hash. What names, shapes and values tell of wrong weights is asked first, since it takes no time. A
model is installed only when its network was built and has embedded the sample people.
"""

import hashlib
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

from kith.assembly import RecognizerSettings
from kith.catalogue.builtin import EMBEDDERS
from kith.catalogue.calibrations import IMPORTED, keep_calibration
from kith.catalogue.download import download
from kith.catalogue.families import Family, find_family
from kith.catalogue.installed import CARD, discard, find_embedder, install, is_id, models_folder, write_card
from kith.catalogue.lock import only_one
from kith.catalogue.preprocessing import (
    ColorOrder,
    CropRule,
    FixedScaling,
    PixelRule,
    SimilarityCrop,
    resize_template,
)
from kith.catalogue.published import PUBLISHED, PublishedFile, PublishedModel, find_published_file
from kith.catalogue.spec import ONNX, EmbedderSpec, InstalledFile, WeightsSpec
from kith.decisions.calibration import Calibration
from kith.errors import Remedy, UnsupportedFile, WeightsError
from kith.progress import SILENT, Progress
from kith.recognizer import Recognizer
from kith.runtime.prepare import Precision
from kith.runtime.trial import Adopted, adopt_in_bounds
from kith.weights.recognize import Format, Recognized, recognize_file
from kith.weights.regular_file import open_regular, read_regular
from kith.weights.safetensors import EXTENSION, write_safetensors
from kith.weights.tensorflow_files import find_checkpoint
from kith.weights.usable import require_usable
from kith.workflows.first_calibration import (
    calibrate_embeddings,
    discernment,
    embed_sample_people,
    require_embeddings,
)

_MOST_BYTES = 2 << 30  # more cannot be in an ONNX file
_AS_THEY_ARE = FixedScaling((0.0, 0.0, 0.0), 1.0)
_LEAST_DISCERNMENT = 0.9  # every trained network at hand has 1.0, one of random weights 0.65 to 0.68


@dataclass(frozen=True, slots=True)
class OnnxPreprocessing:
    """What an ONNX file cannot tell of itself, or not always.

    Attributes:
        crop: How a face is cut out; a template is brought to the size of the network's image.
        pixels: How its pixels are scaled; told from the graph if None, where that scales them itself.
        color: In which order it wants the colours.
        size: Side of its image in pixels; needed where the graph takes any.
        output: Which of its outputs is the embedding; needed where several could be.
    """

    crop: CropRule
    pixels: PixelRule | None = None
    color: ColorOrder = ColorOrder.RGB
    size: int | None = None
    output: str | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    """A model that was read and is to be installed.

    Attributes:
        spec: All but where its weights are.
        content: Of the weights file.
        file_name: Of the weights file.
    """

    spec: EmbedderSpec
    content: bytes
    file_name: str


def pull(
    model_id: str,
    *,
    urls: tuple[str, ...] = (),
    progress: Progress = SILENT,
) -> EmbedderSpec:
    """Fetch a published model and install it.

    Args:
        model_id: Its name in `PUBLISHED`.
        urls: Where to fetch it; the published places if empty.
        progress: Told how far it is, and what is odd about the model.

    Raises:
        WeightsError: It is unknown or cannot be had, read or kept.
    """
    if model_id in EMBEDDERS:
        raise WeightsError(f"{model_id} came with Kith; there is nothing to pull")
    if model_id not in PUBLISHED:
        raise WeightsError(f"no published model {model_id!r}; known: {', '.join(PUBLISHED)}")
    with only_one(model_id, progress):
        if (models_folder() / model_id / CARD).exists():
            return find_embedder(model_id)
        file = PUBLISHED[model_id].files[0]
        path = download(file, urls or file.urls, progress)
        found = _read_weights(path, model_id, None, (PUBLISHED[model_id], file))
        spec = _install(found, progress)
        path.unlink(missing_ok=True)  # not before: after a break it need not be fetched again
    return spec


def import_file(
    path: str | os.PathLike[str],
    *,
    model_id: str | None = None,
    family: str | None = None,
    onnx: OnnxPreprocessing | None = None,
    mirrored: bool = False,
    progress: Progress = SILENT,
) -> EmbedderSpec:
    """Install the model of a file, or of the files of a TensorFlow checkpoint given one of them.

    Args:
        path: The file.
        model_id: Its name from now on; made of the file's name if None.
        family: How it was trained; told from the network and the format if None.
        onnx: Needed for an ONNX file, and only for that.
        mirrored: Whether a face's mirror image is embedded too and added: twice the work, mostly somewhat
            better, and no longer the embeddings that others have of the same file.
        progress: Told what is being done, and what is odd about the model.

    Raises:
        WeightsError: The file cannot be read, is of no known kind, holds no network that embeds faces, or a
            model of this name is here.
    """
    path = Path(path)
    progress.begin(f"reading {path.name}")
    try:
        found = _read(path, model_id, family) if onnx is None else _read_onnx(path, model_id, onnx)
    except OSError as error:
        raise WeightsError(f"cannot read {path}: {error.strerror or error}") from None
    found = replace(found, spec=replace(found.spec, mirrored=mirrored))
    with only_one(found.spec.id, progress):
        _require_free(found.spec.id)  # again: another process may have been quicker
        return _install(found, progress)


def _read_onnx(path: Path, model_id: str | None, onnx: OnnxPreprocessing) -> _Found:
    name = _free_name(path, model_id)
    data = read_regular(path, _MOST_BYTES)
    adopted = adopt_in_bounds(data, size=onnx.size, color=onnx.color, output=onnx.output)
    return _Found(_onnx_spec(name, path.name, onnx, adopted), adopted.content, "weights.onnx")


def _read(path: Path, model_id: str | None, family: str | None) -> _Found:
    if family is not None:
        find_family(family)
    published = find_published_file(*_hashes(path))
    name = published[0].id if published and model_id is None else model_id
    name = _free_name(path, name)
    if _looks_like_onnx(path):
        raise WeightsError(
            f"{path} is an ONNX file, which does not say what was done to a face before it: "
            "how it is cut out, for one",
            remedy=Remedy.DESCRIBE_ONNX,
        )
    return _read_weights(path, name, family, published)


def _read_weights(
    path: Path, name: str, family: str | None, published: tuple[PublishedModel, PublishedFile] | None
) -> _Found:
    """Read a file and refuse what can be refused before a network is built."""
    found = recognize_file(path)
    spec = _spec(name, path.name, found, find_family(family or _family_of(found, published)), published)
    require_usable(found)
    return _Found(spec, write_safetensors(found.arrays), f"weights.{EXTENSION}")


def _install(found: _Found, progress: Progress) -> EmbedderSpec:
    """Keep the weights, build the network, measure it, and only then write the card."""
    content = found.content
    weights = replace(found.spec.weights, sha256=hashlib.sha256(content).hexdigest(), size=len(content))
    spec = install(replace(found.spec, weights=weights), content, found.file_name)
    try:
        keep_calibration(spec.id, _measure_on_sample_people(spec, progress), IMPORTED)
        write_card(spec)
    except BaseException as error:
        discard(spec.id)
        if isinstance(error, OSError):
            raise WeightsError(
                f"{models_folder()}: {error.strerror or error}; nothing was installed"
            ) from None
        raise
    return spec


def _spec(
    name: str,
    file_name: str,
    found: Recognized,
    family: Family,
    published: tuple[PublishedModel, PublishedFile] | None,
) -> EmbedderSpec:
    if found.network != family.network:
        raise WeightsError(f"{file_name} holds {found.network}, but that family is {family.network}")
    model = published[0] if published else None
    return EmbedderSpec(
        id=name,
        summary=f"{family.summary}, {found.embedding_size} numbers; from {file_name} ({found.format})",
        weights=WeightsSpec(
            network=found.network,
            reader=EXTENSION,
            file=InstalledFile(Path(file_name)),
            sha256="",
            size=0,
            embedding_size=found.embedding_size,
        ),
        embedding_size=found.embedding_size,
        crop=family.crop,
        pixels=family.pixels,
        input_size=family.input_size,
        mirrored=False,
        license=model.license if model else "unknown: the file was not published in this form",
        training_data=model.training_data if model else "unknown",
        lfw=model.lfw if model else "not measured",
        int8=False,
    )


def _onnx_spec(name: str, file_name: str, onnx: OnnxPreprocessing, adopted: Adopted) -> EmbedderSpec:
    return EmbedderSpec(
        id=name,
        summary=f"an ONNX network, {adopted.embedding_size} numbers; from {file_name}",
        weights=WeightsSpec(
            network=ONNX, reader=ONNX, file=InstalledFile(Path(file_name)), sha256="", size=0
        ),
        embedding_size=adopted.embedding_size,
        crop=_crop_of_size(onnx.crop, adopted.size),
        pixels=_pixels(onnx.pixels, adopted),
        input_size=adopted.size,
        mirrored=False,
        license="unknown",
        training_data="unknown",
        lfw="not measured",
        int8=False,
    )


def _crop_of_size(crop: CropRule, size: int) -> CropRule:
    """A template at the size of the network's image; any other rule must have it."""
    if crop.size == size:
        return crop
    if not isinstance(crop, SimilarityCrop):
        raise WeightsError(f"the network's image has {size} pixels, the crop {crop.size}")
    return resize_template(crop, size)


def _pixels(stated: PixelRule | None, adopted: Adopted) -> PixelRule:
    if not adopted.scales_pixels:
        if stated is None:
            raise UnsupportedFile(
                "ONNX file: its graph does not scale pixels itself, nor say how they are scaled before it",
                remedy=Remedy.PIXELS_OF_ONNX,
            )
        return stated
    if stated not in (None, _AS_THEY_ARE):
        raise UnsupportedFile(
            "ONNX file: its graph scales pixels itself, so they must not be scaled before; leave that out"
        )
    return _AS_THEY_ARE


def _family_of(found: Recognized, published: tuple[PublishedModel, PublishedFile] | None) -> str:
    if published:
        return published[0].family
    if found.network == "nn4_small2":
        return "openface"
    if found.network == "mobilefacenet":
        return "arcface-mobilefacenet"
    if found.embedding_size == 128:
        return "sandberg-2017"
    return "facenet-pytorch" if found.format is Format.PYTORCH else "sandberg-2018"


def _measure_on_sample_people(spec: EmbedderSpec, progress: Progress) -> Calibration:
    recognizer = Recognizer.from_settings(
        RecognizerSettings(spec, precision=Precision.FLOAT32), progress=progress
    )
    progress.begin("measuring on the sample people")
    embeddings, people = embed_sample_people(recognizer)
    require_embeddings(embeddings)
    share = discernment(embeddings, people)
    if share < _LEAST_DISCERNMENT:
        progress.say(
            f"{spec.id} hardly tells the sample people apart: two photos of one person are more alike than "
            f"photos of two people in {share:.0%} of all cases, by chance in 50%; was it trained, and are "
            "its crop, pixels and family right?"
        )
    return calibrate_embeddings(recognizer, embeddings, people)


def _hashes(path: Path) -> tuple[str, str]:
    """SHA-256 and MD5 of a file; empty for a checkpoint, which is several."""
    if find_checkpoint(path) is not None or path.is_dir():
        return "", ""
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    with open_regular(path) as file:
        while part := file.read(1 << 20):
            sha256.update(part)
            md5.update(part)
    return sha256.hexdigest(), md5.hexdigest()


def _require_free(name: str) -> None:
    if not is_id(name):
        raise WeightsError(f"{name!r} cannot be a model's name: letters, digits and hyphens only")
    if name in EMBEDDERS:
        raise WeightsError(f"{name} is the name of a model that came with Kith; choose another")
    if (models_folder() / name / CARD).exists():
        raise WeightsError(f"a model {name} is here already; remove it, or choose another name")


def _free_name(path: Path, model_id: str | None) -> str:
    """The name that was chosen, or one made of the file's; free."""
    if model_id is None:
        model_id = _id_of(path)
    _require_free(model_id)
    return model_id


def _id_of(path: Path) -> str:
    """A name made of a file's: facenet_keras.h5 -> facenet-keras."""
    stem = path.name.partition(".")[0] if path.is_file() else path.name
    return re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")[:64] or "model"


def _looks_like_onnx(path: Path) -> bool:
    """ONNX begins with its version, a small number in field 1.

    So can the length of safetensors' header, before a brace; and a SavedModel of TensorFlow, with version 1.
    """
    if path.is_dir() or not path.exists():  # what a checkpoint's files are called by need not be a file
        return False
    with open_regular(path) as file:
        start = file.read(9)
    return start[:1] == b"\x08" and start[8:] != b"{" and start[:3] != b"\x08\x01\x12"
