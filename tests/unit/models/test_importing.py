"""A file -> an installed model that embeds as the file's network does."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from recipes import Arrays, facenet_pytorch, openface, sandberg
from write_keras_h5 import write_facenet_keras
from write_onnx import write_onnx
from write_pytorch import write_pytorch
from write_tensorflow import write_checkpoint
from write_torch7 import write_openface

from kith.errors import DownloadFailed, UnknownModel, UnsupportedFile, WeightsError
from kith.models.conversion import Target, convert
from kith.models.importing import OnnxPreprocessing, import_file
from kith.recognizer import Recognizer
from kith.runtime.prepare import prepare
from kith.weights import installed
from kith.weights.calibrations import UNMEASURED, find_calibration
from kith.weights.catalogue import EmbedderSpec
from kith.weights.installed import find_embedder, installed_ids, models_folder, read_card, remove
from kith.weights.preprocessing import ARCFACE_CROP, FixedScaling, MarginUnit, Whitening, resize_template
from kith.weights.published import PUBLISHED
from kith.weights.readers.recognize import recognize_file


@pytest.fixture(autouse=True)
def models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("KITH_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


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
    assert "1,008 non-mated pairs" in calibration.measured_on
    assert calibration.verification_policy().fmr == 0.01, "a thousand pairs show no lower rate"
    recognizer = Recognizer.from_pretrained("nn4")
    assert (recognizer.model_id, recognizer.calibration) == ("nn4", calibration)
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
    from kith.models import importing

    path.write_bytes(content)
    monkeypatch.setattr(importing, "_measure_on_sample_people", lambda spec, notify: UNMEASURED)
    return import_file(path)


def test_a_checkpoint_is_imported_by_its_folder(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kith.models import importing

    folder = tmp_path / "20170512-110547"
    folder.mkdir()
    index, data = write_checkpoint(sandberg(shared))
    (folder / "m.ckpt-1.index").write_bytes(index)
    (folder / "m.ckpt-1.data-00000-of-00001").write_bytes(data)
    monkeypatch.setattr(importing, "_measure_on_sample_people", lambda spec, notify: UNMEASURED)
    spec = import_file(folder)
    assert (spec.id, spec.embedding_size) == ("20170512-110547", 128)
    assert (models_folder() / spec.id / "weights.safetensors").is_file()


def test_a_checkpoint_is_imported_by_its_prefix(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As TensorFlow calls it; no file has this name."""
    from kith.models import importing

    index, data = write_checkpoint(sandberg(shared))
    (tmp_path / "model.ckpt-1.index").write_bytes(index)
    (tmp_path / "model.ckpt-1.data-00000-of-00001").write_bytes(data)
    monkeypatch.setattr(importing, "_measure_on_sample_people", lambda spec, notify: UNMEASURED)
    assert import_file(tmp_path / "model.ckpt-1").embedding_size == 128


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "weights.h5")
    with pytest.raises(UnsupportedFile, match="a pipe"):
        import_file(tmp_path / "weights.h5")


def test_a_published_file_is_told_by_its_hash(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from kith.weights import published

    content = write_openface(openface(shared))
    model = PUBLISHED["openface-nn4-small2"]
    file = replace(model.files[0], md5=hashlib.md5(content).hexdigest())
    monkeypatch.setattr(published, "_MODELS", (replace(model, files=(file,)),))
    spec = _import_unmeasured(tmp_path / "renamed.bin", content, monkeypatch)
    assert spec.id == "openface-nn4-small2"
    assert (spec.licence, spec.lfw) == (model.licence, model.lfw)


def test_a_published_model_that_is_not_here_says_how_to_get_it() -> None:
    with pytest.raises(DownloadFailed, match="kith models pull facenet-20180402-114759"):
        find_embedder("facenet-20180402-114759")


def test_names_that_are_taken_or_none(shared: Path, tmp_path: Path) -> None:
    path = openface_file(shared, tmp_path)
    with pytest.raises(WeightsError, match="name of a model that came with Kith"):
        import_file(path, model_id="dlib-resnet29")
    with pytest.raises(WeightsError, match="cannot be a model's name"):
        import_file(path, model_id="../evil")
    import_file(path, model_id="mine")
    with pytest.raises(WeightsError, match="a model mine is here already"):
        import_file(path, model_id="mine")


def test_another_family_than_the_networks_is_refused(shared: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="holds nn4_small2 with 128 numbers"):
        import_file(openface_file(shared, tmp_path), family="sandberg-2017")
    with pytest.raises(WeightsError, match="unknown family 'openfaces'; known families: .*openface"):
        import_file(openface_file(shared, tmp_path), family="openfaces")
    assert installed_ids() == []


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "known format"),
        (b"<html>", "known format"),
        (b"\x08\x07\x12\x00", "ONNX file, which does not say"),
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


def test_nothing_stays_of_a_model_that_does_not_embed(
    shared: Path, tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = dict(openface(shared))
    weights["layer25.bias"] = np.full_like(weights["layer25.bias"], np.nan)
    path = tmp_path / "nan.t7"
    path.write_bytes(write_openface(weights))
    with pytest.raises(UnsupportedFile, match="not numbers"):
        import_file(path)
    assert list(models.iterdir()) == []


ONNX = OnnxPreprocessing(resize_template(ARCFACE_CROP, 32), FixedScaling((127.5,) * 3, 127.5))


@pytest.mark.parametrize("channels_first", [True, False])
@pytest.mark.parametrize("blue_first", [True, False])
def test_an_onnx_embedder(tmp_path: Path, channels_first: bool, blue_first: bool) -> None:
    path = tmp_path / "arcface.onnx"
    path.write_bytes(write_onnx(channels_first=channels_first))
    spec = import_file(path, onnx=OnnxPreprocessing(ONNX.crop, ONNX.pixels, blue_first))
    assert (spec.embedding_size, spec.crop.size) == (16, 32)
    inputs = np.random.default_rng(1).normal(size=(3, 32, 32, 3)).astype(np.float32)
    (found,) = prepare(spec.weights).run(inputs)
    weight = numpy_helper.to_array(onnx.load_from_string(write_onnx()).graph.initializer[0])
    seen = inputs[..., ::-1] if blue_first else inputs
    windows = np.lib.stride_tricks.sliding_window_view(seen, (3, 3), axis=(1, 2))
    expected = np.einsum("nhwcij,ocij->nhwo", windows, weight).mean(axis=(1, 2))
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert Recognizer.from_pretrained(spec.id).spec == spec


def test_an_onnx_file_of_our_own(shared: Path, tmp_path: Path) -> None:
    """Its input and output have the names that an adopted network's will have."""
    source = import_file(openface_file(shared, tmp_path), model_id="source")
    path = tmp_path / "converted.onnx"
    convert(tmp_path / "nn4.small2.v1.t7", Target.ONNX, path, notify=lambda message: None)
    pixels = FixedScaling((0.0,) * 3, 255.0)
    spec = import_file(path, onnx=OnnxPreprocessing(resize_template(ARCFACE_CROP, 96), pixels))
    inputs = np.random.default_rng(1).uniform(0, 1, (3, 96, 96, 3)).astype(np.float32)
    expected, found = prepare(source.weights).run(inputs)[0], prepare(spec.weights).run(inputs)[0]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def external() -> bytes:
    """An embedder one of whose constants is said to be in another file."""
    model = onnx.load_from_string(write_onnx())
    constant = numpy_helper.from_array(np.zeros(4, np.float32), "secret")
    constant.ClearField("raw_data")
    constant.data_location = onnx.TensorProto.EXTERNAL
    constant.external_data.add(key="location", value="passwd")
    model.graph.node.append(onnx.helper.make_node("Constant", [], ["secret"], value=constant))
    return model.SerializeToString()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (external(), "its weights are in another file|damaged"),
        (b"\x08\x07nonsense", "damaged, or no ONNX file"),
        (write_onnx(pixels=64), "not an image of 32 pixels"),
        (write_onnx(batch=1), "several faces at once"),
    ],
)
def test_an_onnx_file_that_is_no_embedder(content: bytes, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(UnsupportedFile, match=complaint):
        import_file(path, onnx=ONNX)
    assert installed_ids() == []


def test_a_damaged_card_is_told(shared: Path, tmp_path: Path, models: Path) -> None:
    import_file(openface_file(shared, tmp_path))
    card = models / "nn4" / installed.CARD
    whole = card.read_text()
    for damage in (
        "",
        "[]",
        "{}",
        whole.replace('"AffineCrop"', '"OtherCrop"'),
        whole.replace(f'"version": {installed._VERSION}', '"version": 99', 1),
    ):
        card.write_text(damage)
        with pytest.raises(UnsupportedFile, match=r"model\.json: (damaged|made by another version)"):
            find_embedder("nn4")


def test_recipe_is_what_was_installed(shared: Path, tmp_path: Path) -> None:
    path = openface_file(shared, tmp_path)
    spec = import_file(path)
    from kith.weights.readers import READERS

    kept = READERS["safetensors"]((models_folder() / spec.id / "weights.safetensors").read_bytes())
    expected = recognize_file(path).arrays
    assert kept.keys() == expected.keys()
    assert all((kept[name] == expected[name]).all() for name in kept)
