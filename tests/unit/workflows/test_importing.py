"""A file -> an installed model that embeds as the file's network does."""

import hashlib
import json
import os
import re
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from recipes import Arrays, facenet_pytorch, openface, sandberg
from witness import Witness
from write_keras_h5 import write_facenet_keras
from write_onnx import write_onnx, write_onnx_with
from write_pytorch import write_pytorch
from write_tensorflow import write_checkpoint
from write_torch7 import write_openface

from kith.catalogue import installed
from kith.catalogue.calibrations import UNMEASURED, find_calibration
from kith.catalogue.files import read_weights
from kith.catalogue.installed import find_embedder, installed_ids, models_folder, read_card, remove
from kith.catalogue.preprocessing import (
    ARCFACE_CROP,
    AffineCrop,
    ColorOrder,
    FixedScaling,
    MarginUnit,
    Whitening,
    resize_template,
)
from kith.catalogue.published import PUBLISHED
from kith.catalogue.spec import EmbedderSpec
from kith.decisions.calibration import Calibration
from kith.decisions.cosine import normalize
from kith.errors import DownloadFailed, Remedy, UnknownModel, UnsupportedFile, WeightsError
from kith.recognizer import Recognizer
from kith.runtime import keras_models
from kith.runtime.prepare import prepare
from kith.weights.recognize import recognize_file
from kith.weights.safetensors import write_safetensors
from kith.weights.shapes import shapes_of
from kith.workflows import converting, importing, pulling
from kith.workflows.converting import Target, convert
from kith.workflows.importing import OnnxPreprocessing, import_file
from kith.workflows.pulling import pull


@pytest.fixture(autouse=True)
def models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("KITH_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is built, which takes ten seconds, where a test asks for something else."""
    monkeypatch.setattr(importing, "_measure_on_sample_people", lambda *arguments: UNMEASURED)


def openface_file(shared: Path, tmp_path: Path) -> Path:
    path = tmp_path / "nn4.small2.v1.t7"
    path.write_bytes(write_openface(openface(shared)))
    return path


def test_openface_is_installed_whole(shared: Path, tmp_path: Path, models: Path) -> None:
    spec = import_file(openface_file(shared, tmp_path))
    assert spec.id == "nn4"
    assert installed_ids() == ["nn4"]
    assert read_card("nn4") == find_embedder("nn4") == spec
    assert {path.name for path in (models / "nn4").iterdir()} == {
        "model.json",
        "weights.safetensors",
        "calibration.json",
    }
    calibration = find_calibration("nn4")
    assert calibration.measured_on == "nothing yet", "eight sample people are no calibration"
    assert calibration.verification_policy().threshold == 1.0
    assert len(calibration.unrecognizable) == 128
    recognizer = Recognizer.from_pretrained("nn4")
    assert recognizer.model_id == "nn4"
    assert recognizer.calibration.to_json() == calibration.to_json()
    assert remove("nn4") > 10_000_000
    assert not (models / "nn4").exists()
    with pytest.raises(UnknownModel):
        find_embedder("nn4")


def test_an_installed_network_computes_what_the_file_says(shared: Path, tmp_path: Path) -> None:
    spec = import_file(openface_file(shared, tmp_path))
    content = json.loads((shared / "parity/openface_nn4_small2.json").read_text())
    crops = np.random.default_rng(0).integers(0, 256, (2, 96, 96, 3)).astype(np.float32) / 255
    (found,) = prepare(spec.weights).run(crops)
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    assert np.abs(found - np.array(content["embeddings_l2_normalized"])).max() < 1e-5


FAMILIES = [
    ("facenet_keras.h5", write_facenet_keras, lambda shared: sandberg(shared, 128), "sandberg-2017"),
    ("20180402.h5", write_facenet_keras, lambda shared: sandberg(shared, 512), "sandberg-2018"),
    ("vggface2.pt", write_pytorch, facenet_pytorch, "facenet-pytorch"),
]


@pytest.mark.parametrize(("name", "write", "weights", "family"), FAMILIES, ids=lambda value: str(value)[:20])
def test_the_family_is_told_from_the_file(
    name: str,
    write: Callable[[Arrays], bytes],
    weights: Callable[[Path], Arrays],
    family: str,
    shared: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec = _import_unmeasured(tmp_path / name, write(weights(shared)), monkeypatch)
    assert isinstance(spec.pixels, Whitening) == (family == "sandberg-2017")
    assert spec.crop.unit is (MarginUnit.CROP if family == "facenet-pytorch" else MarginUnit.SOURCE)
    assert spec.embedding_size == (128 if family == "sandberg-2017" else 512)
    assert (spec.crop.size, spec.input_size) == (160, 160)


def _import_unmeasured(path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch) -> EmbedderSpec:
    """Without building the network, which takes ten seconds; `test_tutorial.py` does that."""
    from kith.workflows import importing

    path.write_bytes(content)
    monkeypatch.setattr(importing, "_measure_on_sample_people", lambda *arguments: UNMEASURED)
    return import_file(path)


def test_a_checkpoint_is_imported_by_its_folder(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kith.workflows import importing

    folder = tmp_path / "20170512-110547"
    folder.mkdir()
    index, data = write_checkpoint(sandberg(shared))
    (folder / "m.ckpt-1.index").write_bytes(index)
    (folder / "m.ckpt-1.data-00000-of-00001").write_bytes(data)
    monkeypatch.setattr(importing, "_measure_on_sample_people", lambda *arguments: UNMEASURED)
    spec = import_file(folder)
    assert (spec.id, spec.embedding_size) == ("20170512-110547", 128)
    assert (models_folder() / spec.id / "weights.safetensors").is_file()


def test_a_checkpoint_is_imported_by_its_prefix(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As TensorFlow calls it; no file has this name."""
    from kith.workflows import importing

    index, data = write_checkpoint(sandberg(shared))
    (tmp_path / "model.ckpt-1.index").write_bytes(index)
    (tmp_path / "model.ckpt-1.data-00000-of-00001").write_bytes(data)
    monkeypatch.setattr(importing, "_measure_on_sample_people", lambda *arguments: UNMEASURED)
    assert import_file(tmp_path / "model.ckpt-1").embedding_size == 128


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "weights.h5")
    with pytest.raises(UnsupportedFile, match="a pipe"):
        import_file(tmp_path / "weights.h5")


def test_a_published_file_is_told_by_its_hash(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    content = write_openface(openface(shared))
    model = PUBLISHED["openface-nn4-small2"]
    file = replace(model.files[0], md5=hashlib.md5(content).hexdigest())
    monkeypatch.setitem(PUBLISHED, model.id, replace(model, files=(file,)))
    spec = _import_unmeasured(tmp_path / "renamed.bin", content, monkeypatch)
    assert spec.id == "openface-nn4-small2"
    assert (spec.license, spec.use, spec.lfw) == (model.license.text, model.license.use, model.lfw)


def test_a_published_model_that_is_not_here_says_how_to_get_it() -> None:
    with pytest.raises(DownloadFailed, match="facenet-20180402-114759 is not on this machine"):
        find_embedder("facenet-20180402-114759")


def test_names_that_are_taken_or_none(tmp_path: Path, unmeasured: None) -> None:
    path = own_file(tmp_path)
    with pytest.raises(WeightsError, match="name of a model that came with Kith"):
        import_file(path, model_id="dlib-resnet29")
    with pytest.raises(WeightsError, match="cannot be a model's name"):
        import_file(path, model_id="../evil")
    with pytest.raises(WeightsError, match="'' cannot be a model's name"):
        import_file(path, model_id="")
    import_file(path, model_id="mine")
    with pytest.raises(WeightsError, match="a model mine is here already"):
        import_file(path, model_id="mine")


def test_another_family_than_the_networks_is_refused(shared: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="holds nn4_small2, but that family is inception_resnet_v1"):
        import_file(openface_file(shared, tmp_path), family="sandberg-2017")
    with pytest.raises(WeightsError, match="unknown family ''"):
        import_file(openface_file(shared, tmp_path), family="")
    with pytest.raises(WeightsError, match="unknown family 'openfaces'; known families: .*openface"):
        import_file(openface_file(shared, tmp_path), family="openfaces")
    assert installed_ids() == []


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "known format"),
        (b"<html>", "known format"),
        (b"\x08\x07\x12\x00", "damaged, or no ONNX file"),
    ],
)
def test_files_of_no_use(content: bytes, complaint: str, tmp_path: Path, models: Path) -> None:
    path = tmp_path / "file.bin"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=complaint):
        import_file(path)
    assert not models.exists()


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="cannot read .*missing"):
        import_file(tmp_path / "missing.h5")


def random_weight(name: str, shape: tuple[int, ...]) -> np.ndarray:
    generator = np.random.default_rng(len(name))
    if name.endswith("/kernel"):
        values = generator.standard_normal(shape) * np.sqrt(2 / np.prod(shape[:-1]))
    elif name.endswith(("/gamma", "/moving_variance")):
        values = generator.uniform(0.8, 1.2, shape)
    else:
        values = 0.1 * generator.standard_normal(shape)
    return values.astype(np.float32)


def own_file(folder: Path, size: int = 128, **changed: np.ndarray) -> Path:
    """Random weights of OpenFace's network, some of them changed, in our own form."""
    arrays = {name: random_weight(name, shape) for name, shape in shapes_of("nn4_small2", size).items()}
    path = folder / "own.safetensors"
    path.write_bytes(write_safetensors({**arrays, **changed}))
    return path


def test_embeddings_of_another_length(tmp_path: Path, unmeasured: None) -> None:
    spec = import_file(own_file(tmp_path, size=200))
    assert (spec.embedding_size, spec.summary) == (
        200,
        "OpenFace's nn4.small2, 200 numbers; from own.safetensors (safetensors)",
    )
    assert keras_models.load_keras(spec.weights).output_shape == (None, 200)


WRONG = [
    ({"conv1/kernel": np.zeros((7, 7, 3, 64), np.float32)}, "holds nothing but zeros"),
    ({"embedding/kernel": np.full((736, 128), np.nan, np.float32)}, "not finite numbers"),
    ({"conv1_norm/moving_variance": np.full(64, -1, np.float32)}, "negative variance"),
    ({"conv1/kernel": np.ones((7, 7, 64, 3), np.float32)}, r"conv1/kernel has shape \(7, 7, 64, 3\)"),
    ({"more/kernel": np.ones((1, 1), np.float32)}, "has no place for 'more/kernel'"),
    ({"embedding/kernel": np.ones((736, 9000), np.float32)}, "9000 numbers; 8 to 8192 can be used"),
]


@pytest.mark.parametrize(("changed", "complaint"), WRONG, ids=lambda value: str(value)[:30])
@pytest.mark.parametrize("bring", ["import", "convert"])
def test_weights_that_are_wrong_are_refused_before_anything_is_built(
    changed: dict[str, np.ndarray],
    complaint: str,
    bring: str,
    tmp_path: Path,
    models: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def build(*arguments: object) -> None:
        raise AssertionError("built")

    monkeypatch.setattr(keras_models, "build", build)
    monkeypatch.setattr(converting, "workshop", build)
    path = own_file(tmp_path, **changed)
    with pytest.raises(UnsupportedFile, match=complaint):
        if bring == "import":
            import_file(path)
        else:
            convert(path, Target.KERAS, tmp_path / "model.keras")
    assert not models.exists()
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


ONNX = OnnxPreprocessing(resize_template(ARCFACE_CROP, 32), FixedScaling((127.5,) * 3, 127.5))


@pytest.mark.parametrize("channels_first", [True, False])
@pytest.mark.parametrize("color", ColorOrder)
def test_an_onnx_embedder(tmp_path: Path, channels_first: bool, color: ColorOrder) -> None:
    path = tmp_path / "arcface.onnx"
    path.write_bytes(write_onnx(channels_first=channels_first))
    spec = import_file(path, onnx=OnnxPreprocessing(ARCFACE_CROP, ONNX.pixels, color))
    assert (spec.embedding_size, spec.crop, spec.input_size) == (16, ONNX.crop, 32)
    inputs = np.random.default_rng(1).normal(size=(3, 32, 32, 3)).astype(np.float32)
    (found,) = prepare(spec.weights).run(inputs)
    weight = numpy_helper.to_array(onnx.load_from_string(write_onnx()).graph.initializer[0])
    seen = inputs[..., ::-1] if color is ColorOrder.BGR else inputs
    windows = np.lib.stride_tricks.sliding_window_view(seen, (3, 3), axis=(1, 2))
    expected = np.einsum("nhwcij,ocij->nhwo", windows, weight).mean(axis=(1, 2))
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert Recognizer.from_pretrained(spec.id).spec == spec


def test_an_onnx_file_of_our_own(shared: Path, tmp_path: Path) -> None:
    """Its input and output have the names that an adopted network's will have."""
    source = import_file(openface_file(shared, tmp_path), model_id="source")
    path = tmp_path / "converted.onnx"
    convert(tmp_path / "nn4.small2.v1.t7", Target.ONNX, path)
    pixels = FixedScaling((0.0,) * 3, 255.0)
    spec = import_file(path, onnx=OnnxPreprocessing(resize_template(ARCFACE_CROP, 96), pixels))
    inputs = np.random.default_rng(1).uniform(0, 1, (3, 96, 96, 3)).astype(np.float32)
    expected, found = prepare(source.weights).run(inputs)[0], prepare(spec.weights).run(inputs)[0]
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"\x08\x07nonsense", "damaged, or no ONNX file"),
        (write_onnx(pixels=64), "an image of 64 x 64 pixels, not a square of 32 pixels, as was said"),
        (write_onnx(batch=3), "a free batch size, or a batch of 1"),
    ],
)
def test_an_onnx_file_that_is_no_embedder(content: bytes, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(UnsupportedFile, match=complaint):
        import_file(path, onnx=replace(ONNX, size=32))
    assert installed_ids() == []


def test_pixels_that_the_graph_scales_itself(tmp_path: Path) -> None:
    path = tmp_path / "arcface.onnx"
    path.write_bytes(write_onnx(scaled=True))
    spec = import_file(path, onnx=OnnxPreprocessing(ARCFACE_CROP))
    assert spec.pixels == FixedScaling((0.0, 0.0, 0.0), 1.0)
    with pytest.raises(UnsupportedFile, match="its graph scales pixels itself"):
        import_file(path, onnx=ONNX, model_id="twice")
    import_file(path, onnx=OnnxPreprocessing(ARCFACE_CROP, spec.pixels), model_id="said-too")
    path.write_bytes(write_onnx())
    with pytest.raises(UnsupportedFile, match="does not scale pixels itself, nor say") as caught:
        import_file(path, onnx=OnnxPreprocessing(ARCFACE_CROP), model_id="unsaid")
    assert caught.value.remedy is Remedy.PIXELS_OF_ONNX


def test_a_crop_of_another_size_than_the_networks_image(tmp_path: Path) -> None:
    path = tmp_path / "arcface.onnx"
    path.write_bytes(write_onnx())
    eyes_and_nose = AffineCrop(96, ((26.4, 14.6), (68.2, 13.8), (47.4, 40.7)))
    with pytest.raises(WeightsError, match="the network's image has 32 pixels, the crop 96"):
        import_file(path, onnx=OnnxPreprocessing(eyes_and_nose, ONNX.pixels))


node = onnx.helper.make_node
SILENT = {
    "zeros": [node("Mul", ["mean", "some"], ["fc1"])],
    "one point": [node("Mul", ["mean", "some"], ["no"]), node("Add", ["no", "row"], ["fc1"])],
    "one line": [node("ReduceSum", ["mean", "axis"], ["one"]), node("Mul", ["one", "row"], ["fc1"])],
}


@pytest.mark.parametrize(
    ("kind", "some", "complaint"),
    [
        ("zeros", 0, "embeddings are zeros"),
        ("zeros", np.nan, "not finite numbers"),
        ("zeros", 3e38, "not finite numbers"),
        ("one point", 0, "the same for every face"),
        ("one line", 0, "the same for every face"),
    ],
)
def test_a_network_that_says_nothing_of_faces_is_refused(
    kind: str, some: float, complaint: str, tmp_path: Path, models: Path
) -> None:
    """Else each later comparison would have the same score."""
    path = tmp_path / "silent.onnx"
    weights = {"some": np.float32(some), "row": np.arange(16, dtype=np.float32), "axis": np.array([1])}
    path.write_bytes(write_onnx_with(SILENT[kind], **weights))
    with pytest.raises(UnsupportedFile, match=complaint):
        import_file(path, onnx=ONNX)
    assert list(models.iterdir()) == []


def test_a_network_that_hardly_tells_people_apart_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "random.onnx"
    path.write_bytes(write_onnx())
    said = Witness()
    import_file(path, onnx=ONNX, progress=said)
    (line,) = said.said
    assert re.match(
        r"random hardly tells the sample people apart: .* in [5-8]\d% of all cases, by chance", line
    )

    def embed(recognizer: Recognizer) -> tuple[np.ndarray, np.ndarray]:
        people = np.arange(48) // 6
        noise = np.random.default_rng(0).normal(scale=0.05, size=(48, 16))
        return normalize(np.eye(16)[people] + noise), people

    monkeypatch.setattr(importing, "embed_sample_people", embed)
    import_file(path, model_id="trained", onnx=ONNX, progress=said)
    assert said.said == [line], "of a network that was trained nothing is said"


def test_two_imports_at_once_of_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def measure(*arguments: object) -> Calibration:
        time.sleep(0.3)  # in which the other would overwrite the weights
        return UNMEASURED

    monkeypatch.setattr(importing, "_measure_on_sample_people", measure)
    paths = [own_file(tmp_path).rename(tmp_path / "a"), own_file(tmp_path, size=200).rename(tmp_path / "b")]
    outcomes: list[object] = []

    def bring(path: Path) -> None:
        try:
            outcomes.append(import_file(path, model_id="mine"))
        except WeightsError as error:
            outcomes.append(error)

    threads = [threading.Thread(target=bring, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winner, loser = sorted(outcomes, key=lambda outcome: isinstance(outcome, WeightsError))
    assert isinstance(winner, EmbedderSpec)
    assert "a model mine is here already" in str(loser)
    assert find_embedder("mine") == winner
    assert read_weights(winner.weights), "the weights are the winner's"
    assert [path.name for path in models_folder().iterdir()] == ["mine"]


def test_two_pulls_at_once_fetch_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[Path] = []

    def download(*arguments: object) -> Path:
        fetched.append(own_file(tmp_path).rename(tmp_path / f"{len(fetched)}"))
        time.sleep(0.3)
        return fetched[-1]

    monkeypatch.setattr(pulling, "download", download)
    monkeypatch.setattr(importing, "_measure_on_sample_people", lambda *arguments: UNMEASURED)
    specs: list[EmbedderSpec] = []

    def bring() -> None:
        specs.append(pull("openface-nn4-small2"))

    threads = [threading.Thread(target=bring) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(fetched) == 1
    assert specs[0] == specs[1]


def test_nothing_stays_after_a_break(tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(importing, "_measure_on_sample_people", interrupt)
    with pytest.raises(KeyboardInterrupt):
        import_file(own_file(tmp_path))
    assert list(models.iterdir()) == []


def pipe(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.skipif(sys.platform == "win32", reason="needs pipes and devices")
@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (pipe, "is a folder, a pipe or a device"),
        (device, "is a folder, a pipe or a device"),
        (Path.mkdir, "is a folder"),
        (Path.touch, "known format|damaged"),
        (lambda path: path.symlink_to(path.name), "cannot read .*symbolic links"),
    ],
)
@pytest.mark.parametrize("form", [None, OnnxPreprocessing(ARCFACE_CROP, Whitening())])
def test_what_is_no_file(
    make: Callable[[Path], None], complaint: str, form: OnnxPreprocessing | None, tmp_path: Path, models: Path
) -> None:
    make(tmp_path / "file")
    with pytest.raises(WeightsError, match=complaint):
        import_file(tmp_path / "file", onnx=form)
    assert not models.exists()


def test_a_damaged_card_is_told(tmp_path: Path, models: Path, unmeasured: None) -> None:
    import_file(own_file(tmp_path), model_id="nn4")
    card = models / "nn4" / installed.CARD
    whole = card.read_text()
    for damage in (
        "",
        "[]",
        "{}",
        whole.replace('"AffineCrop"', '"OtherCrop"'),
        whole.replace('"input_size": 96', '"input_size": "large"'),
        whole.replace('"input_size": 96', '"input_size": 1000000000'),
        "[" * 100_000,
        whole.replace(f'"version": {installed._VERSION}', '"version": 99', 1),
    ):
        card.write_text(damage)
        with pytest.raises(
            UnsupportedFile, match=r"model\.json: (damaged|made by a later .*); remove the model"
        ):
            find_embedder("nn4")
    remove("nn4")
    assert installed_ids() == []


def test_a_card_of_before_has_its_license(tmp_path: Path, models: Path, unmeasured: None) -> None:
    import_file(own_file(tmp_path))
    card = models / "own" / installed.CARD
    content = json.loads(card.read_text())
    card.write_text(json.dumps(content | {"licence": "MIT"}))
    assert find_embedder("own").license == content.pop("license")
    card.write_text(json.dumps(content | {"licence": "MIT"}))
    assert find_embedder("own").license == "MIT"


def test_a_card_need_not_tell_everything(tmp_path: Path, models: Path, unmeasured: None) -> None:
    import_file(own_file(tmp_path))
    card = models / "own" / installed.CARD
    content = json.loads(card.read_text())
    for key in ("summary", "license", "training_data", "lfw", "int8"):
        del content[key]
    card.write_text(json.dumps(content | {"said by a later version": 1}))
    spec = find_embedder("own")
    assert (spec.summary, spec.license, spec.training_data) == ("", "unknown", "unknown")
    assert (spec.lfw, spec.int8) == ("not measured", False)
    assert spec.weights.network == "nn4_small2"


def test_recipe_is_what_was_installed(shared: Path, tmp_path: Path, unmeasured: None) -> None:
    path = openface_file(shared, tmp_path)
    spec = import_file(path)
    from kith.weights.registry import READERS

    kept = READERS["safetensors"]((models_folder() / spec.id / "weights.safetensors").read_bytes())
    expected = recognize_file(path).arrays
    assert kept.keys() == expected.keys()
    assert all((kept[name] == expected[name]).all() for name in kept)
