"""Settings -> the parts of a recognizer, with networks and detectors that are made up."""

import copy
import multiprocessing
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import FakeDetector

from kith import assembly
from kith.assembly import RecognizerSettings, assemble, recipe_of_crops, recipe_of_embeddings
from kith.catalogue.builtin import DEFAULT_DETECTOR, DEFAULT_EMBEDDER, DETECTORS, EMBEDDERS
from kith.catalogue.calibrations import find_calibration
from kith.catalogue.preprocessing import resize_template
from kith.catalogue.spec import DetectorKind, DetectorSpec
from kith.detection import MTCNN, DetectionSettings, load_detector
from kith.detection import detector as detector_module
from kith.detection.detector import _LOADERS
from kith.errors import DeviceError, InvalidArgument, ModelMismatch, UnknownModel
from kith.gallery import Gallery, NewReference
from kith.recognizer import Recognizer
from kith.records import Face, Template
from kith.runtime import device as device_module
from kith.runtime.device import PROVIDERS, Device
from kith.runtime.prepare import Precision

SPEC = EMBEDDERS[DEFAULT_EMBEDDER]


class FakeNetwork:
    """Gives each crop the colours of its pixels."""

    def run(self, *inputs: np.ndarray) -> list[np.ndarray]:
        means = inputs[0].reshape(len(inputs[0]), -1)[:, : SPEC.embedding_size]
        return [means.astype(np.float32) + 1]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What networks and detectors were asked for."""
    asked: dict[str, Any] = {}

    def ask(name: str, answer: object) -> Callable[..., Any]:
        def make(*arguments: object, **options: object) -> object:
            asked[name] = (arguments, options)
            return answer

        return make

    monkeypatch.setattr(assembly, "prepare", ask("float32", FakeNetwork()))
    monkeypatch.setattr(assembly, "prepare_int8", ask("int8", FakeNetwork()))
    monkeypatch.setattr(assembly, "load_detector", ask("detector", FakeDetector()))
    return asked


def test_everything_has_a_default(made: dict[str, Any]) -> None:
    parts = assemble(RecognizerSettings())
    assert parts.spec == SPEC
    assert parts.precision is Precision.INT8
    assert parts.calibration == find_calibration(DEFAULT_EMBEDDER)
    assert made["detector"][0] == ("mtcnn", None)


def test_settings_are_checked_and_stay_as_they_are() -> None:
    with pytest.raises(InvalidArgument, match="precision must be one of auto, float32, int8, got 'int4'"):
        RecognizerSettings(precision="int4")
    with pytest.raises(InvalidArgument, match="threads must be 0 or more, got -1"):
        RecognizerSettings(threads=-1)
    with pytest.raises(FrozenInstanceError):
        RecognizerSettings().threads = 2  # type: ignore[misc]
    assert len({RecognizerSettings(), RecognizerSettings(), RecognizerSettings(threads=1)}) == 2


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_threads_and_settings_arrive(precision: str, made: dict[str, Any]) -> None:
    detection = DetectionSettings(min_face_size=40)
    assemble(RecognizerSettings("kith-mini", "mtcnn", detection, precision, threads=3))
    arguments, options = made["detector"]
    assert (arguments, options["threads"]) == (("mtcnn", detection), 3)
    arguments, options = made[precision]
    assert (arguments[0], options["threads"]) == (EMBEDDERS["kith-mini"].weights, 3)
    assert set(made) == {"detector", precision}


@pytest.mark.parametrize("proven", [True, False])
def test_auto_is_int8_where_that_was_proven(proven: bool, made: dict[str, Any]) -> None:
    parts = assemble(RecognizerSettings(replace(SPEC, int8=proven)))
    assert parts.precision is (Precision.INT8 if proven else Precision.FLOAT32)
    assert str(parts.precision) in made


@pytest.mark.parametrize("mirrored", [True, False])
def test_the_embedder_does_what_the_spec_says(mirrored: bool, made: dict[str, Any]) -> None:
    embedder = assemble(RecognizerSettings(replace(SPEC, mirrored=mirrored))).embedder
    side = SPEC.crop.size
    crop = np.random.default_rng(0).integers(0, 255, (1, side, side, 3), np.uint8)
    same = np.allclose(embedder.embed(crop), embedder.embed(crop[:, :, ::-1]), atol=1e-6)
    assert same == mirrored


def test_a_model_that_is_not_there(made: dict[str, Any]) -> None:
    with pytest.raises(UnknownModel, match="dlib-resnet92"):
        assemble(RecognizerSettings("dlib-resnet92"))
    with pytest.raises(UnknownModel, match="mtcn"):
        load_detector("mtcn")


def test_every_detector_of_the_catalogue_can_be_loaded() -> None:
    assert {spec.kind for spec in DETECTORS.values()} <= set(_LOADERS)


@pytest.fixture
def other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DetectorSpec:
    """A second detector: what was trained for the first under another name."""
    spec = replace(DETECTORS[DEFAULT_DETECTOR], id="other")
    monkeypatch.setattr("kith.catalogue.installed.DETECTORS", {**DETECTORS, "other": spec})
    monkeypatch.setenv("KITH_MODELS", str(tmp_path))
    return spec


@pytest.mark.parametrize(
    "settings",
    [
        RecognizerSettings(f"{DEFAULT_EMBEDDER}+other"),
        RecognizerSettings(detector_id="other"),
        RecognizerSettings(replace(SPEC, detector="other")),
    ],
    ids=["in the name", "beside it", "the usual one"],
)
def test_the_detector_that_is_named_is_loaded(
    settings: RecognizerSettings, other: DetectorSpec, made: dict[str, Any]
) -> None:
    parts = assemble(settings)
    assert made["detector"][0] == ("other", None)
    assert parts.spec.detector == "other"
    assert assemble(parts.settings).spec == parts.spec, "what was chosen is chosen again"


def test_templates_and_galleries_of_two_detectors_do_not_mix(
    other: DetectorSpec, made: dict[str, Any], tmp_path: Path
) -> None:
    usual, unusual = Recognizer.from_pretrained(), Recognizer.from_pretrained(detector_id="other")
    assert (usual.model_id, unusual.model_id) == (DEFAULT_EMBEDDER, f"{DEFAULT_EMBEDDER}+other")
    with Gallery.open(tmp_path / "gallery.db", model_id=usual.model_id) as gallery:
        face = Face(np.zeros(4, np.float32), np.zeros((5, 2), np.float32), 1.0)
        template = Template(np.eye(SPEC.embedding_size, dtype=np.float32)[0], unusual.model_id)
        with pytest.raises(ModelMismatch, match=f"the template is of {DEFAULT_EMBEDDER}\\+other"):
            gallery.enroll("Ada", [NewReference(template, face, "ada.jpg", "")])
    with pytest.raises(ModelMismatch, match=f"cannot be compared with {DEFAULT_EMBEDDER}\\+other's"):
        Gallery.open(tmp_path / "gallery.db", model_id=unusual.model_id)
    with pytest.raises(ModelMismatch):
        usual.compare(template, Template(template.embedding, usual.model_id))


def test_an_embedders_network_is_the_same_for_all_detectors(
    other: DetectorSpec, made: dict[str, Any]
) -> None:
    keys = set()
    for detector_id in ("mtcnn", "other"):
        assemble(RecognizerSettings(precision="int8", detector_id=detector_id))
        keys.add(made["int8"][1]["inputs_key"])
    assert len(keys) == 1


def test_a_recognizer_is_pickled_as_its_settings(made: dict[str, Any]) -> None:
    recognizer = Recognizer.from_pretrained(precision="float32", threads=2)
    assert recognizer.settings == RecognizerSettings(
        SPEC, "mtcnn", precision=Precision.FLOAT32, threads=2, device="cpu"
    )
    recognizer.calibration = replace(recognizer.calibration, measured_on="elsewhere")
    for other in (pickle.loads(pickle.dumps(recognizer)), copy.copy(recognizer)):
        assert other.settings == recognizer.settings
        assert other.calibration == recognizer.calibration
        assert other.recipe == recognizer.recipe


def test_a_pickled_one_is_what_was_chosen_also_where_auto_would_now_be_another(made: dict[str, Any]) -> None:
    pickled = pickle.dumps(Recognizer.from_settings(RecognizerSettings(replace(SPEC, int8=False))))
    assert pickle.loads(pickled).precision is Precision.FLOAT32


def test_settings_survive_a_spawned_process() -> None:
    settings = RecognizerSettings(
        "kith-mini", detection=DetectionSettings(min_face_size=50), precision="int8", threads=1
    )
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(copy.copy, (settings,)) == settings


def mtcnn(**settings: object) -> MTCNN:
    return MTCNN(None, None, None, DetectionSettings(**settings))


@pytest.mark.parametrize(
    "other", [{"min_face_size": 40}, {"thorough": False}, {"turned": False}, {"longest_side": 640}]
)
def test_other_settings_of_the_detector_are_another_recipe(other: dict[str, object]) -> None:
    assert recipe_of_crops(mtcnn(**other), SPEC.crop) != recipe_of_crops(mtcnn(), SPEC.crop)
    assert recipe_of_crops(mtcnn(), SPEC.crop) == recipe_of_crops(mtcnn(), SPEC.crop)


def test_the_recipe_of_crops_knows_nothing_of_the_embedder_and_all_of_the_alignment() -> None:
    other = replace(SPEC, mirrored=not SPEC.mirrored, id="another")
    keys = [recipe_of_embeddings(mtcnn(), spec, Precision.FLOAT32) for spec in (SPEC, other)]
    assert keys[0] != keys[1]
    smaller = resize_template(SPEC.crop, 112)
    assert recipe_of_crops(mtcnn(), smaller) != recipe_of_crops(mtcnn(), SPEC.crop)


@pytest.mark.parametrize(
    "change",
    [
        {"mirrored": not SPEC.mirrored},
        {"crop": resize_template(SPEC.crop, SPEC.crop.size, 1.01)},
        {"pixels": replace(SPEC.pixels, divisor=255.0)},
    ],
    ids=["mirror", "alignment", "pixels"],
)
def test_int8_is_made_anew_where_its_inputs_are_others(
    change: dict[str, object], made: dict[str, Any]
) -> None:
    keys = []
    for spec in (SPEC, replace(SPEC, **change)):
        assemble(RecognizerSettings(spec, precision="int8"))
        keys.append(made["int8"][1]["inputs_key"])
    assert keys[0] != keys[1]


def test_int8_is_the_same_whatever_is_looked_for(made: dict[str, Any]) -> None:
    keys = set()
    for size in (20, 60):
        detection = DetectionSettings(min_face_size=size)
        assemble(RecognizerSettings(precision="int8", detection=detection))
        keys.add(made["int8"][1]["inputs_key"])
    assert len(keys) == 1


@pytest.fixture
def devices(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The providers that ONNX Runtime has."""
    names = {provider.name for provider in PROVIDERS.values()}
    monkeypatch.setattr(assembly, "available_providers", lambda: names)
    device_module._tell_once.cache_clear()
    return names


@pytest.mark.parametrize("device", [one for one in PROVIDERS if one is not Device.CPU])
def test_a_device_arrives_with_its_precision_and_batch(
    device: Device, devices: set[str], made: dict[str, Any]
) -> None:
    recognizer = Recognizer.from_pretrained(device=str(device))
    assert made["detector"][1]["device"] is device
    assert made["float32"][1]["device"] is device
    assert "int8" not in made, "which is for processors"
    assert recognizer.device is device
    assert recognizer.embedder._at_once == PROVIDERS[device].at_once


def test_the_processor_is_not_auto(devices: set[str], made: dict[str, Any]) -> None:
    assert assemble(RecognizerSettings(device="cpu")).precision is Precision.INT8
    assert assemble(RecognizerSettings(device="auto")).settings.device is Device.CUDA
    assert assemble(RecognizerSettings(precision="int8")).settings.device is Device.CPU


def test_auto_that_ends_on_the_processor_has_its_precision(
    devices: set[str],
    made: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail_elsewhere(*_: object, device: Device, **__: object) -> FakeDetector:
        if device is not Device.CPU:
            raise DeviceError(f"{device}: no driver")
        return FakeDetector()

    monkeypatch.setattr(assembly, "load_detector", fail_elsewhere)
    parts = assemble(RecognizerSettings())
    assert (parts.settings.device, parts.precision) == (Device.CPU, Precision.INT8)
    assert [record.getMessage() for record in caplog.records] == [
        f"kith: {device}: no driver; another device is used instead"
        for device in ("cuda", "directml", "openvino")
    ]
    with pytest.raises(DeviceError, match="cuda: no driver"):
        assemble(RecognizerSettings(device="cuda"))


def test_a_device_must_run_the_embedder_before_it_is_relied_on(
    devices: set[str], made: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    class OutOfMemory:
        def run(self, *inputs: np.ndarray) -> list[np.ndarray]:
            raise DeviceError("cuda: out of memory")

    monkeypatch.setattr(assembly, "prepare", lambda *_, **__: OutOfMemory())
    with pytest.raises(DeviceError, match="out of memory"):
        assemble(RecognizerSettings(device="cuda"))


def test_a_detector_must_run_before_it_is_relied_on(monkeypatch: pytest.MonkeyPatch) -> None:
    class OutOfMemory(FakeDetector):
        def detect(self, image: np.ndarray) -> list:
            raise DeviceError("cuda: out of memory")

    monkeypatch.setattr(detector_module, "available_providers", lambda: {"CUDAExecutionProvider"})
    monkeypatch.setattr(
        detector_module, "_LOADERS", dict.fromkeys(DetectorKind, lambda *_, **__: OutOfMemory())
    )
    with pytest.raises(DeviceError, match="out of memory"):
        load_detector(device=Device.CUDA)
    assert isinstance(load_detector(device=Device.CPU), OutOfMemory), "which needs no trial"


def test_a_device_makes_no_other_recipe(devices: set[str], made: dict[str, Any]) -> None:
    """All devices compute in float32, and what differs is rounding."""
    recipes = {
        Recognizer.from_pretrained(device=str(device), precision="float32").recipe for device in PROVIDERS
    }
    assert len(recipes) == 1


@pytest.mark.parametrize(("asked", "said"), [({"device": "tpu"}, "device must be one of auto, cpu, cuda")])
def test_no_device_is_refused(asked: dict[str, str], said: str) -> None:
    with pytest.raises(InvalidArgument, match=said):
        RecognizerSettings(**asked)


def test_int8_is_for_processors() -> None:
    with pytest.raises(InvalidArgument, match="int8 is for processors; on cuda"):
        RecognizerSettings(device="cuda", precision="int8")
    RecognizerSettings(device="cpu", precision="int8")
