"""A foreign detector becomes one that sees images of any size; what is none is refused in one line."""

import numpy as np
import onnx
import pytest
from write_detector import write_scrfd, write_yunet
from write_onnx import write_onnx

from kith.catalogue.spec import DetectorKind
from kith.errors import UnsupportedFile
from kith.runtime.adopt_detector import adopt_detector
from kith.runtime.session import Session
from kith.runtime.trial import adopt_detector_in_bounds, adopt_in_bounds


@pytest.mark.parametrize(("height", "width"), [("h", "w"), (640, 640)])
def test_a_yunet_of_one_size_becomes_one_of_any(height: int | str, width: int | str) -> None:
    adopted = adopt_detector(write_yunet(height=height, width=width))
    assert (adopted.kind, adopted.side) == (DetectorKind.YUNET, None)
    outputs = Session(adopted.content).run(np.zeros((1, 3, 96, 160), np.float32))
    assert [output.shape for output in outputs] == [
        (1, 96 * 160 // stride**2, length) for length in (1, 1, 4, 10) for stride in (8, 16, 32)
    ]


def test_a_graph_that_holds_its_size_keeps_it() -> None:
    adopted = adopt_detector(write_yunet(height=640, width=640, grid=6400))
    assert adopted.side == 640


@pytest.mark.parametrize("outputs", [6, 9, 10, 15])
@pytest.mark.parametrize("batched", [True, False])
def test_an_scrfd_in_any_layout(outputs: int, batched: bool) -> None:
    adopted = adopt_detector(write_scrfd(outputs, shuffle=outputs, batched=batched))
    assert (adopted.kind, adopted.side) == (DetectorKind.SCRFD, None)


def test_the_outputs_of_a_yunet_are_put_in_order() -> None:
    data = write_yunet()
    model = onnx.load_from_string(data)
    turned = list(model.graph.output)[::-1]
    del model.graph.output[:]
    model.graph.output.extend(turned)
    image = np.random.default_rng(0).uniform(0, 255, (1, 3, 64, 64)).astype(np.float32)
    expected = Session(adopt_detector(data).content).run(image)
    found = Session(adopt_detector(model.SerializeToString()).content).run(image)
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_array_equal(one, other)


NO_DETECTORS = [
    (write_onnx(), "it has 1 outputs, a detector has those of YuNet or 6, 9, 10 or 15"),
    (write_yunet(leave_out=["kps_32"]), "it has 11 outputs"),
    (write_yunet(leave_out=["cls_8", "obj_8", "bbox_8"]), "its outputs have not the shapes of scrfd's"),
    (write_scrfd(last=8), "its outputs have not the shapes of scrfd's"),
    (write_yunet(height=480, width=640, grid=4800), "it cannot see an image of 256 x 384 pixels"),
    (write_yunet()[:-1000], "damaged, or no ONNX file"),
    (b"", "damaged, or no ONNX file|it has 0 outputs"),
]


@pytest.mark.parametrize(("data", "said"), NO_DETECTORS, ids=[said[:24] for _, said in NO_DETECTORS])
def test_what_is_no_detector(data: bytes, said: str) -> None:
    with pytest.raises(UnsupportedFile, match=f"^ONNX file: ({said})"):
        adopt_detector(data)


def test_a_detector_is_tried_in_a_process_of_its_own() -> None:
    data = write_scrfd(15)
    assert adopt_detector_in_bounds(data) == adopt_detector(data)
    with pytest.raises(UnsupportedFile, match="it has 1 outputs"):
        adopt_detector_in_bounds(write_onnx())


def test_a_detector_for_an_embedder() -> None:
    with pytest.raises(UnsupportedFile, match="it is a detector, as yunet is, and no embedder"):
        adopt_in_bounds(write_yunet(height=112, width=112))
