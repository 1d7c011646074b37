"""An imported model's embeddings are those of the original project, for each family: nothing is added to them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from foreign_mobilefacenet import write_foreign_mobilefacenet
from recipes import crops, facenet_pytorch, load_recipe, normalized, openface, report, sandberg, smooth_crops
from write_keras_h5 import write_facenet_keras
from write_pytorch import write_pytorch
from write_tensorflow import write_checkpoint
from write_torch7 import write_openface

from kith.assembly import RecognizerSettings, assemble
from kith.catalogue.calibrations import UNMEASURED
from kith.catalogue.preprocessing import ARCFACE_CROP, FixedScaling
from kith.catalogue.spec import EmbedderSpec
from kith.workflows import importing
from kith.workflows.importing import OnnxPreprocessing, import_file

SIGNED = FixedScaling((127.5, 127.5, 127.5), 128.0)
"""What the recipes fed to Inception-ResNet-v1, also to the network that its family whitens for."""


def write_facenet_pytorch(shared: Path, folder: Path) -> Path:
    path = folder / "vggface2.pt"
    path.write_bytes(write_pytorch(facenet_pytorch(shared)))
    return path


def write_tutorials_file(shared: Path, folder: Path) -> Path:
    path = folder / "facenet_keras.h5"
    path.write_bytes(write_facenet_keras(sandberg(shared)))
    return path


def write_sandbergs_checkpoint(shared: Path, folder: Path) -> Path:
    index, data = write_checkpoint(sandberg(shared))
    (folder / "model.ckpt-1.index").write_bytes(index)
    (folder / "model.ckpt-1.data-00000-of-00001").write_bytes(data)
    return folder / "model.ckpt-1.index"


def write_openfaces_file(shared: Path, folder: Path) -> Path:
    path = folder / "nn4.small2.v1.t7"
    path.write_bytes(write_openface(openface(shared)))
    return path


def insightfaces_file(shared: Path, folder: Path) -> Path:
    return shared / "data/weights/mobilefacenet_y1-0000.params"


Write = Callable[[Path, Path], Path]
ORIGINALS: dict[str, tuple[Write, str, str, np.ndarray]] = {
    "facenet_keras.h5": (write_tutorials_file, "inception_resnet_v1_128", "prelogits", crops(160)),
    "checkpoint": (write_sandbergs_checkpoint, "inception_resnet_v1_128", "prelogits", crops(160)),
    "facenet-pytorch": (
        write_facenet_pytorch,
        "facenet_pytorch_512",
        "embeddings_l2_normalized",
        crops(160),
    ),
    "OpenFace": (write_openfaces_file, "openface_nn4_small2", "embeddings_l2_normalized", crops(96)),
    "MobileFaceNet": (insightfaces_file, "mobilefacenet_arcface", "outputs", smooth_crops()),
}


@pytest.mark.parametrize("original", ORIGINALS)
def test_embeddings_are_the_originals(
    original: str, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, recipe, outputs, images = ORIGINALS[original]
    monkeypatch.setattr(importing, "_measure_on_sample_people", lambda *arguments: UNMEASURED)
    spec = import_file(write(shared, tmp_path), model_id="imported", accept_license=True)
    expected = normalized(np.array(load_recipe(shared, recipe)[outputs]))
    cosines = np.sum(embed(spec, images) * expected, axis=1)
    report(f"{original}: least cosine to the original 1 - {1 - cosines.min():.1e} (1e-6 allowed)")
    assert cosines.min() > 1 - 1e-6
    both = np.sum(embed(replace(spec, mirrored=True), images) * expected, axis=1)
    assert both.max() < 1 - 1e-4, "with mirror images they are others"


def embed(spec: EmbedderSpec, images: np.ndarray) -> np.ndarray:
    if spec.input_size == 160:
        spec = replace(spec, pixels=SIGNED)
    embedder = assemble(RecognizerSettings(spec, "mtcnn", precision="float32")).embedder
    return embedder.embed(images.astype(np.uint8))


def test_a_foreign_graph_of_the_same_network(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read as weights and rebuilt, or run as somebody's ONNX: the same embeddings."""
    monkeypatch.setattr(importing, "_measure_on_sample_people", lambda *arguments: UNMEASURED)
    path = tmp_path / "w600k.onnx"
    path.write_bytes(write_foreign_mobilefacenet(shared / "data/weights"))
    spec = import_file(path, model_id="foreign", onnx=OnnxPreprocessing(ARCFACE_CROP))
    assert (spec.input_size, spec.embedding_size, spec.crop) == (112, 128, ARCFACE_CROP)
    expected = normalized(np.array(load_recipe(shared, "mobilefacenet_arcface")["outputs"]))
    cosines = np.sum(embed(spec, smooth_crops()) * expected, axis=1)
    assert cosines.min() > 1 - 1e-6
