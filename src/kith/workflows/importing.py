"""A file of weights -> an installed model.

The format and the network show in the file itself, the family in both; what was published is told by
its hash. What names, shapes and values tell of wrong weights is asked first, since it takes no time. A
model is installed only when its network was built and has embedded the sample people.
"""

import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from kith.assembly import RecognizerSettings
from kith.catalogue.acceptance import require_accepted
from kith.catalogue.builtin import DEFAULT_DETECTOR, DETECTORS, EMBEDDERS
from kith.catalogue.calibrations import IMPORTED, keep_calibration, shipped_calibration, unmeasured
from kith.catalogue.families import Family, PublishedThreshold, find_family
from kith.catalogue.installed import (
    install,
    is_here,
    is_id,
    whole_or_not_at_all,
    write_card,
)
from kith.catalogue.lock import only_one
from kith.catalogue.packs import read_pack
from kith.catalogue.preprocessing import (
    ColorOrder,
    CropRule,
    FixedScaling,
    PixelRule,
    SimilarityCrop,
    resize_template,
)
from kith.catalogue.published import (
    PUBLISHED,
    PUBLISHED_DETECTORS,
    find_published_detector,
    find_published_file,
)
from kith.catalogue.published.entries import PublishedFile, PublishedModel
from kith.catalogue.spec import ONNX, DetectorSpec, EmbedderSpec, InstalledFile, WeightsSpec
from kith.decisions.calibration import Calibration
from kith.errors import Remedy, UnsupportedFile, WeightsError
from kith.progress import SILENT, Progress
from kith.recognizer import Recognizer
from kith.runtime.adopt_detector import AdoptedDetector
from kith.runtime.prepare import Precision
from kith.runtime.trial import Adopted, adopt_in_bounds
from kith.weights.recognize import Format, Recognized, recognize_file
from kith.weights.regular_file import open_regular, read_regular
from kith.weights.safetensors import EXTENSION, write_safetensors
from kith.weights.tensorflow_files import find_checkpoint
from kith.weights.usable import require_usable
from kith.workflows.detectors import (
    install_packed_detector,
    install_published_detector,
    install_unknown_detector,
    is_at_hand,
    read_detector,
)
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
class Found:
    """A model that was read and is to be installed.

    Attributes:
        spec: All but where its weights are.
        content: Of the weights file.
        file_name: Of the weights file.
        threshold: What was published of its family.
        known_as: The name under which it was published; empty if it is not known to be.
    """

    spec: EmbedderSpec
    content: bytes
    file_name: str
    threshold: PublishedThreshold | None = None
    known_as: str = ""


def import_file(
    path: str | os.PathLike[str],
    *,
    model_id: str | None = None,
    family: str | None = None,
    onnx: OnnxPreprocessing | None = None,
    mirrored: bool = False,
    accept_license: bool = False,
    progress: Progress = SILENT,
) -> EmbedderSpec | DetectorSpec:
    """Install the model of a file, or of the files of a TensorFlow checkpoint given one of them.

    Args:
        path: The file.
        model_id: Its name from now on; made of the file's name if None.
        family: How it was trained; told from the network and the format if None.
        onnx: Needed for an ONNX file whose family is not known, and only for that.
        mirrored: Whether a face's mirror image is embedded too and added: twice the work, mostly somewhat
            better, and no longer the embeddings that others have of the same file.
        accept_license: Whether the license of a published model is accepted, where it forbids commercial use.
        progress: Told what is being done, and what is odd about the model.

    Raises:
        LicenseNotAccepted: It forbids commercial use.
        WeightsError: The file cannot be read, is of no known kind, holds no network that embeds faces, or a
            model of this name is here.
    """
    path = Path(path)
    progress.begin(f"reading {path.name}")
    if family is not None:
        find_family(family)
    try:
        sha256, md5 = _hashes(path)
        published, detector = find_published_file(sha256, md5), find_published_detector(sha256)
        if detector and (family or onnx or mirrored):
            raise WeightsError(f"{path} is a detector, {detector.id}; nothing is to be said of how it embeds")
        model = published[0] if published else detector
        if model:
            require_accepted(model.license, str(path), Remedy.ACCEPT_AND_IMPORT, accept=accept_license)
        name = _free_name(path, model_id, model.id if model else "")
        install: Callable[[], EmbedderSpec | DetectorSpec]
        if detector:
            install = partial(install_published_detector, detector, read_regular(path), name)
        elif not (published or family or onnx) and (adopted := _read_unknown_detector(path)):
            install = partial(install_unknown_detector, adopted, path.name, name)
        else:
            found = read_embedder(path, name, published=published, family=family, onnx=onnx)
            found = replace(found, spec=replace(found.spec, mirrored=mirrored))
            install = partial(install_found, found, progress)
        if published and published[1].members:
            install_packed_detector(path, *published, progress)
    except OSError as error:
        raise WeightsError(f"cannot read {path}: {error.strerror or error}") from None
    with only_one(name, progress):
        require_free(name, model.id if model else "")  # again: another process may have been quicker
        return install()


def _read_unknown_detector(path: Path) -> AdoptedDetector | None:
    return read_detector(read_regular(path, _MOST_BYTES)) if _looks_like_onnx(path) else None


def read_embedder(
    path: Path,
    name: str,
    *,
    published: tuple[PublishedModel, PublishedFile] | None = None,
    family: str | None = None,
    onnx: OnnxPreprocessing | None = None,
) -> Found:
    """Read an embedder's file.

    Args:
        path: The file.
        name: The embedder's name from now on.
        published: The model that it is of, and the file that it is, if it was published.
        family: How it was trained; as its publishers say, or as the file tells, if None.
        onnx: What an ONNX file cannot tell of itself, and its family does not.

    Raises:
        UnsupportedFile: The file is damaged, or holds no embedder.
        ChecksumMismatch: What is in a published zip is not what was published.
        WeightsError: There is no such family, or nobody says what an ONNX file cannot.
        OSError: It cannot be read.
    """
    if family is None and published:
        family = published[0].family
    trained = find_family(family) if family is not None else None
    if onnx is None and trained is not None and trained.network == ONNX:
        onnx = OnnxPreprocessing(trained.crop, trained.pixels, trained.color, trained.input_size)
    if onnx is not None:
        members = published[1].members if published else ()
        data = read_pack(path, members[:1])[0] if members else read_regular(path, _MOST_BYTES)
        found = _adopt(data, name, path.name, trained, onnx)
    elif _looks_like_onnx(path):
        raise WeightsError(
            f"{path} is an ONNX file, which does not say what was done to a face before it: "
            "how it is cut out, for one",
            remedy=Remedy.DESCRIBE_ONNX,
        )
    else:
        found = _read_weights(path, name, trained)
    return _as_published(found, published[0]) if published else found


def _as_published(found: Found, model: PublishedModel) -> Found:
    """With what its publishers tell of it."""
    spec = replace(
        found.spec,
        license=model.license.text,
        use=model.license.use,
        training_data=model.training_data,
        lfw=model.lfw,
        detector=model.detector,
    )
    return replace(found, spec=spec, known_as=model.id)


def _adopt(data: bytes, name: str, file_name: str, family: Family | None, onnx: OnnxPreprocessing) -> Found:
    summary = family.summary if family else "an ONNX network"
    threshold = family.threshold if family else None
    adopted = adopt_in_bounds(data, size=onnx.size, color=onnx.color, output=onnx.output)
    summary = f"{summary}, {adopted.embedding_size} numbers; from {file_name}"
    return Found(_onnx_spec(name, summary, onnx, adopted), adopted.content, "weights.onnx", threshold)


def _read_weights(path: Path, name: str, family: Family | None) -> Found:
    """Read a file and refuse what can be refused before a network is built."""
    found = recognize_file(path)
    family = family or find_family(_family_of(found))
    spec = _spec(name, path.name, found, family)
    require_usable(found)
    return Found(spec, write_safetensors(found.arrays), f"weights.{EXTENSION}", family.threshold)


def install_found(found: Found, progress: Progress) -> EmbedderSpec:
    """Keep the weights, build the network, look at the sample people, and only then write the card.

    Args:
        found: The model.
        progress: Told what is being done, and what is odd about the model.

    Raises:
        WeightsError: It cannot be kept, or is no network that embeds faces.
    """
    content = found.content
    weights = replace(found.spec.weights, sha256=hashlib.sha256(content).hexdigest(), size=len(content))
    spec = install(replace(found.spec, weights=weights), content, found.file_name)
    with whole_or_not_at_all(spec.id):
        keep_calibration(spec.id, _what_is_known(found, _measure_on_sample_people(spec, progress)), IMPORTED)
        write_card(spec)
    return spec


def _what_is_known(found: Found, seen: Calibration) -> Calibration:
    """What a new model's scores mean: measured here before, or published; never by the sample people."""
    measured = shipped_calibration(found.known_as) if found.known_as else None
    return measured or replace(
        unmeasured(found.threshold),
        unrecognizable=seen.unrecognizable,
        usual_distance=seen.usual_distance,
    )


def _spec(name: str, file_name: str, found: Recognized, family: Family) -> EmbedderSpec:
    if found.network != family.network:
        raise WeightsError(f"{file_name} holds {found.network}, but that family is {family.network}")
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
        license="unknown: the file was not published in this form",
        training_data="unknown",
        lfw="not measured",
        int8=False,
    )


def _onnx_spec(name: str, summary: str, onnx: OnnxPreprocessing, adopted: Adopted) -> EmbedderSpec:
    return EmbedderSpec(
        id=name,
        summary=summary,
        weights=WeightsSpec(
            network=ONNX, reader=ONNX, file=InstalledFile(Path("weights.onnx")), sha256="", size=0
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


def _family_of(found: Recognized) -> str:
    if found.network == "nn4_small2":
        return "openface"
    if found.network == "mobilefacenet":
        return "arcface-mobilefacenet"
    if found.embedding_size == 128:
        return "sandberg-2017"
    return "facenet-pytorch" if found.format is Format.PYTORCH else "sandberg-2018"


def _measure_on_sample_people(spec: EmbedderSpec, progress: Progress) -> Calibration:
    detector = spec.detector
    if not is_at_hand(detector):
        progress.say(f"{spec.id} is usually used with {detector}, which is not here yet")
        detector = DEFAULT_DETECTOR
    recognizer = Recognizer.from_settings(
        RecognizerSettings(spec, detector, precision=Precision.FLOAT32), progress=progress
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


def require_free(name: str, known_as: str = "") -> None:
    """Make sure that a model of this name can be installed.

    Args:
        name: The name.
        known_as: The name under which the model was published, if it was.

    Raises:
        WeightsError: The name is none, or is another model's.
    """
    if not is_id(name):
        raise WeightsError(
            f"{name!r} cannot be a model's name: letters, digits, hyphens, underscores and points only"
        )
    if name in EMBEDDERS or name in DETECTORS:
        raise WeightsError(f"{name} is the name of a model that came with Kith; choose another")
    if name != known_as and (name in PUBLISHED or name in PUBLISHED_DETECTORS):
        raise WeightsError(f"{name} is the name of a published model; choose another")
    if is_here(name):
        raise WeightsError(f"a model {name} is here already; remove it, or choose another name")


def _free_name(path: Path, model_id: str | None, known_as: str) -> str:
    """The name that was chosen, else the published one, else one made of the file's; free."""
    name = (known_as or _id_of(path)) if model_id is None else model_id
    require_free(name, known_as)
    return name


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
