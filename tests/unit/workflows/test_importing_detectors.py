"""A file that nobody published: a detector is told by its outputs, and anything else is not taken for one."""

import os
from pathlib import Path

import numpy as np
import pytest
from write_detector import write_scrfd, write_yunet
from write_onnx import write_onnx

from kith.catalogue.installed import find_detector, installed_ids
from kith.catalogue.licenses import Use
from kith.catalogue.pair import find_pair
from kith.catalogue.preprocessing import ARCFACE_CROP, FixedScaling
from kith.catalogue.spec import DetectorKind
from kith.detection import load_detector
from kith.errors import KithError, Remedy, UnknownModel, WeightsError
from kith.runtime.adopt_detector import adopt_detector
from kith.workflows import detectors
from kith.workflows.importing import OnnxPreprocessing, import_file


@pytest.fixture(autouse=True)
def models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KITH_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(detectors, "adopt_detector_in_bounds", adopt_detector)  # in this process: quicker


def write(tmp_path: Path, content: bytes, name: str = "my_own.onnx") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "kind"), [(write_yunet(), DetectorKind.YUNET), (write_scrfd(15), DetectorKind.SCRFD)]
)
def test_a_detector_is_installed_and_used_by_its_name(
    content: bytes, kind: DetectorKind, tmp_path: Path
) -> None:
    spec = import_file(write(tmp_path, content))
    assert (spec.id, spec.use, spec.license[:7]) == ("my-own", Use.UNCLEAR, "unknown")
    assert find_detector("my-own") == spec
    assert find_detector("my-own").kind is kind
    assert find_pair("kith-mini+my-own").detector == spec
    load_detector("my-own").detect(np.zeros((50, 60, 3), np.uint8))
    with pytest.raises(WeightsError, match="my-own is a detector, and an embedder is needed here"):
        find_pair("my-own")


REFUSED = [
    (write_onnx(), "which does not say what was done to a face", Remedy.DESCRIBE_ONNX),
    (write_scrfd(last=8), "its outputs have not the shapes of scrfd's", None),
    (write_yunet(leave_out=["obj_16"]), "which does not say what was done to a face", Remedy.DESCRIBE_ONNX),
    (write_yunet()[:-2000], "damaged, or no ONNX file", None),
]


@pytest.mark.parametrize(("content", "said", "remedy"), REFUSED, ids=[said for _, said, _ in REFUSED])
def test_what_is_no_detector_is_one_line_and_nothing_is_left(
    content: bytes, said: str, remedy: Remedy | None, tmp_path: Path
) -> None:
    with pytest.raises(WeightsError, match=said) as raised:
        import_file(write(tmp_path, content))
    assert raised.value.remedy is remedy
    assert "\n" not in str(raised.value)
    assert installed_ids() == []


def test_a_published_detector_that_is_said_to_be_an_embedder(shared: Path) -> None:
    path = shared / "data/weights/yunet_s_640_640.onnx"
    with pytest.raises(WeightsError, match="is a detector, yunet-s; nothing is to be said of how it embeds"):
        import_file(path, onnx=OnnxPreprocessing(ARCFACE_CROP, FixedScaling((127.5,) * 3, 128)))
    assert installed_ids() == []
    assert import_file(path).id == "yunet-s"
    with pytest.raises(UnknownModel, match="known models: mtcnn, .*yunet-n, yunet-s$"):
        find_detector("yunet")


def test_a_disk_without_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("kith.catalogue.installed.write_atomically", full)
    with pytest.raises(KithError, match="No space left"):
        import_file(write(tmp_path, write_yunet()))
    assert installed_ids() == []
