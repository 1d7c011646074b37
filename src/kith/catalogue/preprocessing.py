"""How an image becomes a network's input: fields of the weights, never guessed from a file."""

from dataclasses import dataclass, replace
from enum import StrEnum

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class SimilarityCrop:
    """The five landmarks are turned, scaled and shifted onto a template (least squares).

    Attributes:
        size: Side of the square crop in pixels.
        template: Where eye, eye, nose, mouth corner, mouth corner come to lie, (x, y) in pixels of
            the crop; image left first.
        seen_by: The kind of detector whose landmarks the template tells; empty if it is meant for all.
    """

    size: int
    template: tuple[Point, ...]
    seen_by: str = ""


@dataclass(frozen=True, slots=True)
class AffineCrop:
    """Both eyes and the nose are brought exactly onto three points; the face may be sheared.

    Attributes:
        size: Side of the square crop in pixels.
        template: Where eye, eye and nose come to lie, (x, y) in pixels of the crop; image left first.
        seen_by: The kind of detector whose landmarks the template tells; empty if it is meant for all.
    """

    size: int
    template: tuple[Point, Point, Point]
    seen_by: str = "mtcnn"


class MarginUnit(StrEnum):
    """What a margin is counted in."""

    SOURCE = "pixels of the image"
    CROP = "pixels of the crop"


@dataclass(frozen=True, slots=True)
class MarginCrop:
    """The detector's box with a margin, cut off at the image's edges and squashed to a square.

    Attributes:
        size: Side of the square crop in pixels.
        margin: Added to the box's width and height, half on each side.
        unit: What the margin is counted in.
        frame: What of the detector's box counts as the box: x1, y1, x2, y2 in parts of its width and height.
        seen_by: The kind of detector whose boxes this is said of; empty if it is meant for all.
    """

    size: int
    margin: int
    unit: MarginUnit
    frame: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    seen_by: str = "mtcnn"


@dataclass(frozen=True, slots=True)
class FixedScaling:
    """(pixel - mean) / divisor.

    Attributes:
        mean: Of red, green and blue.
        divisor: The same for all three.
    """

    mean: tuple[float, float, float]
    divisor: float


@dataclass(frozen=True, slots=True)
class Whitening:
    """(pixel - mean) / deviation, both taken over all pixels and channels of the crop itself.

    The deviation is at least 1 / sqrt(number of values), so that a crop of one colour gives zeros.
    Source: Sandberg's facenet, src/facenet.py, `prewhiten`.
    """


class ColorOrder(StrEnum):
    """In which order a network wants the colours of a pixel."""

    RGB = "rgb"
    BGR = "bgr"


CropRule = SimilarityCrop | AffineCrop | MarginCrop
PixelRule = FixedScaling | Whitening


MTCNN_PIXELS = FixedScaling(mean=(127.5, 127.5, 127.5), divisor=128.0)
"""What the three networks of MTCNN were trained on."""

DLIB_CHIP = SimilarityCrop(
    size=150,
    template=((46.8, 44.9), (100.5, 44.8), (73.4, 76.3), (49.6, 103.4), (97.5, 103.4)),
    seen_by="mtcnn",
)
"""dlib's 150-pixel chip with a padding of 0.25, said of MTCNN's landmarks: their mean position in the
chips that dlib itself cuts (`tools/measure_dlib_template.py`, on people who are in none of LFW's pairs)."""


ARCFACE_CROP = SimilarityCrop(
    size=112,
    template=(
        (38.2946, 51.6963),
        (73.5318, 51.5014),
        (56.0252, 71.7366),
        (41.5493, 92.3655),
        (70.7299, 92.2041),
    ),
)
"""insightface's (python-package/insightface/utils/face_align.py)."""


def resize_template(crop: SimilarityCrop, size: int, zoom: float = 1.0) -> SimilarityCrop:
    """The same crop at another size; at a zoom of 1 it shows the same part of the face.

    Args:
        crop: The crop.
        size: The new side, in pixels.
        zoom: Above 1, less of the face is shown, and larger.
    """
    factor = size / crop.size * zoom
    middle, new_middle = (crop.size - 1) / 2, (size - 1) / 2
    points = tuple(
        ((x - middle) * factor + new_middle, (y - middle) * factor + new_middle) for x, y in crop.template
    )
    return replace(crop, size=size, template=points)


DLIB_CROP = resize_template(DLIB_CHIP, 156, zoom=1.06 * 150 / 156)
"""dlib's chip, nearly; its middle 150 pixels show the face 1.06 times as large as the chip does."""

DLIB_PIXELS = FixedScaling(mean=(122.782, 117.001, 104.298), divisor=256.0)
