"""What a recognizer is made of: settings -> detector, embedder, calibration; and the key that names it.

A recipe is that key: text that is other where faces are found, cut out or embedded otherwise. Whatever is
cached or kept of faces is kept under the recipe that made it, so that nothing of another recipe is taken
for its own.
"""

import hashlib
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from kith.catalogue.builtin import DEFAULT_DETECTOR, DEFAULT_EMBEDDER
from kith.catalogue.calibrations import find_calibration
from kith.catalogue.landmarks import crop_for
from kith.catalogue.pair import find_pair
from kith.catalogue.preprocessing import CropRule
from kith.catalogue.spec import DetectorKind, EmbedderSpec
from kith.decisions.calibration import Calibration
from kith.detection import DetectionSettings, Detector, load_detector
from kith.embedding import Embedder, views_of
from kith.errors import InvalidArgument
from kith.files import digest_of_code
from kith.progress import SILENT, Progress
from kith.records import FloatArray
from kith.runtime.device import PROVIDERS, Device, on_device
from kith.runtime.prepare import CODE_OF_NETWORKS, Precision, prepare, prepare_int8
from kith.runtime.session import Session, available_providers
from kith.runtime.workshop import workshop
from kith.sample_crops import sample_crops
from kith.sample_people import photos as sample_photos

_CODE_OF_CROPS = (
    "alignment.py",
    "boxes.py",
    "detection/*.py",
    "images/*.py",
    *CODE_OF_NETWORKS,
)
_CODE_OF_EMBEDDINGS = ("embedding.py", "decisions/cosine.py")


@dataclass(frozen=True, slots=True)
class RecognizerSettings:
    """What a recognizer is made of; it can be pickled, and two processes make the same of it.

    Attributes:
        model: The embedder's name, of `kith models list`, or a pair's: EMBEDDER+DETECTOR; or an embedder that
            need not be installed.
        detector_id: The detector's name; empty for the one that the model names, or else its usual one.
        detection: What the detector looks for; None for the usual.
        precision: How the embedder computes: "float32", "int8", or "auto": int8 where that keeps the
            embeddings.
        threads: How many threads may be used; 0 means one per core.
        device: Where networks run: "cpu", "cuda", "openvino", "coreml", "directml"; or "auto": the best that
            is installed and works, and else the processor.

    Raises:
        InvalidArgument: There is no such precision, device or number of threads; or int8 is wanted elsewhere
            than on the processor.
    """

    model: str | EmbedderSpec = DEFAULT_EMBEDDER
    detector_id: str = ""
    detection: DetectionSettings | None = None
    precision: Precision | str = Precision.AUTO
    threads: int = 0
    device: Device | str = Device.AUTO

    def __post_init__(self) -> None:
        if self.precision not in tuple(Precision):
            raise InvalidArgument(f"precision must be one of {', '.join(Precision)}, got {self.precision!r}")
        if self.threads < 0:
            raise InvalidArgument(f"threads must be 0 or more, got {self.threads}")
        if self.device not in tuple(Device):
            raise InvalidArgument(f"device must be one of {', '.join(Device)}, got {self.device!r}")
        if self.precision == Precision.INT8 and self.device not in (Device.AUTO, Device.CPU):
            raise InvalidArgument(
                f"int8 is for processors; on {self.device} use the precision float32 or auto"
            )


class Parts(NamedTuple):
    """What was made of settings.

    Attributes:
        detector: Finds faces.
        embedder: Embeds crops.
        spec: The embedder as it is used with this detector, under the pair's name.
        calibration: What its scores mean.
        precision: How its network computes.
        settings: With the embedder, detector and device that were chosen: they make the same, whatever is
            installed meanwhile.
    """

    detector: Detector
    embedder: Embedder
    spec: EmbedderSpec
    calibration: Calibration
    precision: Precision
    settings: RecognizerSettings


@workshop()  # one for all that must be made
def assemble(settings: RecognizerSettings, progress: Progress = SILENT) -> Parts:
    """Load a detector and an embedder; the first time they are compiled, which takes seconds.

    Args:
        settings: Which.
        progress: Told what is being done while models are compiled.

    Raises:
        WeightsError: A model cannot be had or read.
        MissingExtra: What runs networks on the device that is wanted is not installed.
        DeviceError: It is, but does not work here.
    """
    wanted = Device(settings.device)
    if wanted is Device.AUTO and settings.precision == Precision.INT8:
        wanted = Device.CPU
    return on_device(wanted, available_providers(), lambda device: _assemble_on(device, settings, progress))


def _assemble_on(device: Device, settings: RecognizerSettings, progress: Progress) -> Parts:
    pair = find_pair(settings.model, settings.detector_id)
    spec = pair.spec
    precision = Precision(settings.precision)
    if precision is Precision.AUTO:
        precision = Precision.INT8 if spec.int8 and device is Device.CPU else Precision.FLOAT32
    threads = settings.threads
    detector = load_detector(
        spec.detector, settings.detection, threads=threads, device=device, progress=progress
    )
    embedder = Embedder(
        _network(pair.embedder, precision, threads, device, progress),
        crop_size=spec.crop.size,
        input_size=spec.input_size,
        embedding_size=spec.embedding_size,
        pixels=spec.pixels,
        mirrored=spec.mirrored,
        at_once=PROVIDERS[device].at_once,
    )
    if device is not Device.CPU:  # what a device cannot do is known before anyone relies on it
        embedder.embed(np.zeros((1, spec.crop.size, spec.crop.size, 3), np.uint8))
    chosen = replace(settings, model=pair.embedder, detector_id=pair.detector.id, device=device)
    return Parts(detector, embedder, spec, find_calibration(spec.id), precision, chosen)


def recipe_of_crops(detector: Detector, crop: CropRule) -> str:
    """What makes crops: the detector and its settings, the alignment, and the code of both."""
    return _key(detector.recipe, repr(crop), digest_of_code(*_CODE_OF_CROPS))


def recipe_of_embeddings(detector: Detector, spec: EmbedderSpec, precision: Precision) -> str:
    """What makes embeddings: what makes their crops, the embedder with all that is done to a crop before it,
    its precision, and the code of all."""
    made_by = _key(
        recipe_of_crops(detector, spec.crop), _embedding_of(spec), digest_of_code(*_CODE_OF_EMBEDDINGS)
    )
    return f"{spec.id} {precision} {made_by}"


def _embedding_of(spec: EmbedderSpec) -> str:
    """All of an embedder but how faces are cut out for it."""
    weights = spec.weights
    network = (weights.sha256, weights.reader, weights.network, weights.embedding_size, weights.input_size)
    return repr((network, spec.embedding_size, spec.pixels, spec.input_size, spec.mirrored))


def _key(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _network(
    spec: EmbedderSpec, precision: Precision, threads: int, device: Device, progress: Progress
) -> Session:
    if precision is Precision.FLOAT32:
        return prepare(spec.weights, threads=threads, device=device, progress=progress)
    return prepare_int8(
        spec.weights,
        lambda: _sample_inputs(spec),
        inputs_key=_recipe_of_sample_inputs(spec),
        threads=threads,
        progress=progress,
    )


def _sample_inputs(spec: EmbedderSpec) -> FloatArray:
    """Real inputs of an embedder: the sample people's faces, again with twice their contrast, mirrored too
    where it sees mirror images.

    They are what the default detector finds, so that a network is the same whatever else is looked for.
    """
    crops, _ = sample_crops(load_detector(), crop_for(spec.crop, DetectorKind.MTCNN))
    # blended faces have less contrast than photos: their ranges alone would cut off what photos reach
    crops = np.concatenate([crops, [_with_twice_the_contrast(crop) for crop in crops]])
    views = views_of(crops, spec.input_size, spec.pixels, mirrored=spec.mirrored)
    return np.stack(list(views), axis=1).reshape(-1, spec.input_size, spec.input_size, 3)


def _with_twice_the_contrast(crop: np.ndarray) -> np.ndarray:
    values = crop.astype(np.float32)
    return np.asarray(np.clip(2 * values - values.mean(), 0, 255), np.uint8)


def _recipe_of_sample_inputs(spec: EmbedderSpec) -> str:
    """Other when other photos, or other views of them, calibrate."""
    photos = (hashlib.sha256(photo.read_bytes()).hexdigest() for photo in sample_photos())
    code = digest_of_code(*_CODE_OF_CROPS, *_CODE_OF_EMBEDDINGS, "assembly.py", "sample_crops.py")
    return _key(DEFAULT_DETECTOR, repr(spec.crop), _embedding_of(spec), code, *photos)
