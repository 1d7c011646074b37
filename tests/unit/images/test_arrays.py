"""What is no image is refused at every door, in words that say what to do."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage

from kith.detection import MTCNN
from kith.errors import ImageError, InvalidImage
from kith.images.arrays import require_crops, require_image
from kith.recognizer import Recognizer
from kith.records import Face, Sample

GRAY = np.full((8, 10), 7, np.uint8)
RGB = np.full((8, 10, 3), 7, np.uint8)


class Tensor:
    """As another library's: an array that is none of NumPy's."""

    __module__ = "torch"

    def __array__(self) -> np.ndarray:
        return RGB


REFUSED = [
    (RGB / 255, r"got float64 of shape \(8, 10, 3\); convert it with \(image \* 255\)\.astype\(numpy\.uint8\)"),
    (RGB.astype(np.float32), r"float32 .*convert it with image\.astype\(numpy\.uint8\)"),
    (np.full((8, 10, 3), np.nan), "got float64"),
    (RGB.astype(np.uint16) << 8, r"uint16 .*convert it with \(image >> 8\)\.astype\(numpy\.uint8\)"),
    (RGB.astype(np.int64), r"int64 .*if its values are 0 to 255, convert it with image\.astype\(numpy\.uint8\)"),
    (RGB > 3, r"bool .*convert it with image\.astype\(numpy\.uint8\) \* 255"),
    (RGB.astype(object), "object .*kith.load_image"),
    (GRAY, r"shape \(8, 10\); make RGB of gray or RGBA with kith\.load_image\(image\)"),
    (GRAY[:, :, None], "make RGB of gray"),
    (np.dstack([RGB, GRAY]), r"shape \(8, 10, 4\); make RGB of gray or RGBA"),
    (np.moveaxis(RGB, 2, 0), r"its colors come first: give numpy\.moveaxis\(image, 0, 2\)"),
    (RGB[None], "give one image at a time"),
    (np.zeros((8, 10, 2), np.uint8), "load the picture with kith.load_image"),
    (np.zeros((0, 10, 3), np.uint8), "it is empty"),
    (np.array([], np.uint8), "it is empty"),
    (None, "got None; cv2.imread gives None where it cannot read a file"),
    ("a.jpg", "got the path 'a.jpg'; load it with kith.load_image"),
    (Path("a.jpg"), "got the path 'a.jpg'; load it with kith.load_image"),
    (b"\xff\xd8\xff", "got bytes; load it with kith.load_image"),
    (PillowImage.new("RGB", (2, 2)), r"got a Pillow image; give numpy\.asarray\(picture\.convert\('RGB'\)\)"),
    (Tensor(), r"got torch\.Tensor; make a NumPy array of it, with its colors last"),
    ([RGB], "got a list; give one NumPy array"),
    (7, "got int"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "said"), REFUSED)
def test_what_is_no_image_is_refused(given: object, said: str) -> None:
    with pytest.raises(InvalidImage, match=said) as raised:
        require_image(given)
    assert "the image must be an (h, w, 3) uint8 array, got " in str(raised.value)
    assert "\n" not in str(raised.value)
    assert isinstance(raised.value, ImageError | TypeError | ValueError)


@pytest.mark.parametrize("image", [RGB, RGB[::-1, ::-1], RGB[:, :, ::-1], np.zeros((1, 1, 3), np.uint8)])
def test_an_image_need_not_be_contiguous_or_large(image: np.ndarray) -> None:
    require_image(image)


def test_crops() -> None:
    require_crops(np.zeros((0, 160, 160, 3), np.uint8))
    for given, said in (
        ([RGB], r"got a list; join them with numpy\.stack\(crops\)"),
        (RGB, r"a single crop is given as crop\[numpy\.newaxis\]"),
        (RGB[None] / 255, r"float64 .*\(image \* 255\)"),
        (GRAY[None, :, :, None], "make them with Recognizer.align"),
        (None, "got None"),
    ):
        with pytest.raises(InvalidImage, match=said):
            require_crops(given)


class Nobody:
    """Finds no faces in anything, as a detector does of what is no image."""

    def detect(self, image: Any) -> list[Face]:
        return []


FACE = Face(np.array([1, 1, 6, 6], np.float32), np.ones((5, 2), np.float32), 1.0)


@pytest.mark.parametrize(
    "door",
    [
        lambda recognizer, image: recognizer.detect(image),
        lambda recognizer, image: recognizer.align(image, [FACE]),
        lambda recognizer, image: recognizer.analyze(image),
        lambda recognizer, image: recognizer.analyze(image, [FACE]),
        lambda recognizer, image: recognizer.analyze_main(image),
        lambda recognizer, image: recognizer.verify(image, RGB),
        lambda recognizer, image: recognizer.enroll("Ada", image, None),
        lambda recognizer, image: recognizer.identify(image, None),
        lambda recognizer, image: recognizer.embed(image),
    ],
    ids="detect align analyze analyze_some analyze_main verify enroll identify embed".split(),
)
@pytest.mark.parametrize("given", [RGB / 255, None, "a.jpg"], ids=["float", "None", "path"])
def test_every_door_of_a_recognizer(door: Any, given: object) -> None:
    recognizer = Recognizer(
        Nobody(), None, SimpleNamespace(crop=None, id="nobody", detector="none"), None, None
    )
    with pytest.raises(InvalidImage):
        door(recognizer, given)


def test_verify_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    recognizer = Recognizer(
        Nobody(), None, SimpleNamespace(crop=None, id="nobody", detector="none"), None, None
    )
    monkeypatch.setattr(Recognizer, "analyze_main", lambda self, image: Sample(FACE, None, None))
    with pytest.raises(InvalidImage, match="the second image must be"):
        recognizer.verify(RGB, None)


@pytest.mark.parametrize("given", [RGB / 255, RGB.astype(np.uint16), None, "a.jpg"])
def test_the_detectors_own_door(given: Any) -> None:
    with pytest.raises(InvalidImage):
        MTCNN(None, None, None).detect(given)
