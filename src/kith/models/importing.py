"""A file of weights -> an installed model.

The format and the network show in the file itself, the family in both; what was published is told by
its hash. A model is installed only when its network was built and has embedded the sample people.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from kith.errors import UnsupportedFile, WeightsError
from kith.first_calibration import calibrate_on_sample_people
from kith.recognizer import Recognizer
from kith.runtime.prepare import Notify, Precision
from kith.runtime.trial import adopt_in_bounds
from kith.weights.calibration import Calibration
from kith.weights.calibrations import IMPORTED, keep_calibration
from kith.weights.catalogue import EMBEDDERS, ONNX, EmbedderSpec, InstalledFile, WeightsSpec
from kith.weights.download import Progress, download
from kith.weights.families import Family, find_family
from kith.weights.installed import CARD, discard, install, is_id, models_folder, read_card, write_card
from kith.weights.preprocessing import CropRule, PixelRule
from kith.weights.published import PUBLISHED, PublishedFile, PublishedModel, find_published_file
from kith.weights.readers.recognize import Format, Recognized, recognize_file
from kith.weights.readers.safetensors import EXTENSION, write_safetensors

_MOST_BYTES = 2 << 30


@dataclass(frozen=True, slots=True)
class OnnxPreprocessing:
    """What an ONNX file cannot tell of itself.

    Attributes:
        crop: How a face is cut out.
        pixels: How its pixels are scaled.
        blue_first: Whether the network wants blue, green, red.
    """

    crop: CropRule
    pixels: PixelRule
    blue_first: bool = False


def pull(
    model_id: str, *, urls: tuple[str, ...] = (), progress: Progress, notify: Notify | None = None
) -> EmbedderSpec:
    """Fetch a published model and install it.

    Args:
        model_id: Its name in `PUBLISHED`.
        urls: Where to fetch it; the published places if empty.
        progress: Told how far the download is.
        notify: Told what else is being done.

    Raises:
        WeightsError: It is unknown or cannot be had, read or kept.
    """
    if model_id in EMBEDDERS:
        raise WeightsError(f"{model_id} came with Kith; there is nothing to pull")
    if model_id not in PUBLISHED:
        raise WeightsError(f"no published model {model_id!r}; known: {', '.join(PUBLISHED)}")
    if (models_folder() / model_id / CARD).exists():
        return read_card(model_id)
    file = PUBLISHED[model_id].files[0]
    path = download(file, urls or file.urls, progress)
    spec = import_file(path, model_id=model_id, published=(PUBLISHED[model_id], file), notify=notify)
    path.unlink(missing_ok=True)  # not before: after a break it need not be fetched again
    return spec


def import_file(
    path: Path,
    *,
    model_id: str = "",
    family: str = "",
    onnx: OnnxPreprocessing | None = None,
    published: tuple[PublishedModel, PublishedFile] | None = None,
    notify: Notify | None = None,
) -> EmbedderSpec:
    """Install the model of a file, or of the files of a TensorFlow checkpoint given one of them.

    Args:
        path: The file.
        model_id: Its name from now on; made of the file's name if empty.
        family: How it was trained; told from the network and the format if empty.
        onnx: Needed for an ONNX file, and only for that.
        published: What the file is known to be; looked up by its hash if None.
        notify: Told what is being done.

    Raises:
        WeightsError: The file cannot be read, is of no known kind, or a model of this name is here.
    """
    say = notify or _silent
    say(f"reading {path.name}")
    sha256, md5 = _hashes(path)
    if published is None:
        published = find_published_file(sha256, md5)
    name = model_id or (published[0].id if published else _id_of(path))
    _require_free(name)
    if onnx is not None:
        content, size = adopt_in_bounds(path.read_bytes(), onnx.crop.size, blue_first=onnx.blue_first)
        spec = _onnx_spec(name, path.name, onnx, size)
        return _install(spec, content, "weights.onnx", notify)
    if _looks_like_onnx(path):
        raise WeightsError(
            f"{path} is an ONNX file, which does not say what was done to a face before it: "
            "add --crop-size, --template and --pixels"
        )
    found = recognize_file(path)
    spec = _spec(name, path.name, found, find_family(family or _family_of(found, published)), published)
    return _install(spec, write_safetensors(found.arrays), f"weights.{EXTENSION}", notify)


def _install(spec: EmbedderSpec, content: bytes, file_name: str, notify: Notify | None) -> EmbedderSpec:
    """Keep the weights, build the network, measure it, and only then write the card."""
    weights = replace(spec.weights, sha256=hashlib.sha256(content).hexdigest(), size=len(content))
    spec = install(replace(spec, weights=weights), content, file_name)
    try:
        keep_calibration(spec.id, _measure_on_sample_people(spec, notify), IMPORTED)
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
    if (found.network, found.embedding_size) != (family.network, family.embedding_size):
        raise WeightsError(
            f"{file_name} holds {found.network} with {found.embedding_size} numbers, "
            f"but that family is {family.network} with {family.embedding_size}"
        )
    model = published[0] if published else None
    return EmbedderSpec(
        id=name,
        summary=f"{family.summary}; from {file_name} ({found.format})",
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
        mirrored=True,  # as Sandberg evaluated
        licence=model.licence if model else "unknown: the file was not published in this form",
        training_data=model.training_data if model else "unknown",
        lfw=model.lfw if model else "not measured",
        int8=False,
    )


def _onnx_spec(name: str, file_name: str, onnx: OnnxPreprocessing, size: int) -> EmbedderSpec:
    return EmbedderSpec(
        id=name,
        summary=f"an ONNX network, {size} numbers; from {file_name}",
        weights=WeightsSpec(
            network=ONNX, reader=ONNX, file=InstalledFile(Path(file_name)), sha256="", size=0
        ),
        embedding_size=size,
        crop=onnx.crop,
        pixels=onnx.pixels,
        input_size=onnx.crop.size,
        mirrored=True,
        licence="unknown",
        training_data="unknown",
        lfw="not measured",
        int8=False,
    )


def _family_of(found: Recognized, published: tuple[PublishedModel, PublishedFile] | None) -> str:
    if published:
        return published[0].family
    if found.network == "nn4_small2":
        return "openface"
    if found.embedding_size == 128:
        return "sandberg-2017"
    return "facenet-pytorch" if found.format is Format.PYTORCH else "sandberg-2018"


def _measure_on_sample_people(spec: EmbedderSpec, notify: Notify | None) -> Calibration:
    recognizer = Recognizer.from_spec(spec, precision=Precision.FLOAT32, notify=notify)
    (notify or _silent)("measuring on the sample people")
    return calibrate_on_sample_people(recognizer)


def _hashes(path: Path) -> tuple[str, str]:
    """SHA-256 and MD5 of a file; empty for the folder of a checkpoint."""
    try:
        if path.is_dir():
            return "", ""
        if path.stat().st_size > _MOST_BYTES:
            raise UnsupportedFile(f"{path} is larger than any model Kith knows")
        content = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"cannot read {path}: {error.strerror or error}") from None
    return hashlib.sha256(content).hexdigest(), hashlib.md5(content, usedforsecurity=False).hexdigest()


def _require_free(name: str) -> None:
    if not is_id(name):
        raise WeightsError(f"{name!r} cannot be a model's name: letters, digits and hyphens only")
    if name in EMBEDDERS:
        raise WeightsError(f"{name} is the name of a model that came with Kith; choose another with --id")
    if (models_folder() / name / CARD).exists():
        raise WeightsError(f"a model {name} is here already; remove it, or choose another name with --id")


def _id_of(path: Path) -> str:
    """A name made of a file's: facenet_keras.h5 -> facenet-keras."""
    stem = path.name.partition(".")[0] if path.is_file() else path.name
    return re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")[:64] or "model"


def _looks_like_onnx(path: Path) -> bool:
    """ONNX begins with its version, a small number in field 1."""
    if path.is_dir():
        return False
    with path.open("rb") as file:
        return file.read(1) == b"\x08"


_silent: Callable[[str], None] = lambda message: None  # noqa: E731
